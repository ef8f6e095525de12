-- One statement: facilities joined to places by ST_DWithin, their buffers united per place, cut with it.
WITH places AS MATERIALIZED (
    SELECT id, ST_Transform(geometry, %(epsg)s::int) AS geom FROM geo_boundary WHERE id = ANY(%(editions)s)
), facilities AS MATERIALIZED (
    SELECT s.release_id, s.threshold_m, ST_Transform(f.geometry, %(epsg)s::int) AS geom
    FROM unnest(%(releases)s::bigint[], %(thresholds_m)s::float8[]) AS s(release_id, threshold_m)
    JOIN layers_feature AS f ON f.release_id = s.release_id
)
SELECT
    p.id,
    f.release_id,
    ST_Area(ST_Intersection(p.geom, ST_Union(ST_Buffer(f.geom, f.threshold_m)))) / ST_Area(p.geom) AS area_share
FROM places AS p JOIN facilities AS f ON ST_DWithin(p.geom, f.geom, f.threshold_m)
GROUP BY p.id, p.geom, f.release_id;
