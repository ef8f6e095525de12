-- The fields of a release's attributes, and which types of value each has beside none.
SELECT field.key, array_agg(DISTINCT jsonb_typeof(field.value)) FILTER (WHERE jsonb_typeof(field.value) <> 'null')
  FROM {feature} AS feature, jsonb_each(feature.attributes) AS field
 WHERE feature.release_id = %(release)s::bigint AND feature.shelf = %(shelf)s::bigint
 GROUP BY field.key
 ORDER BY min(feature.number), field.key
