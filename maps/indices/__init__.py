"""The page on which an index of priority is made: indicators, weights and methods, with how sure each rank is."""
