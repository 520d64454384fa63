"""How many threads an engine's kernels use: chosen by the user, or measured for each program."""
