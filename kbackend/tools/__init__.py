"""Tools around models: summary, pictures, comparison, the command line."""
