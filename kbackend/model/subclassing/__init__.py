"""Models that define their call and their steps."""
