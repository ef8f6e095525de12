-- The features of a release whose box overlaps a tile and its margin, each column as one value: numbers; lengths of names, names;
-- what maps draw by, each as in tile_attribute.sql; services; lengths of geometries, geometries. The separator cannot stand in JSON.
COPY (
SELECT string_agg(int4send(number), ''::bytea),
       string_agg(int4send(octet_length(name)), ''::bytea),
       string_agg(name, ''),
       {attributes},
       string_agg(coalesce(services, ''), E'\x1f') FILTER (WHERE %(supplies)s),
       string_agg(int4send(length(wkb)), ''::bytea),
       string_agg(wkb, ''::bytea)
  FROM (SELECT feature.number,
               feature.name,
               feature.attributes,
               CASE WHEN %(supplies)s THEN (
                   SELECT ',' || string_agg(service.code, ',' ORDER BY service.code) || ','
                     FROM {supply} AS supply JOIN {service} AS service ON service.id = supply.service_id
                    WHERE supply.layer_id = %(layer)s
                      AND NOT EXISTS (
                          SELECT 1
                            FROM jsonb_each(supply."where") AS field
                           WHERE NOT COALESCE(
                               CASE jsonb_typeof(field.value)
                                   WHEN 'array' THEN field.value @> (feature.attributes -> field.key)
                                   ELSE field.value = (feature.attributes -> field.key)
                               END, false))) END AS services,
               ST_AsBinary(feature.geometry_3857, 'NDR') AS wkb
          FROM {feature} AS feature
         WHERE feature.release_id = %(release)s::bigint
           AND feature.shelf = %(shelf)s::bigint
           AND feature.geometry_3857 && ST_MakeEnvelope(%(west)s, %(south)s, %(east)s, %(north)s, 3857)
           AND (%(few)s::integer[] IS NULL OR feature.number = ANY (%(few)s::integer[]))
           AND (%(many)s::integer[] IS NULL OR feature.number IN (SELECT unnest(%(many)s::integer[])))
         LIMIT %(most)s) AS found
) TO STDOUT (FORMAT binary)
