"""The catalogue: which data there are, what one layer holds, who uses it; described, hidden and put away by those who may."""
