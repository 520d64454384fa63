"""What an op is: its declaration, the call that makes a node, samples, shapes and rules."""
