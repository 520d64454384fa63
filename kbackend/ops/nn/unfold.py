"""Windows of images and signals cut out and put back."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from kbackend.declare.decorate import derived
from kbackend.declare.op import TensorLike
from kbackend.declare.sample import In, call
from kbackend.ops.arrays.pad import pad_constant
from kbackend.ops.arrays.reshape import extent, reshape
from kbackend.ops.arrays.transpose import permute_dimensions
from kbackend.ops.indexing.gather import gather
from kbackend.ops.linalg.matmul import matrix_multiply
from kbackend.ops.nn.pooling import _numpy_float, _places
from kbackend.ops.nn.windows import integers


@derived(tolerance="moving", samples=lambda: [
    call(In((2, 3, 5, 6)), (2, 3)), call(In((2, 3, 5, 6)), 2, 2, 1, (2, 1), name="all options"),
    call(In((2, 5, 6)), 2, raises=ValueError, name="rank")])
def unfold(x: TensorLike, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> Any:
    """The windows of images as columns.

    Args:
        x: ``(batch, channels, rows, columns)``.
        kernel_size, dilation, padding, stride: an integer or two.

    Returns:
        ``(batch, channels * window rows * window columns, windows)``.

    Raises:
        ValueError: another rank, a window that does not fit.
    """
    if len(x.shape) != 4:
        raise ValueError(f"unfold takes (batch, channels, rows, columns), x has the shape {tuple(x.shape)}")
    window, spread, step = (integers("kernel_size, dilation, stride", v, 2) for v in (kernel_size, dilation, stride))
    pad = integers("padding", padding, 2, 0)
    padded = pad_constant(x, ((0, 0), (0, 0), (pad[0], pad[0]), (pad[1], pad[1]))) if any(pad) else x
    rows, columns = (_places(x.shape[2 + i], window[i], spread[i], pad[i], step[i]) for i in range(2))
    found = gather_axis(gather_axis(padded, rows.ravel(), 2), columns.ravel(), 3)
    batch = x.shape[0] if x.shape[0] is not None else -1
    found = reshape(found, (batch, x.shape[1], *rows.shape, *columns.shape))
    found = permute_dimensions(found, (0, 1, 2, 4, 3, 5))
    return reshape(found, (batch, x.shape[1] * math.prod(window), rows.shape[1] * columns.shape[1]))


def gather_axis(x: Any, indices: np.ndarray, axis: int) -> Any:
    """Slices of x at fixed places along an axis."""
    if axis == 0:
        return gather(x, indices)
    rank = len(x.shape)
    order = [axis, *(a for a in range(rank) if a != axis)]
    back = [*range(1, axis + 1), 0, *range(axis + 1, rank)]
    return permute_dimensions(gather(permute_dimensions(x, order), indices), back)


@derived(tolerance="reduction", samples=lambda: [
    call(In((2, 18, 16)), (5, 6), (2, 3), dynamic=False),
    call(In((2, 12, 12)), (5, 6), 2, 1, 1, (2, 1), dynamic=False, name="windows that do not fit", raises=ValueError),
    call(In((2, 8, 9)), (5, 6), 2, 2, 1, (2, 2), dynamic=False, name="dilation and stride")])
def fold(x: TensorLike, output_size: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0,
         stride: Any = 1) -> Any:
    """Sums columns of windows back into images: the transpose of :func:`unfold`.

    Args:
        x: ``(batch, channels * window rows * window columns, windows)``.
        output_size: rows and columns of the images.
        kernel_size, dilation, padding, stride: as those of ``unfold``.

    Returns:
        ``(batch, channels, rows, columns)``.

    Raises:
        ValueError: shapes that do not fit.
    """
    if len(x.shape) != 3:
        raise ValueError(f"fold takes (batch, values, windows), x has the shape {tuple(x.shape)}")
    size, window = integers("output_size", output_size, 2), integers("kernel_size", kernel_size, 2)
    spread, step = integers("dilation", dilation, 2), integers("stride", stride, 2)
    pad = integers("padding", padding, 2, 0)
    places = [_places(size[i], window[i], spread[i], pad[i], step[i]) for i in range(2)]
    windows, values = places[0].shape[1] * places[1].shape[1], math.prod(window)
    if x.shape[1] is None or x.shape[1] % values or x.shape[2] not in (None, windows):
        raise ValueError(f"x of shape {tuple(x.shape)} does not hold {windows} windows of {values} values a channel")
    batch = x.shape[0] if x.shape[0] is not None else -1
    channels = x.shape[1] // values
    parts = reshape(x, (batch, channels, *window, places[0].shape[1], places[1].shape[1]))
    parts = permute_dimensions(parts, (0, 1, 2, 4, 3, 5))
    parts = reshape(parts, (batch, channels, places[0].size, places[1].size))
    rows, columns = (_spreading(p, n, m, x) for p, n, m in zip(places, size, pad))
    return matrix_multiply(matrix_multiply(rows, parts), columns.T)


def _spreading(places: np.ndarray, size: int, pad: int, x: Any) -> np.ndarray:
    """The 0-1 matrix that adds values to their places in an axis."""
    matrix = np.zeros((size + 2 * pad, places.size), _numpy_float(x))
    matrix[places.ravel(), np.arange(places.size)] = 1.0
    return matrix[pad : pad + size]


@derived(tolerance="moving", samples=lambda: [
    call(In((2, 9)), 4, 2), call(In((7,)), 3, 1, dynamic=False), call(In((2, 3)), 4, 1, raises=ValueError)])
def extract_sequences(x: TensorLike, sequence_length: int, sequence_stride: int) -> Any:
    """Windows of the last axis, ``(..., windows, sequence_length)``.

    Raises:
        ValueError: a window that does not fit.

    >>> import numpy as np
    >>> from kbackend import K
    >>> from kbackend.ops import extract_sequences
    >>> K.eval(extract_sequences(np.arange(5.0), 3, 2)).tolist()
    [[0.0, 1.0, 2.0], [2.0, 3.0, 4.0]]
    """
    places = _places(x.shape[-1], sequence_length, 1, 0, sequence_stride).T
    rank = len(x.shape)
    found = gather_axis(x, places.ravel(), rank - 1)
    lead = [-1 if d is None else d for d in x.shape[:-1]]
    if lead.count(-1) > 1:
        lead = [extent(x, (a,)) if d is None else d for a, d in enumerate(x.shape[:-1])]
    return reshape(found, (*lead, *places.shape))


__all__ = ["extract_sequences", "fold", "unfold"]
