"""Triggers that mark the areas whose sums no longer hold."""

from __future__ import annotations

MARK = "INSERT INTO interventions_tallymark (area) SELECT DISTINCT interventions_area(p.path) FROM"
OF_NEED = "JOIN interventions_need AS n ON n.id = {0}.need_id JOIN geo_place AS p ON p.id = n.place_id"

# What is changed in each table, and how its rows lead to places.
TABLES = {
    "need": "{0} JOIN geo_place AS p ON p.id = {0}.place_id",
    "action": """(
        SELECT place_id FROM {0}
        UNION SELECT n.place_id FROM {0} JOIN interventions_action_needs AS l ON l.action_id = {0}.id
        JOIN interventions_need AS n ON n.id = l.need_id
    ) AS found JOIN geo_place AS p ON p.id = found.place_id""",
    "proposal": "{0} JOIN interventions_proposal_needs AS l ON l.proposal_id = {0}.id " + OF_NEED.replace("{0}", "l"),
    "proposal_needs": "{0} " + OF_NEED,
    "action_needs": "{0} " + OF_NEED,
}
EVENTS = {"INSERT": ("new",), "UPDATE": ("old", "new"), "DELETE": ("old",)}

AREA = """
CREATE FUNCTION interventions_area(path text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT array_to_string((string_to_array(path, '/'))[1:3], '/')
$$;
"""
OF_PLACES = """
CREATE FUNCTION interventions_tally_place() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO interventions_tallymark (area)
    SELECT DISTINCT interventions_area(found.path) FROM (
        SELECT p.path FROM rows_old AS o JOIN rows_new AS c ON c.id = o.id
        JOIN geo_place AS p ON p.path = c.path OR p.path ~>=~ (c.path || '/') AND p.path ~<~ (c.path || '0')
        WHERE (o.path, o.kind, o.is_published) IS DISTINCT FROM (c.path, c.kind, c.is_published)
        UNION ALL
        SELECT o.path FROM rows_old AS o JOIN rows_new AS c ON c.id = o.id WHERE o.path <> c.path
    ) AS found;
    RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER interventions_tally_place AFTER UPDATE ON geo_place
    REFERENCING OLD TABLE AS rows_old NEW TABLE AS rows_new
    FOR EACH STATEMENT EXECUTE FUNCTION interventions_tally_place();
"""


def _of_table(table: str, event: str) -> str:
    name = f"interventions_tally_{table}_{event.lower()}"
    marks = "\n    ".join(f"{MARK} {TABLES[table].format(f'rows_{age}')};" for age in EVENTS[event])
    referred = " ".join(f"{age.upper()} TABLE AS rows_{age}" for age in EVENTS[event])
    return f"""
CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    {marks}
    RETURN NULL;
END $$;
CREATE TRIGGER {name} AFTER {event} ON interventions_{table} REFERENCING {referred}
    FOR EACH STATEMENT EXECUTE FUNCTION {name}();
"""


# What was there before is counted by the first reader.
FILL = "".join(
    f"{MARK} interventions_{table} AS r JOIN geo_place AS p ON p.id = r.place_id;" for table in ("need", "action")
)

MARKED = AREA + OF_PLACES + "".join(_of_table(table, event) for table in TABLES for event in EVENTS) + FILL
UNMARKED = (
    "DROP TRIGGER interventions_tally_place ON geo_place; DROP FUNCTION interventions_tally_place();"
    + "".join(
        f"DROP TRIGGER interventions_tally_{table}_{event.lower()} ON interventions_{table};"
        f"DROP FUNCTION interventions_tally_{table}_{event.lower()}();"
        for table in TABLES
        for event in EVENTS
    )
    + "DROP FUNCTION interventions_area(text);"
)
