-- What tiles and boxes are found by.
CREATE INDEX ON {partition} USING gist (geometry_3857)
