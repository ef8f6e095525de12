-- The boxes of a release's features, each column as one string of doubles: shares of the Web Mercator square, y from the north.
SELECT string_agg(float8send(number), ''::bytea),
       string_agg(float8send((ST_XMin(box) + 20037508.342789244) / 40075016.685578488), ''::bytea),
       string_agg(float8send((20037508.342789244 - ST_YMax(box)) / 40075016.685578488), ''::bytea),
       string_agg(float8send((ST_XMax(box) + 20037508.342789244) / 40075016.685578488), ''::bytea),
       string_agg(float8send((20037508.342789244 - ST_YMin(box)) / 40075016.685578488), ''::bytea)
  FROM (SELECT number, box3d(geometry_3857) AS box
          FROM {feature}
         WHERE release_id = %(release)s::bigint AND shelf = %(shelf)s::bigint AND geometry_3857 IS NOT NULL AND NOT ST_IsEmpty(geometry_3857)
        OFFSET 0) AS boxed
