"""The page that tells why a place stands where it does in an index, and what would move it."""
