"""Pages of rounds: who owes what by when."""
