"""Several processes that run one program together: how they were started, and what they do beside programs."""
