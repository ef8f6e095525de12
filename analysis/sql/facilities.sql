-- The geometries of the features that provide a service, in the order of the file: as one value for every ten thousand of them
-- (a value can hold no more than a gigabyte), their well-known binary one after the other, and how many they are.
-- Rows of one geometry each would take longer to send and to read than all that is computed from them.
-- %(release)s: the release; %(wanted)s: objects any of which a feature's attributes contain, or NULL if every feature counts.
SELECT count(*), string_agg(ST_AsBinary(geometry, 'NDR'), ''::bytea ORDER BY number)
FROM {features}
WHERE release_id = %(release)s AND shelf IN (0, %(release)s)
    AND (%(wanted)s::jsonb[] IS NULL OR attributes @> ANY (%(wanted)s::jsonb[]))
GROUP BY number / 10000
ORDER BY number / 10000
