"""Neural network ops: activations, convolution, pooling, normalization, attention, optimizer steps."""
