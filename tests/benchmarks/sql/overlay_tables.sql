-- The same on indexed temporary tables with statistics.
CREATE TEMPORARY TABLE bench_place ON COMMIT DROP AS
SELECT id, ST_Transform(geometry, %(epsg)s::int) AS geom FROM geo_boundary WHERE id = ANY(%(editions)s);
CREATE TEMPORARY TABLE bench_feature ON COMMIT DROP AS
SELECT ST_Transform(geometry, %(epsg)s::int) AS geom FROM layers_feature WHERE release_id = %(release)s;
CREATE INDEX ON bench_feature USING gist (geom);
ANALYZE bench_place;
ANALYZE bench_feature;
SELECT
    p.id, count(*), ST_Area(ST_Intersection(p.geom, ST_Union(f.geom))) / ST_Area(p.geom) AS area_share
FROM bench_place AS p JOIN bench_feature AS f ON ST_Intersects(p.geom, f.geom) AND NOT ST_Touches(p.geom, f.geom)
GROUP BY p.id, p.geom;
