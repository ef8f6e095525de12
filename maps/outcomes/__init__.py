"""Pages of what changed: indicators before and after, in a city, a county, a province, the country; values entered and brought."""
