"""Database side of places: SQL loading, spatial expressions, base querysets."""
