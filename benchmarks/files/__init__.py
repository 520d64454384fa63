"""Saved models and checkpoints: cold starts, kills."""
