"""Datasets of batches from arrays, series and folders, and the workers that make batches ahead."""
