-- All that a save does: is the snapped shape valid; enclosed gaps and ground given up; overlaps; which of them were there before; on the
-- ellipsoid; slivers; a point inside; who lies around. Two things remain ours alone: a vertex is moved onto an edge where no
-- vertex is near (ST_Snap knows vertices only), and edges that two edited places share are moved for both.
, tried AS MATERIALIZED (
    SELECT before, drawn, ST_Snap(drawn, (SELECT ST_Collect(geom) FROM near), %(tolerance_m)s) AS after FROM edit
), snapped AS MATERIALIZED (
    SELECT before, CASE WHEN ST_IsValid(after) THEN after ELSE drawn END AS after FROM tried
), state AS MATERIALIZED (
    SELECT false AS is_after, before AS geom FROM snapped UNION ALL SELECT true, after FROM snapped
), covered AS MATERIALIZED (
    SELECT is_after, ST_Union(state.geom, (SELECT ST_Union(geom) FROM near)) AS geom FROM state
), enclosed AS (
    SELECT covered.is_after, ST_MakePolygon(ST_ExteriorRing(ring.geom)) AS geom
    FROM covered, ST_Dump(covered.geom) AS part, ST_DumpRings(part.geom) AS ring
    WHERE ring.path[1] > 0
), fault AS MATERIALIZED (
    SELECT is_after, 'gap' AS kind, '' AS code, (ST_Dump(ST_Union(geom))).geom
    FROM (
        SELECT is_after, geom FROM enclosed
        UNION ALL
        SELECT true, ST_CollectionExtract(ST_Difference(before, covered.geom), 3)
        FROM snapped JOIN covered ON covered.is_after
    ) AS open_ground
    GROUP BY is_after
    UNION ALL
    SELECT is_after, 'overlap', near.code, (ST_Dump(ST_CollectionExtract(ST_Intersection(state.geom, near.geom), 3))).geom
    FROM state JOIN near ON ST_Intersects(state.geom, near.geom) AND NOT ST_Touches(state.geom, near.geom)
), wide AS MATERIALIZED (
    SELECT fault.*, 2 * (ST_MaximumInscribedCircle(fault.geom)).radius AS width_m
    FROM fault JOIN snapped ON ST_DWithin(fault.geom, ST_Collect(snapped.before, snapped.after), 0.02)
    WHERE ST_Area(fault.geom) > 0.15
), found AS (
    SELECT * FROM wide WHERE is_after AND width_m > %(tolerance_m)s
)
SELECT
    found.kind,
    coalesce(nullif(found.code, ''), (
        SELECT string_agg(near.code, '+' ORDER BY ST_Length(ST_Intersection(ST_Boundary(found.geom), near.geom)) DESC)
        FROM near WHERE ST_DWithin(near.geom, found.geom, 0.02)
    )),
    ST_Area(ST_Transform(found.geom, 4326)::geography),
    ST_AsBinary(ST_Transform(found.geom, 4326)),
    found.width_m <= 1 AS is_sliver,
    ST_AsText(ST_Transform(ST_PointOnSurface(found.geom), 4326)),
    NOT EXISTS (
        SELECT 1 FROM wide AS old
        WHERE NOT old.is_after AND old.kind = found.kind AND old.width_m > %(tolerance_m)s
        AND ST_Area(ST_Difference(found.geom, old.geom)) < 0.15
    ) AS is_new
FROM found;
