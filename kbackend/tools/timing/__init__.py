"""Timing models on engines, each engine in a process of its own, in turns."""
