-- The slow exact method for people: of every area its people in proportion to the land that it shares with a place.
-- %(editions)s: ids of the boundary editions; %(release)s: the release of the areas; %(field)s: their field of people;
-- %(epsg)s: the UTM zone. Places that no area meets get no row: they have no people.
WITH places AS MATERIALIZED (
    SELECT id, ST_Transform(geometry, %(epsg)s::int) AS geom FROM {boundaries} WHERE id = ANY(%(editions)s)
), areas AS MATERIALIZED (
    SELECT ST_Transform(geometry, %(epsg)s::int) AS geom, (attributes ->> %(field)s)::float8 AS people
    FROM {features} WHERE release_id = %(release)s AND shelf IN (0, %(release)s)
)
SELECT p.id, sum(a.people * ST_Area(ST_Intersection(p.geom, a.geom)) / ST_Area(a.geom)) AS people
FROM places AS p JOIN areas AS a ON ST_Intersects(p.geom, a.geom) AND a.people > 0
GROUP BY p.id
