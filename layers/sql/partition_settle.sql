-- What is in a table of one release is told by few rows: boxes are spread over the city, all else is the same in all.
ALTER TABLE {partition}
    DROP CONSTRAINT feature_shelf,
    ALTER shelf SET STATISTICS 10,
    ALTER release_id SET STATISTICS 10,
    ALTER geometry_3857 SET STATISTICS 10
