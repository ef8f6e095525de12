"""Pages about change in boundaries: what is proposed, what a decision would do, what a place was, the city on a day."""
