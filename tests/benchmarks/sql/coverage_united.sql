-- All buffers of a service are united once and cut into parts of few vertices; the places' shares of the parts add up.
CREATE TEMPORARY TABLE bench_place ON COMMIT DROP AS
SELECT id, ST_Transform(geometry, %(epsg)s::int) AS geom FROM geo_boundary WHERE id = ANY(%(editions)s);
CREATE TEMPORARY TABLE bench_reach ON COMMIT DROP AS
SELECT
    s.release_id,
    ST_Subdivide(ST_Union(ST_Buffer(ST_Transform(f.geometry, %(epsg)s::int), s.threshold_m)), 200) AS geom
FROM unnest(%(releases)s::bigint[], %(thresholds_m)s::float8[]) AS s(release_id, threshold_m)
JOIN layers_feature AS f ON f.release_id = s.release_id
GROUP BY s.release_id;
CREATE INDEX ON bench_reach USING gist (geom);
ANALYZE bench_place;
ANALYZE bench_reach;
SELECT p.id, r.release_id, sum(ST_Area(ST_Intersection(p.geom, r.geom))) / ST_Area(p.geom) AS area_share
FROM bench_place AS p JOIN bench_reach AS r ON ST_Intersects(p.geom, r.geom)
GROUP BY p.id, p.geom, r.release_id;
