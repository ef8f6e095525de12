"""Everything a person or a map client sees: pages, tiles, published maps."""
