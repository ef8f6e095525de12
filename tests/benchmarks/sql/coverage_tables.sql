-- The same on indexed temporary tables with statistics, so that the planner joins by index.
CREATE TEMPORARY TABLE bench_place ON COMMIT DROP AS
SELECT id, ST_Transform(geometry, %(epsg)s::int) AS geom FROM geo_boundary WHERE id = ANY(%(editions)s);
CREATE TEMPORARY TABLE bench_facility ON COMMIT DROP AS
SELECT s.release_id, s.threshold_m, ST_Transform(f.geometry, %(epsg)s::int) AS geom
FROM unnest(%(releases)s::bigint[], %(thresholds_m)s::float8[]) AS s(release_id, threshold_m)
JOIN layers_feature AS f ON f.release_id = s.release_id;
CREATE INDEX ON bench_place USING gist (geom);
CREATE INDEX ON bench_facility USING gist (geom);
ANALYZE bench_place;
ANALYZE bench_facility;
SELECT
    p.id,
    f.release_id,
    ST_Area(ST_Intersection(p.geom, ST_Union(ST_Buffer(f.geom, f.threshold_m)))) / ST_Area(p.geom) AS area_share
FROM bench_place AS p JOIN bench_facility AS f ON ST_DWithin(p.geom, f.geom, f.threshold_m)
GROUP BY p.id, p.geom, f.release_id;
