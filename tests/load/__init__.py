"""Many people drawing one city at once, against the real server and database, which may be killed meanwhile."""
