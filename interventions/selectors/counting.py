"""The SQL that counts needs by stage, people and actions: `interventions.core.gaps` as the database does it, with the same tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from analysis.disclosure import SMALL_COUNT
from interventions.core.gaps import STAGE_OF_ACTION, STAGE_OF_PROPOSAL, Stage
from interventions.core.transitions import OPEN_NEEDS, RUNNING_ACTIONS, ActionState

STAGES: Final = tuple(stage.name.lower() for stage in Stage)
COLUMNS: Final = (
    *STAGES, "people", "people_withheld", "people_in_gap", "people_in_gap_withheld", "severity_max", "actions_running", "actions_done",
)  # fmt: skip
"""What is counted, by the names of `interventions.models.Tally`."""
YEAR_COLUMNS: Final = (
    "at_work", "finished", "finished_late", "spent_irr", "people_reached", "people_withheld", "needs", "answered",
)  # fmt: skip
"""What is counted of a year, by the names of `interventions.models.YearTally`."""


def _one_of(states: frozenset[str] | set[str]) -> str:
    return "(" + ", ".join(f"'{state}'" for state in sorted(states)) + ")"


def _stage(column: str, stages: Mapping[str, Stage]) -> str:
    return (
        f"max(CASE {column} " + " ".join(f"WHEN '{state}' THEN {stage:d}" for state, stage in stages.items()) + " END)"
    )


def _small(column: str) -> str:
    return f"CASE WHEN {column} > 0 AND {column} < {SMALL_COUNT} THEN {column} ELSE 0 END"


def _reached_sql(of_places: str) -> str:
    """Return the expressions ``here`` and ``shown``, places, and ``reached``, their needs that count with their stages."""
    return f"""
    here AS MATERIALIZED (
        SELECT p.id, p.path, array_to_string((string_to_array(p.path, '/'))[1:%(depth)s], '/') AS above, p.is_published
        {of_places}
    ),
    shown AS MATERIALIZED (
        SELECT h.id, h.above, h.is_published AND NOT EXISTS (
            -- By equality with the beginnings of the path: comparing each place with every hidden city takes long.
            SELECT FROM geo_place AS x WHERE x.kind = 'city' AND NOT x.is_published AND x.path = ANY(ARRAY(
                SELECT array_to_string((string_to_array(h.path, '/'))[1:n], '/')
                FROM generate_series(1, cardinality(string_to_array(h.path, '/'))) AS n
            ))
        ) AS is_shown FROM here AS h
    ),
    reached AS (
        SELECT n.place_id, n.sector_id, n.people_affected, n.severity, n.reported_at, greatest(0, p.stage, a.stage) AS stage
        FROM here AS h JOIN interventions_need AS n ON n.place_id = h.id AND n.state IN {_one_of(set(OPEN_NEEDS))}
        LEFT JOIN LATERAL (
            SELECT {_stage("p.state", STAGE_OF_PROPOSAL)} AS stage FROM interventions_proposal_needs AS l
            JOIN interventions_proposal AS p ON p.id = l.proposal_id WHERE l.need_id = n.id
        ) AS p ON true
        LEFT JOIN LATERAL (
            SELECT {_stage("a.state", STAGE_OF_ACTION)} AS stage FROM interventions_action_needs AS l
            JOIN interventions_action AS a ON a.id = l.action_id WHERE l.need_id = n.id
        ) AS a ON true
    )"""  # noqa: S608 - made of the tables of the core


def counted_sql(of_places: str) -> str:
    """Return common table expressions of which the last, ``counted``, has a row by path, sector and ``is_public``.

    Parameters
    ----------
    of_places
        ``FROM …``, giving rows ``p`` of places, each once. They are added up by the first parts of their paths, as many as
        the parameter ``depth`` says.
    """
    of_stages = ", ".join(f"count(*) FILTER (WHERE n.stage = {stage:d}) AS {stage.name.lower()}" for stage in Stage)
    return f"""
    {_reached_sql(of_places)},
    of_place AS (
        SELECT n.place_id, n.sector_id, {of_stages}, max(n.people_affected) AS people,
            coalesce(max(n.people_affected) FILTER (WHERE n.stage < {Stage.DECIDED:d}), 0) AS people_in_gap,
            max(n.severity) AS severity_max
        FROM reached AS n GROUP BY n.place_id, n.sector_id
    ),
    lines AS (
        SELECT s.above AS path, o.sector_id, v.is_public, {", ".join(f"o.{stage}" for stage in STAGES)},
            o.people, {_small("o.people")} AS people_withheld,
            o.people_in_gap, {_small("o.people_in_gap")} AS people_in_gap_withheld, o.severity_max,
            0 AS actions_running, 0 AS actions_done
        FROM of_place AS o JOIN shown AS s ON s.id = o.place_id
        JOIN (VALUES (false), (true)) AS v (is_public) ON s.is_shown OR NOT v.is_public
        UNION ALL
        SELECT s.above, a.sector_id, v.is_public, {", ".join("0" for _ in range(len(STAGES) + 5))},
            count(*) FILTER (WHERE a.state IN {_one_of(set(RUNNING_ACTIONS))}), count(*) FILTER (WHERE a.state = '{ActionState.DONE}')
        FROM shown AS s JOIN interventions_action AS a ON a.place_id = s.id
            AND a.state IN {_one_of({*RUNNING_ACTIONS, ActionState.DONE})}
        JOIN (VALUES (false), (true)) AS v (is_public) ON s.is_shown AND a.is_public OR NOT v.is_public
        GROUP BY s.above, a.sector_id, v.is_public
    ),
    counted AS (
        SELECT path, sector_id, is_public,
            {", ".join(f"{'max' if name == 'severity_max' else 'sum'}({name}) AS {name}" for name in COLUMNS)}
        FROM lines GROUP BY path, sector_id, is_public
    )
    """  # noqa: S608 - made of the tables of the core


def years_sql(years: str) -> str:
    """Return expressions that follow those of `counted_sql` and count the same places and needs by year.

    The last, ``counted_years``, has a row by path, year and ``is_public``.

    Parameters
    ----------
    years
        ``(begins_on, ends_on), …``, placeholders of days.
    """
    begun = _one_of({ActionState.UNDER_WAY, ActionState.SUSPENDED, ActionState.DONE})
    sums = ", ".join(f"sum({name}) AS {name}" for name in YEAR_COLUMNS)
    return f"""
    years (begins_on, ends_on) AS (VALUES {years}),
    told (is_public) AS (VALUES (false), (true)),
    years_of_place AS (
        SELECT s.above AS path, y.begins_on, t.is_public, count(*) AS at_work,
            count(*) FILTER (WHERE a.state = '{ActionState.DONE}' AND a.done_on <= y.ends_on) AS finished,
            sum(a.spent_irr) AS spent_irr, max(a.people_reached) AS people_reached
        FROM shown AS s JOIN interventions_action AS a ON a.place_id = s.id AND a.state IN {begun}
        JOIN years AS y ON coalesce(a.started_on, a.starts_on) <= y.ends_on
            AND (a.state <> '{ActionState.DONE}' OR a.done_on IS NULL OR a.done_on >= y.begins_on)
        JOIN told AS t ON s.is_shown AND a.is_public OR NOT t.is_public
        GROUP BY s.above, s.id, y.begins_on, t.is_public
    ),
    lines_of_years AS (
        SELECT path, begins_on, is_public, at_work, finished, 0 AS finished_late, spent_irr, people_reached,
            {_small("people_reached")} AS people_withheld, 0 AS needs, 0 AS answered
        FROM years_of_place
        UNION ALL
        SELECT s.above, y.begins_on, t.is_public, 0, 0, count(*), 0, 0, 0, 0, 0
        FROM shown AS s JOIN interventions_action AS a ON a.place_id = s.id
            AND a.state = '{ActionState.DONE}' AND a.done_on > a.ends_on
        JOIN years AS y ON a.ends_on BETWEEN y.begins_on AND y.ends_on
        JOIN told AS t ON s.is_shown AND a.is_public OR NOT t.is_public
        GROUP BY s.above, y.begins_on, t.is_public
        UNION ALL
        SELECT s.above, y.begins_on, t.is_public, 0, 0, 0, 0, 0, 0, count(*), count(*) FILTER (WHERE n.stage >= {Stage.DECIDED:d})
        FROM reached AS n JOIN shown AS s ON s.id = n.place_id
        JOIN years AS y ON (n.reported_at AT TIME ZONE %(zone)s)::date BETWEEN y.begins_on AND y.ends_on
        JOIN told AS t ON s.is_shown OR NOT t.is_public
        GROUP BY s.above, y.begins_on, t.is_public
    ),
    counted_years AS (SELECT path, begins_on, is_public, {sums} FROM lines_of_years GROUP BY path, begins_on, is_public)
    """  # noqa: S608 - made of the tables of the core


__all__ = ["COLUMNS", "STAGES", "YEAR_COLUMNS", "counted_sql", "years_sql"]
