-- With all its rows at once. IF EXISTS: another transaction may have been first.
DROP TABLE IF EXISTS {partition}
