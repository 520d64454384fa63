"""Training: what compile fixes, the steps as graphs, the loops over data, and measuring."""
