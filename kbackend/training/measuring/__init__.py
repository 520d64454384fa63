"""What is found out about the steps of a model: how they run fastest, the time of nodes, where engines differ."""
