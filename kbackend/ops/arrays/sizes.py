"""Shapes as arguments: integers, -1, symbolic integer scalars, or one integer vector."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from kbackend import dtypes
from kbackend.declare.call import to_numpy
from kbackend.declare.static_values import static_value
from kbackend.graph.tensor import Shape, Tensor, TensorSpec

Entry = int | Tensor


def entries(shape: Any) -> list[Entry]:
    """The dimensions of a shape: integers, and tensors for those that are unknown while the graph is built.

    Args:
        shape: a list of integers and integer scalars, or an integer vector; symbolic or not.

    Raises:
        TypeError: an entry that is not an integer.
        ValueError: None among the entries, or a vector of unknown length.
    """
    if isinstance(shape, Tensor):
        return _vector_entries(shape)
    if not isinstance(shape, (list, tuple)):
        shape = to_numpy(shape).reshape(-1).tolist()
    return [_entry(e, shape) for e in shape]


def _vector_entries(shape: Tensor) -> list[Entry]:
    if not dtypes.is_integer(shape.dtype):
        raise TypeError(f"a shape must hold integers, {shape!r} does not")
    if shape.ndim == 0:
        return [_entry(shape, shape)]
    if shape.ndim != 1 or shape.shape[0] is None:
        raise ValueError(f"a shape must be a vector of known length, it is {shape!r}")
    known = static_value(shape)
    known = [None] * shape.shape[0] if known is None else known
    return [shape[i] if value is None else value for i, value in enumerate(known)]


def _entry(entry: Any, shape: Any) -> Entry:
    if isinstance(entry, Tensor):
        if entry.ndim != 0 or not dtypes.is_integer(entry.dtype):
            raise TypeError(f"a dimension must be an integer scalar, it is {entry!r}")
        known = static_value(entry)
        return entry if known is None else known
    if entry is None:
        raise ValueError(
            f"the shape {shape} holds None; use -1 for the dimension to be inferred, "
            "or K.shape(x)[axis] for one that is known when the program runs"
        )
    if isinstance(entry, (bool, float)):
        raise TypeError(f"a dimension must be an integer, it is {entry!r}")
    if isinstance(entry, int):
        return entry
    value = to_numpy(entry)
    if value.size != 1 or not np.issubdtype(value.dtype, np.integer):
        raise TypeError(f"a dimension must be an integer, it is {entry!r}")
    return int(value.reshape(()))


def split_entries(found: Sequence[Entry]) -> tuple[list[Tensor], tuple[int | None, ...]]:
    """The tensors among the entries, and the entries with None in place of each tensor."""
    return (
        [e for e in found if isinstance(e, Tensor)],
        tuple(None if isinstance(e, Tensor) else int(e) for e in found),
    )


def check_sizes(sizes: Sequence[TensorSpec], pattern: Shape) -> None:
    """The rule of ops with ``sizes``: one integer scalar for each None of the pattern.

    Raises:
        ValueError: another number of sizes, or a size that is not an integer scalar.
    """
    if len(sizes) != sum(d is None for d in pattern):
        raise ValueError(f"{len(sizes)} sizes were given for the pattern {pattern}")
    for size in sizes:
        if size.shape != () or not dtypes.is_integer(size.dtype):
            raise ValueError(f"a size must be an integer scalar, it is {size}")
