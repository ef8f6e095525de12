-- A table for the rows of one large release: like the table of all features, and not yet part of it.
CREATE TABLE {partition} (
    LIKE {features} INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING GENERATED INCLUDING STORAGE,
    CONSTRAINT feature_shelf CHECK (shelf = {shelf})
)
