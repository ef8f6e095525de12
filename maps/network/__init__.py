"""Pages of the network of a country: its provinces, their counties, their cities, side by side."""
