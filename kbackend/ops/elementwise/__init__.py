"""Functions that are applied element by element."""
