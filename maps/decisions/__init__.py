"""Pages of decisions: the table of those who decide, and what the public reads."""
