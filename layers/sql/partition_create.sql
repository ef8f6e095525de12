-- A table for the rows of one large release: like the table of all features, and not yet part of it.
--
-- Its key is kept as the rows come, in their order, which takes no longer than to build it afterwards, and is done while
-- the rows after them are still being read.
CREATE TABLE {partition} (
    LIKE {features} INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING GENERATED INCLUDING STORAGE,
    CONSTRAINT feature_shelf CHECK (shelf = {shelf}),
    PRIMARY KEY (shelf, release_id, number)
)
