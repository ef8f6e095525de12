-- How each of the statements begins: the edit, and the neighbours around it by index. What follows is in their own files.
WITH edit AS MATERIALIZED (
    SELECT
        b.id,
        ST_Expand(ST_Collect(b.geometry, d.geom), 2e-5) AS box,
        ST_Transform(b.geometry, %(epsg)s::int) AS before,
        ST_Transform(d.geom, %(epsg)s::int) AS drawn
    FROM geo_boundary AS b, (SELECT ST_GeomFromWKB(%(drawn)s, 4326) AS geom) AS d
    WHERE b.id = %(edition)s
), near AS MATERIALIZED (
    SELECT p.code, ST_Transform(o.geometry, %(epsg)s::int) AS geom
    FROM edit JOIN geo_boundary AS o ON o.geometry && edit.box AND o.id <> edit.id
    JOIN geo_place AS p ON p.id = o.place_id
    WHERE o.status = 'approved' AND upper_inf(o.valid) AND p.kind = 'neighbourhood' AND p.path LIKE %(city)s
)
