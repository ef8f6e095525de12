-- What one release of a layer has that the one before it has not, and the other way round.
--
-- Rows of both are the same thing where the key field says so; without one, where they have the same name at the same
-- place; and of what is left, where they have a name that is there once on either side. Things that are there several
-- times (the same key, or the same name at one place) are paired in the order of their rows.
WITH side AS (
    SELECT
        f.release_id = %(new)s AS is_new,
        f.number,
        f.name,
        f.geometry,
        f.attributes,
        nullif(f.attributes ->> %(key)s, '') AS mark,
        md5(ST_AsBinary(f.geometry)) AS shape
    FROM {features} AS f
    WHERE (f.release_id = %(new)s AND f.shelf = %(new_shelf)s) OR (f.release_id = %(old)s AND f.shelf = %(old_shelf)s)
),
known AS (
    SELECT side.*, CASE WHEN mark IS NULL THEN 'p' || shape || name ELSE 'k' || mark END AS identity FROM side
),
marked AS (
    SELECT known.*, row_number() OVER (PARTITION BY is_new, identity ORDER BY number) AS turn FROM known
),
exact AS (
    SELECT o.number AS old_number, n.number AS new_number
    FROM marked AS o
    JOIN marked AS n ON NOT o.is_new AND n.is_new AND o.identity = n.identity AND o.turn = n.turn
),
left_over AS (
    SELECT rest.*, count(*) OVER (PARTITION BY is_new, name) AS namesakes
    FROM (
        SELECT m.is_new, m.number, m.name FROM marked AS m LEFT JOIN exact AS e ON e.old_number = m.number
        WHERE NOT m.is_new AND e.old_number IS NULL AND m.mark IS NULL AND m.name <> ''
        UNION ALL
        SELECT m.is_new, m.number, m.name FROM marked AS m LEFT JOIN exact AS e ON e.new_number = m.number
        WHERE m.is_new AND e.new_number IS NULL AND m.mark IS NULL AND m.name <> ''
    ) AS rest
),
paired AS (
    SELECT old_number, new_number FROM exact
    UNION ALL
    SELECT o.number, n.number
    FROM left_over AS o
    JOIN left_over AS n ON NOT o.is_new AND n.is_new AND o.name = n.name AND o.namesakes = 1 AND n.namesakes = 1
),
compared AS (
    SELECT
        CASE
            WHEN p.old_number IS NULL THEN 'added'
            WHEN p.new_number IS NULL THEN 'removed'
            WHEN o.shape <> n.shape AND ST_Distance(
                ST_Centroid(o.geometry)::geography, ST_Centroid(n.geometry)::geography
            ) > %(moved_m)s THEN 'moved'
            WHEN o.shape <> n.shape OR o.name <> n.name OR o.attributes <> n.attributes THEN 'changed'
            ELSE 'unchanged'
        END AS what,
        coalesce(n.number, o.number) AS number,
        o.number AS old_number,
        coalesce(n.mark, o.mark) AS mark,
        coalesce(n.name, o.name) AS name,
        coalesce(n.geometry, o.geometry) AS geometry
    FROM (
        SELECT old_number, new_number FROM paired
        UNION ALL
        SELECT m.number, NULL FROM marked AS m LEFT JOIN paired AS p ON p.old_number = m.number
        WHERE NOT m.is_new AND p.old_number IS NULL
        UNION ALL
        SELECT NULL, m.number FROM marked AS m LEFT JOIN paired AS p ON p.new_number = m.number
        WHERE m.is_new AND p.new_number IS NULL
    ) AS p
    LEFT JOIN marked AS o ON NOT o.is_new AND o.number = p.old_number
    LEFT JOIN marked AS n ON n.is_new AND n.number = p.new_number
),
counted AS (
    SELECT compared.*, row_number() OVER (PARTITION BY what ORDER BY number) AS position, count(*) OVER (PARTITION BY what) AS n
    FROM compared
)
SELECT
    what,
    n,
    number,
    old_number,
    mark,
    name,
    ST_X(ST_PointOnSurface(geometry)),
    ST_Y(ST_PointOnSurface(geometry))
FROM counted
WHERE position <= CASE WHEN what = 'unchanged' THEN 1 ELSE %(examples)s END
ORDER BY what, position
