-- The boxes of a release's features in Web Mercator metres, each column as one string of numbers.
COPY (
SELECT string_agg(int4send(number), ''::bytea),
       string_agg(float8send(ST_XMin(box)), ''::bytea),
       string_agg(float8send(ST_YMax(box)), ''::bytea),
       string_agg(float8send(ST_XMax(box)), ''::bytea),
       string_agg(float8send(ST_YMin(box)), ''::bytea)
  FROM (SELECT number, box3d(geometry_3857) AS box
          FROM {feature}
         WHERE release_id = %(release)s::bigint AND shelf = %(shelf)s::bigint AND geometry_3857 IS NOT NULL AND NOT ST_IsEmpty(geometry_3857)
        OFFSET 0) AS boxed
) TO STDOUT (FORMAT binary)
