"""Pages of capacities: what a place has and can give, recorded as needs are."""
