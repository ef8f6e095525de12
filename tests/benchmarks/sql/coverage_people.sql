-- As coverage_united, and the people of each place within reach, from points in the table bench_people: each is in one place.
CREATE TEMPORARY TABLE bench_place ON COMMIT DROP AS
SELECT id, ST_Transform(geometry, %(epsg)s::int) AS geom FROM geo_boundary WHERE id = ANY(%(editions)s);
CREATE TEMPORARY TABLE bench_reach ON COMMIT DROP AS
SELECT
    s.release_id,
    ST_Subdivide(ST_Union(ST_Buffer(ST_Transform(f.geometry, %(epsg)s::int), s.threshold_m)), 200) AS geom
FROM unnest(%(releases)s::bigint[], %(thresholds_m)s::float8[]) AS s(release_id, threshold_m)
JOIN layers_feature AS f ON f.release_id = s.release_id
GROUP BY s.release_id;
CREATE TEMPORARY TABLE bench_home ON COMMIT DROP AS
SELECT p.id, h.people, h.geom FROM bench_place AS p JOIN bench_people AS h ON ST_Intersects(p.geom, h.geom);
CREATE INDEX ON bench_reach USING gist (geom);
CREATE INDEX ON bench_home USING gist (geom);
ANALYZE bench_place;
ANALYZE bench_reach;
ANALYZE bench_home;
WITH land AS (
    SELECT p.id, r.release_id, sum(ST_Area(ST_Intersection(p.geom, r.geom))) / ST_Area(p.geom) AS area_share
    FROM bench_place AS p JOIN bench_reach AS r ON ST_Intersects(p.geom, r.geom)
    GROUP BY p.id, p.geom, r.release_id
), reached AS (
    SELECT h.id, r.release_id, sum(h.people) AS people
    FROM bench_reach AS r JOIN bench_home AS h ON ST_Intersects(r.geom, h.geom)
    GROUP BY h.id, r.release_id
), living AS (
    SELECT id, sum(people) AS people FROM bench_home GROUP BY id
)
SELECT land.id, land.release_id, land.area_share, coalesce(reached.people / living.people, 0) AS population_share
FROM land LEFT JOIN reached USING (id, release_id) LEFT JOIN living USING (id);
