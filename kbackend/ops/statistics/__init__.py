"""Moments, quantiles, reductions without NaN, counts and differences."""
