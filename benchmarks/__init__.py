"""Programs behind every speed figure of kbackend. Run `python -m benchmarks --help`."""
