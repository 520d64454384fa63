"""Leaves, updates, gradients, creation, inspection and casts."""
