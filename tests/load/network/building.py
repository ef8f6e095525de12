"""An invented network, built by SQL: many places alike, and one city and one province in which most happens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

COUNTRY: Final = "sample-network"
PROVINCES, COUNTIES, CITIES = 31, 15, 3
NEIGHBOURHOODS, NEEDS, PROPOSALS, ACTIONS = 60_000, 2_000_000, 400_000, 500_000

METROPOLIS: Final = "p1-c1-u1"
"""The code of the city in which more happens than in any other; it has rounds of its own and of its province."""

_PLACES = """
INSERT INTO geo_place (kind, code, path, name_fa, name_en, search_name, is_published, is_illustrative, zone)
VALUES ('country', '{country}', '{country}', 'کشور نمونه', 'Sample country', 'sample', true, true, '');
INSERT INTO geo_place (parent_id, kind, code, path, name_fa, name_en, search_name, is_published, is_illustrative, zone)
SELECT id, 'province', 'p' || n, path || '/p' || n, 'استان ' || n, 'Province ' || n, 'p' || n, true, true, ''
FROM geo_place, generate_series(1, {provinces}) AS n WHERE path = '{country}';
INSERT INTO geo_place (parent_id, kind, code, path, name_fa, name_en, search_name, is_published, is_illustrative, zone)
SELECT id, 'county', 'c' || n, path || '/c' || n, 'شهرستان ' || n, 'County ' || n, 'c' || n, true, true, ''
FROM geo_place, generate_series(1, {counties}) AS n WHERE path ~ '^{country}/[^/]+$';
INSERT INTO geo_place (parent_id, kind, code, path, name_fa, name_en, search_name, is_published, is_illustrative, zone)
SELECT id, 'city', replace(substr(path, {from_code}), '/', '-') || '-u' || n,
       path || '/' || replace(substr(path, {from_code}), '/', '-') || '-u' || n,
       'شهر ' || n, 'City ' || n, 'u' || n, n <> 3, true, ''
FROM geo_place, generate_series(1, {cities}) AS n WHERE path ~ '^{country}/[^/]+/[^/]+$';
INSERT INTO geo_place (parent_id, kind, code, path, name_fa, name_en, search_name, is_published, is_illustrative, zone)
SELECT id, 'neighbourhood', 'n' || n, path || '/n' || n, 'محلهٔ ' || n, 'Neighbourhood ' || n, 'n' || n, true, true, ''
FROM geo_place, generate_series(1, greatest({per_city}, {metropolis_places})) AS n
WHERE kind = 'city' AND path LIKE '{country}/%' AND n <= CASE code WHEN '{metropolis}' THEN {metropolis_places} ELSE {per_city} END;
"""
_INSTITUTIONS = """
INSERT INTO interventions_sector (code, name_fa, name_en, position)
SELECT 'load-' || n, 'حوزهٔ ' || n, 'Sector ' || n, n FROM generate_series(1, 8) AS n;
INSERT INTO interventions_programme (code, name_fa, name_en, place_id)
SELECT 'load', 'برنامه', 'Programme', id FROM geo_place WHERE path = '{country}';
INSERT INTO interventions_organisation (code, kind, name_fa, name_en, about_fa, about_en, search_name, state, place_id)
SELECT k.code, k.kind, k.name_fa, k.name_en, '', '', k.name_en, 'approved', p.id
FROM geo_place AS p JOIN (VALUES
    ('office', 'agency', 'اداره', 'office', 1), ('works', 'agency', 'عمران', 'works', 2), ('ngo', 'ngo', 'انجمن', 'ngo', 2)
) AS k (code, kind, name_fa, name_en, depth) ON k.depth = length(p.path) - length(replace(p.path, '/', ''))
WHERE p.path LIKE '{country}/%';
INSERT INTO interventions_round (name_fa, name_en, number, state, opened_at, approaches, programme_id, place_id, budget_irr)
SELECT 'دور', 'Round', 1, 'opened', now() - interval '200 days', ARRAY['social', 'infrastructural'], r.id, p.id, 1e13
FROM geo_place AS p, interventions_programme AS r
WHERE r.code = 'load' AND (p.path ~ '^{country}/[^/]+$' OR p.code = '{metropolis}');
INSERT INTO interventions_phase (round_id, kind, due_at, first_due_at)
SELECT r.id, k.kind, now() + k.days * interval '1 day', now() + k.days * interval '1 day'
FROM interventions_round AS r JOIN interventions_programme AS q ON q.id = r.programme_id AND q.code = 'load',
     (VALUES ('needs', 30), ('proposals', 60), ('assessment', 70), ('decision', 80)) AS k (kind, days);
