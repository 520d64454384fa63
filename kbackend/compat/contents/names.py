"""Functions that Keras 2.3 had and that are methods of models now."""

from __future__ import annotations

from typing import Any


def save_model(model: Any, filepath: Any, overwrite: bool = True, include_optimizer: bool = True) -> None:
    """Write a model to a file; ``model.save`` of the same arguments."""
    model.save(filepath, overwrite=overwrite, include_optimizer=include_optimizer)


def print_summary(
    model: Any, line_length: int | None = None, positions: Any = None, print_fn: Any = None
) -> None:
    """Print the layers of a model; ``model.summary`` of the same arguments."""
    model.summary(line_length=line_length, positions=positions, print_fn=print_fn)


__all__ = ["print_summary", "save_model"]
