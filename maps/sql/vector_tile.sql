(SELECT CASE WHEN count(*) <= %(most)s THEN ST_AsMVT(drawn, '%(name)s', %(extent)s, 'geom') END
   FROM (%(subquery)s) AS drawn
  WHERE drawn.geom IS NOT NULL)
