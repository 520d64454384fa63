"""Reductions over axes, positions of extremes, and cumulative sums and products."""
