"""Property-based tests: calls of ops drawn by Hypothesis; families.py has a function for each family of ops."""
