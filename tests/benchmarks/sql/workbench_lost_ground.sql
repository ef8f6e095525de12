-- The same, but only the ground that the edit gives up is laid against neighbours, and against those alone that meet it.
, snapped AS MATERIALIZED (
    SELECT before, ST_Snap(drawn, (SELECT ST_Collect(geom) FROM near), %(tolerance_m)s) AS after FROM edit
), lost AS MATERIALIZED (
    SELECT (ST_Dump(ST_CollectionExtract(ST_Difference(before, after), 3))).geom FROM snapped
), open_ground AS (
    SELECT
        CASE WHEN taken.geom IS NULL THEN lost.geom ELSE ST_Difference(lost.geom, taken.geom) END AS geom
    FROM lost LEFT JOIN LATERAL (
        SELECT ST_Union(near.geom) AS geom FROM near
        WHERE ST_Intersects(near.geom, lost.geom) AND NOT ST_Touches(near.geom, lost.geom)
    ) AS taken ON true
    WHERE ST_Area(lost.geom) > 0.15
), found AS (
    SELECT 'overlap' AS kind, near.code, (ST_Dump(ST_CollectionExtract(ST_Intersection(after, geom), 3))).geom
    FROM snapped JOIN near ON ST_Intersects(after, geom) AND NOT ST_Touches(after, geom)
    UNION ALL
    SELECT 'gap', '', (ST_Dump(ST_CollectionExtract(geom, 3))).geom FROM open_ground
)
SELECT kind, code, ST_Area(geom), ST_AsBinary(ST_Transform(geom, 4326))
FROM found
WHERE ST_Area(geom) > 0.15 AND 2 * (ST_MaximumInscribedCircle(geom)).radius > %(tolerance_m)s;
