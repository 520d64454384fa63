"""Training: the train step as a graph, the loop over data, callbacks."""
