"""The ground floor: hooks, names, the active engine, atomic files."""
