"""Calls that Hypothesis draws: a family of ops a function, in families.py."""
