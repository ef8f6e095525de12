"""Pages of weights: what institutions say counts, kept, compared, and taken into the index."""
