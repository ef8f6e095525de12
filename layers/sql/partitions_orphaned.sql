-- Tables of large releases whose release is gone. What a transaction that is still open has made is not seen.
SELECT c.relname
FROM pg_class AS c
WHERE c.relkind = 'r'
  AND pg_table_is_visible(c.oid)
  AND c.relname ~ ('^' || %(features)s || '_[0-9]{{1,18}}$')
  AND NOT EXISTS (
      SELECT 1 FROM layers_release AS r WHERE r.shelf = substring(c.relname FROM '[0-9]+$')::bigint
  )
ORDER BY c.oid
