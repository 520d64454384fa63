"""Programs written by hand for PyTorch."""
