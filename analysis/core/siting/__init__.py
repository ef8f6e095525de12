"""Where to build: chosen sites, proven to be the best or with the gap that is left."""
