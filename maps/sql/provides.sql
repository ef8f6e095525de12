NOT EXISTS (
    SELECT 1
      FROM (VALUES (%(expressions)s)) AS pair (given, wanted), jsonb_each(pair.wanted) AS field
     WHERE NOT COALESCE(
        CASE jsonb_typeof(field.value)
            WHEN 'array' THEN field.value @> (pair.given -> field.key)
            ELSE field.value = (pair.given -> field.key)
        END, false))
