-- How many features of a release meet each place, and the share of its land under them, overlaps counted once.
WITH places AS MATERIALIZED (
    SELECT id, ST_Transform(geometry, %(epsg)s::int) AS geom FROM geo_boundary WHERE id = ANY(%(editions)s)
), features AS MATERIALIZED (
    SELECT ST_Transform(geometry, %(epsg)s::int) AS geom FROM layers_feature WHERE release_id = %(release)s
)
SELECT
    p.id, count(*), ST_Area(ST_Intersection(p.geom, ST_Union(f.geom))) / ST_Area(p.geom) AS area_share
FROM places AS p JOIN features AS f ON ST_Intersects(p.geom, f.geom) AND NOT ST_Touches(p.geom, f.geom)
GROUP BY p.id, p.geom;
