COALESCE(
    ST_AsMVTGeom(%(expressions)s, ST_TileEnvelope(%(z)s, %(x)s, %(y)s), %(extent)s, %(buffer)s, true),
    (SELECT ST_AsMVTGeom(
                CASE ST_Dimension(%(expressions)s)
                    WHEN 2 THEN ST_Expand(spot.p, %(unit_m)s)
                    WHEN 1 THEN ST_MakeLine(spot.p, ST_Translate(spot.p, %(unit_m)s, 0))
                END,
                ST_TileEnvelope(%(z)s, %(x)s, %(y)s), %(extent)s, %(buffer)s, true)
       FROM (SELECT ST_PointOnSurface(
                        CASE WHEN %(expressions)s @ ST_TileEnvelope(%(z)s, %(x)s, %(y)s) THEN %(expressions)s
                             ELSE ST_Intersection(%(expressions)s, ST_TileEnvelope(%(z)s, %(x)s, %(y)s)) END) AS p
             OFFSET 0) AS spot
      WHERE NOT ST_IsEmpty(spot.p)))
