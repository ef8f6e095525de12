-- The slow exact method: share of each place's land within a straight-line threshold of each service.
-- Buffers of the facilities near a place are united and cut with it, in the city's UTM zone (metres).
-- %(editions)s: ids of the boundary editions; %(services)s: JSON list of objects with "n", "release", "where", "threshold_m";
-- %(epsg)s: the UTM zone; %(segments)s: straight pieces per quarter circle.
-- Places without a facility near get no row: their share is 0.
WITH places AS MATERIALIZED (
    SELECT id, ST_Transform(geometry, %(epsg)s::int) AS geom FROM {boundaries} WHERE id = ANY(%(editions)s)
), services AS (
    SELECT * FROM jsonb_to_recordset(%(services)s::jsonb) AS s(n int, release bigint, "where" jsonb, threshold_m float8)
), facilities AS MATERIALIZED (
    SELECT s.n, s.threshold_m, ST_Transform(f.geometry, %(epsg)s::int) AS geom
    FROM services AS s JOIN {features} AS f ON f.release_id = s.release AND NOT EXISTS (
        SELECT FROM jsonb_each(s."where") AS w(key, wanted)
        WHERE NOT CASE jsonb_typeof(w.wanted) WHEN 'array' THEN w.wanted @> (f.attributes -> w.key)
                  ELSE f.attributes -> w.key = w.wanted END IS TRUE
    )
)
SELECT
    p.id,
    f.n,
    ST_Area(ST_Intersection(p.geom, ST_Union(ST_Buffer(f.geom, f.threshold_m, %(segments)s::int)))) / ST_Area(p.geom) AS area_share
FROM places AS p JOIN facilities AS f ON ST_DWithin(p.geom, f.geom, f.threshold_m)
GROUP BY p.id, p.geom, f.n
