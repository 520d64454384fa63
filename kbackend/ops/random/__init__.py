"""Random draws with the same bits on every engine."""
