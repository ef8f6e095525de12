-- One edit snapped to its neighbours and checked, in one statement: neighbours by index; gaps against the union of all of them.
, snapped AS MATERIALIZED (
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