CREATE TEMPORARY TABLE load_place AS
SELECT row_number() OVER (ORDER BY c.code <> '{metropolis}', p.id) AS n, p.id, r.id AS round_id, o.id AS organisation_id,
       46 + (c.id % 40) * 0.35 + (substr(p.code, 2)::int - 1) % 20 * 0.004 AS lon,
       27 + (c.id / 40 % 40) * 0.3 + (substr(p.code, 2)::int - 1) / 20 * 0.004 AS lat
FROM geo_place AS p JOIN geo_place AS c ON c.id = p.parent_id
JOIN geo_place AS q ON q.path = split_part(p.path, '/', 1) || '/' || split_part(p.path, '/', 2)
JOIN interventions_round AS r ON r.place_id = q.id
JOIN interventions_organisation AS o ON o.place_id = q.id AND o.code = 'office'
WHERE p.kind = 'neighbourhood' AND p.path LIKE '{country}/%';
CREATE UNIQUE INDEX ON load_place (n);
CREATE TEMPORARY TABLE load_sector AS
SELECT row_number() OVER (ORDER BY position) AS n, id FROM interventions_sector WHERE code LIKE 'load-%';
ANALYZE load_place;
INSERT INTO geo_boundary (place_id, geometry, valid, status, source, source_fa, certainty, version, created_at)
SELECT id, ST_Multi(ST_MakeEnvelope(lon, lat, lon + 0.004, lat + 0.004, 4326)), '[2025-01-01,)', 'approved', 'made up', '', 'modelled', 1, now()
FROM load_place;
"""
_NEEDS = """
INSERT INTO interventions_need (
    approach, text_fa, text_en, severity, people_affected, state, reported_at, place_id, organisation_id, round_id,
    sector_id, search_text, ticket, version, geometry)
SELECT 'social', d.text, '', d.severity, d.people, d.state, now() - d.age * interval '200 days', p.id, p.organisation_id,
       CASE WHEN d.is_own THEN (SELECT r.id FROM interventions_round AS r JOIN geo_place AS c ON c.id = r.place_id
                                       WHERE c.code = '{metropolis}') ELSE p.round_id END,
       s.id, replace(d.text, '\u200c', ' '), gen_random_uuid(), 1,
       CASE WHEN d.age < 0.7 THEN ST_SetSRID(ST_MakePoint(p.lon + d.x * 0.004, p.lat + d.y * 0.004), 4326) END
FROM (SELECT i > {needs} AND i % 2 = 0 AS is_own,
             1 + CASE WHEN i > {needs} THEN floor(random() * {metropolis_places}) ELSE {metropolis_places} + floor(random() * {places}) END AS place,
             1 + floor(random() * 8)::int AS sector,
             1 + floor(random() * 5)::int AS severity, 1 + floor(random() * 400)::int AS people, random() AS age,
             random() AS x, random() AS y,
             (ARRAY['درمانگاه نیست', 'آب آشامیدنی نیست', 'راه خاکی است', 'مدرسه دور است', 'کنار علی\u200cآباد پل نیست'])[
                 1 + floor(random() * 4.02)::int] || ' ' || i AS text,
             (ARRAY['reported', 'confirmed', 'confirmed', 'confirmed', 'rejected'])[1 + floor(random() * 5)::int] AS state
      FROM generate_series(1, {needs} + {metropolis_needs}) AS i OFFSET 0) AS d
