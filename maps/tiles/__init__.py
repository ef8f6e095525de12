"""Vector tiles of places and layers, and terrain tiles, drawn from the database one statement a tile."""
