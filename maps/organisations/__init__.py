"""Pages of who works in a city: organisations and their members, councils and committees."""
