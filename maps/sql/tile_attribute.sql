string_agg(coalesce(CASE WHEN %(is_plain_{n})s THEN attributes ->> %(attribute_{n})s ELSE (attributes -> %(attribute_{n})s)::text END, ''), E'\x1f')
           FILTER (WHERE %(attribute_{n})s::text IS NOT NULL)
