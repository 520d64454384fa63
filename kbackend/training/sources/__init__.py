"""Where batches come from: arrays, iterables, datasets. A file a family, one interface for the loop."""
