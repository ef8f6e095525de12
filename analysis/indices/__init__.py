"""Indices of priority: computed from indicators, questioned, explained, weighed by institutions, published and kept."""