JOIN load_place AS p ON p.n = d.place JOIN load_sector AS s ON s.n = d.sector;
CREATE TEMPORARY TABLE load_need AS
SELECT row_number() OVER (ORDER BY c.code <> '{metropolis}', n.id) AS n,
       n.id, n.place_id, n.organisation_id, n.round_id, n.sector_id, n.state, n.reported_at, n.geometry
FROM interventions_need AS n JOIN geo_place AS p ON p.id = n.place_id JOIN geo_place AS c ON c.id = p.parent_id
WHERE n.sector_id IN (SELECT id FROM load_sector);
CREATE UNIQUE INDEX ON load_need (n);
ANALYZE load_need;
INSERT INTO interventions_logentry (
    at, actor_name, subject, subject_id, event, state_from, state_to, place_id, organisation_id, note, details)
SELECT n.reported_at, 'somebody', 'need', n.id, 'report', '', n.state, n.place_id, n.organisation_id, '', '{{}}' FROM load_need AS n;
"""
# The first of load_need are the metropolis's own.
_ANSWERED = "1 + CASE WHEN i > {all} THEN floor(random() * {metropolis_needs}) ELSE {metropolis_needs} + floor(random() * {needs}) END"
_PROPOSALS = f"""
CREATE TEMPORARY TABLE load_answer AS
SELECT i, {_ANSWERED.replace("{all}", "{proposals}")} AS need,
       (ARRAY['draft', 'submitted', 'submitted', 'accepted', 'refused'])[1 + floor(random() * 5)::int] AS state
FROM generate_series(1, {{proposals}} + {{metropolis_proposals}}) AS i;
INSERT INTO interventions_proposal (
    title_fa, title_en, cost_irr, effect_fa, effect_en, state, organisation_id, round_id, sector_id, effect, own_funding_irr,
    version, submitted_at, starts_on, ends_on, geometry)
SELECT 'طرح ' || a.i, '', 1e9, '', '', a.state, n.organisation_id, n.round_id, n.sector_id, '{{{{}}}}', 0, 1,
       CASE WHEN a.state <> 'draft' THEN now() END, current_date, current_date + 200, n.geometry
FROM load_answer AS a JOIN load_need AS n ON n.n = a.need;
INSERT INTO interventions_proposal_needs (proposal_id, need_id)
SELECT p.id, n.id FROM interventions_proposal AS p JOIN load_answer AS a ON p.title_fa = 'طرح ' || a.i
JOIN load_need AS n ON n.n = a.need;
INSERT INTO interventions_assessment (proposal_id, organisation_id, state, reason, asked_at)
SELECT id, organisation_id, 'asked', '', now() FROM interventions_proposal WHERE title_fa LIKE 'طرح %' AND state = 'submitted';
INSERT INTO interventions_decision (proposal_id, outcome, granted_irr, reason, decided_at, published_at)
SELECT id, state, CASE state WHEN 'accepted' THEN 1e9 ELSE 0 END, 'بررسی شد', now(), now()
FROM interventions_proposal WHERE title_fa LIKE 'طرح %' AND state IN ('accepted', 'refused');
INSERT INTO interventions_logentry (
    at, actor_name, subject, subject_id, event, state_from, state_to, place_id, organisation_id, note, details)
SELECT now(), 'somebody', 'proposal', p.id, 'submit', '', p.state, r.place_id, p.organisation_id, '', '{{{{}}}}'
FROM interventions_proposal AS p JOIN interventions_round AS r ON r.id = p.round_id WHERE p.title_fa LIKE 'طرح %';
"""
_ACTIONS = f"""
CREATE TEMPORARY TABLE load_work AS
SELECT i, {_ANSWERED.replace("{all}", "{actions}")} AS need,
       (ARRAY['planned', 'under-way', 'under-way', 'suspended', 'done', 'done', 'cancelled'])[1 + floor(random() * 7)::int]
           AS state,
       current_date - floor(random() * 300)::int AS starts, 30 + floor(random() * 700)::int AS lasts
