"""Programs written by hand for NumPy and autograd."""
