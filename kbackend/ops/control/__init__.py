"""Branches, loops and functions inside graphs."""
