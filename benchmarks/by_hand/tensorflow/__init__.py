"""Programs written by hand for TensorFlow."""
