-- Built when the rows are there: in one go, instead of row by row.
ALTER TABLE {partition} ADD PRIMARY KEY (shelf, release_id, number)
