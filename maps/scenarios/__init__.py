"""What if: changes tried on a city, kept as scenarios, and compared."""
