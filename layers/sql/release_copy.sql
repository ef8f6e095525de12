-- The rows of one release once more, as those of another.
INSERT INTO {partition} (release_id, number, shelf, name, geometry, attributes)
SELECT %(new)s, f.number, %(new_shelf)s, f.name, f.geometry, f.attributes
FROM {features} AS f
WHERE f.release_id = %(old)s AND f.shelf = %(old_shelf)s
ORDER BY f.number
