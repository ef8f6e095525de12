"""Pages of proposals: the list, the form, one proposal."""
