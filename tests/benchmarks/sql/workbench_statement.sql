-- One edit snapped to its neighbours and checked, in one statement: neighbours by index; gaps against the union of all of them.
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
), snapped AS MATERIALIZED (
    SELECT before, ST_Snap(drawn, (SELECT ST_Collect(geom) FROM near), %(tolerance_m)s) AS after FROM edit
), found AS (
    SELECT 'overlap' AS kind, near.code, (ST_Dump(ST_CollectionExtract(ST_Intersection(after, geom), 3))).geom
    FROM snapped JOIN near ON ST_Intersects(after, geom) AND NOT ST_Touches(after, geom)
    UNION ALL
    SELECT
        'gap', '', (ST_Dump(ST_CollectionExtract(
            ST_Difference(before, ST_Union(after, (SELECT ST_Union(geom) FROM near))), 3
        ))).geom
    FROM snapped
)
SELECT kind, code, ST_Area(geom), ST_AsBinary(ST_Transform(geom, 4326))
FROM found
WHERE ST_Area(geom) > 0.15 AND 2 * (ST_MaximumInscribedCircle(geom)).radius > %(tolerance_m)s;
