(WITH cell AS MATERIALIZED (
    SELECT point.x, point.y, count(*) AS n FROM (%(subquery)s) AS point GROUP BY 1, 2)
 SELECT COALESCE(min(peak.z), %(deepest)s + 1)
   FROM (SELECT tile.z, max(tile.n) AS n
           FROM (SELECT level.z, sum(cell.n) AS n
                   FROM cell CROSS JOIN generate_series(0, %(deepest)s) AS level (z)
                  GROUP BY level.z, cell.x >> (%(deepest)s - level.z), cell.y >> (%(deepest)s - level.z)) AS tile
          GROUP BY tile.z) AS peak
  WHERE peak.n <= %(most)s)
