-- The features of a release whose box overlaps a tile and its margin: number, name, what maps draw by, services, geometry.
SELECT feature.number,
       feature.name,
       jsonb_build_array(feature.attributes -> %(attribute_0)s, feature.attributes -> %(attribute_1)s,
                         feature.attributes -> %(attribute_2)s, feature.attributes -> %(attribute_3)s,
                         feature.attributes -> %(attribute_4)s, feature.attributes -> %(attribute_5)s,
                         feature.attributes -> %(attribute_6)s)::text,
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
                       END, false))) END,
       ST_AsBinary(feature.geometry_3857)
  FROM {feature} AS feature
 WHERE feature.release_id = %(release)s::bigint
   AND feature.shelf = %(shelf)s::bigint
   AND feature.geometry_3857 && ST_MakeEnvelope(%(west)s, %(south)s, %(east)s, %(north)s, 3857)
   AND (%(numbers)s::integer[] IS NULL OR feature.number = ANY (%(numbers)s::integer[]))
 LIMIT %(most)s
