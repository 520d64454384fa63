"""Gathering kernels."""

from __future__ import annotations

from typing import Any

import numpy as np
from autograd.extend import defvjp

from kbackend_numpy.recording import primitive

# ---------------------------------------------------------------------- rows of an index


@primitive
def _rows(reference: Any, indices: Any) -> Any:
    return np.take(reference, indices, axis=0)


@primitive
def _add_rows(g: Any, indices: Any, shape: tuple[int, ...]) -> Any:
    """An array of zeros to which the rows of ``g`` are added at the indices."""
    result = np.zeros(shape, g.dtype)
    if not g.size:
        return result
    flat, rows = indices.reshape(-1), g.reshape(indices.size, *shape[1:])
    order = np.argsort(flat, kind="stable")
    numbers = flat[order]
    starts = np.flatnonzero(np.concatenate(([True], numbers[1:] != numbers[:-1])))
    # np.add.at takes several times as long for wide rows.
    result[numbers[starts]] = np.add.reduceat(rows[order], starts, axis=0)
    return result


defvjp(_rows, lambda ans, reference, indices: lambda g: _add_rows(g, indices, reference.shape), argnums=(0,))
defvjp(_add_rows, lambda ans, g, indices, shape: lambda h: _rows(h, indices), argnums=(0,))


def gather(reference: Any, indices: Any) -> Any:
    if indices.size and indices.min() < 0:
        raise IndexError(f"gather: index {indices.min()} is out of range for {reference.shape[0]} rows")
    return _rows(reference, indices)


@primitive
def take_along_axis(x: Any, indices: Any, axis: int) -> Any:
    return np.take_along_axis(x, indices, axis)


@primitive
def _add_along_axis(g: Any, indices: Any, axis: int, shape: tuple[int, ...]) -> Any:
    result = np.zeros(shape, g.dtype)
    positions = list(np.ogrid[tuple(slice(d) for d in indices.shape)])
    positions[axis] = indices
    np.add.at(result, tuple(positions), g)
    return result


defvjp(
    take_along_axis,
    lambda ans, x, indices, axis: lambda g: _add_along_axis(g, indices, axis, x.shape),
    argnums=(0,),
)
defvjp(
    _add_along_axis,
    lambda ans, g, indices, axis, shape: lambda h: take_along_axis(h, indices, axis),
    argnums=(0,),
)


KERNELS = {
    "gather": gather,
    "take_along_axis": take_along_axis,
}
