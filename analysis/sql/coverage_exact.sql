-- The slow exact method: share of each place's land within a straight-line threshold of each service.
-- All facilities of a service are buffered and united once, in the city's UTM zone (metres); the union is cut into parts of
-- few vertices, which share no land, so that the places' shares of them add up.
-- %(editions)s: ids of the boundary editions; %(services)s: JSON list of objects with "n", "release", "where", "threshold_m";
-- %(epsg)s: the UTM zone; %(sagitta_m)s: how far a buffer's straight pieces may lie inside the true circle.
-- Places that no buffer meets get no row: their share is 0.
WITH places AS MATERIALIZED (
    SELECT id, ST_Transform(geometry, %(epsg)s::int) AS geom FROM {boundaries} WHERE id = ANY(%(editions)s)
), services AS (
    SELECT n, release, "where", threshold_m,
        -- A piece that spans the angle a lies r·a²/8 inside the circle in its middle.
        ceil(pi() / 4 / sqrt(2 * %(sagitta_m)s::float8 / threshold_m))::int AS segments_per_quarter
    FROM jsonb_to_recordset(%(services)s::jsonb) AS s(n int, release bigint, "where" jsonb, threshold_m float8)
), reaches AS MATERIALIZED (
    SELECT s.n, ST_Subdivide(ST_Union(
        ST_Buffer(ST_Transform(f.geometry, %(epsg)s::int), s.threshold_m, greatest(s.segments_per_quarter, 8))
    ), 200) AS geom
    FROM services AS s JOIN {features} AS f ON f.release_id = s.release AND f.shelf IN (0, s.release) AND NOT EXISTS (
        SELECT FROM jsonb_each(s."where") AS w(key, wanted)
        WHERE NOT CASE jsonb_typeof(w.wanted) WHEN 'array' THEN w.wanted @> (f.attributes -> w.key)
                  ELSE f.attributes -> w.key = w.wanted END IS TRUE
    )
    GROUP BY s.n
)
SELECT p.id, r.n, sum(ST_Area(ST_Intersection(p.geom, r.geom))) / ST_Area(p.geom) AS area_share
FROM places AS p JOIN reaches AS r ON ST_Intersects(p.geom, r.geom)
GROUP BY p.id, p.geom, r.n
