"""Calls that depend on the learning phase, and calls as functions of weights."""