FROM generate_series(1, {{actions}} + {{metropolis_actions}}) AS i;
INSERT INTO interventions_action (
    approach, title_fa, title_en, text_fa, text_en, starts_on, ends_on, state, done_on, budget_irr, spent_irr,
    people_targeted, people_reached, is_public, version, entered_at, organisation_id, place_id, sector_id, round_id, geometry)
SELECT 'social', 'اقدام ' || w.i, '', '', '', w.starts, w.starts + w.lasts, w.state,
       CASE WHEN w.state = 'done' THEN current_date END, 1e9, 0, 100, 0, w.i % 5 > 0, 1, now(),
       n.organisation_id, n.place_id, n.sector_id, n.round_id, n.geometry
FROM load_work AS w JOIN load_need AS n ON n.n = w.need;
INSERT INTO interventions_action_needs (action_id, need_id)
SELECT a.id, n.id FROM interventions_action AS a JOIN load_work AS w ON a.title_fa = 'اقدام ' || w.i
JOIN load_need AS n ON n.n = w.need WHERE w.i % 5 > 0;
INSERT INTO interventions_progress (action_id, reported_at, done_percent, spent_irr, people_reached, text)
SELECT id, now(), 40, 0, 0, '' FROM interventions_action WHERE title_fa LIKE 'اقدام %' AND state IN ('under-way', 'suspended');
INSERT INTO interventions_logentry (
    at, actor_name, subject, subject_id, event, state_from, state_to, place_id, organisation_id, note, details)
SELECT entered_at, 'somebody', 'action', id, 'enter', '', state, place_id, organisation_id, '', '{{{{}}}}'
FROM interventions_action WHERE title_fa LIKE 'اقدام %';
DROP TABLE load_place, load_sector, load_need, load_answer, load_work;
"""


@dataclass(frozen=True, slots=True)
class Size:
    """How much there is: a part of the country, and what the metropolis has: half of its needs are of the round of its province."""

    scale: float
    places: int = 350
    needs: int = 3_000
    proposals: int = 300
    actions: int = 800


def built(execute: Callable[[str], Any], size: Size, seed: float = 0.42) -> None:
    """Build the network in a database that has its tables and none of these places; the same seed builds the same.

    Parameters
    ----------
    execute
        Carries out one statement, all on one connection.
    """
    per_city = max(1, round(NEIGHBOURHOODS * size.scale / (PROVINCES * COUNTIES * CITIES)))
    numbers: dict[str, Any] = {
        "country": COUNTRY,
        "metropolis": METROPOLIS,
        "from_code": len(COUNTRY) + 2,
        "provinces": PROVINCES,
        "counties": COUNTIES,
        "cities": CITIES,
        "per_city": per_city,
        "places": per_city * (PROVINCES * COUNTIES * CITIES - 1),
        "needs": round(NEEDS * size.scale),
        "proposals": round(PROPOSALS * size.scale),
        "actions": round(ACTIONS * size.scale),
        "metropolis_places": size.places,
        "metropolis_needs": size.needs,
        "metropolis_proposals": size.proposals,
        "metropolis_actions": size.actions,
    }
    # One process draws all the numbers, in one order.
    execute("SET max_parallel_workers_per_gather = 0")
    execute(f"SELECT setseed({seed})")
    for statements in (_PLACES, _INSTITUTIONS, _NEEDS, _PROPOSALS, _ACTIONS):
        for statement in statements.format(**numbers).split(";\n"):
            if statement.strip():
                execute(statement)
    execute("RESET max_parallel_workers_per_gather")
