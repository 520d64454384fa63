"""Neural networks: activations, convolutions, normalizations, attention."""
