ALTER TABLE {partition} DROP CONSTRAINT feature_shelf
