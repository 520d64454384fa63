"""Sliding windows of images and signals: extraction, and the sum of overlapping windows."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from kbackend.declare.decorate import derived
from kbackend.declare.op import TensorLike
from kbackend.declare.sample import In, call
from kbackend.ops.arrays.dims import lengths
from kbackend.ops.arrays.pad import pad_constant
from kbackend.ops.arrays.reshape import reshape
from kbackend.ops.arrays.transpose import permute_dimensions
from kbackend.ops.indexing.gather import gather
from kbackend.ops.linalg.matmul import matrix_multiply
from kbackend.ops.nn.pooling import numpy_float
from kbackend.ops.nn.windows import integers


@derived(tolerance="moving", samples=lambda: [
    call(In((2, 3, 5, 6)), (2, 3)), call(In((2, 3, 5, 6)), 2, 2, 1, (2, 1), name="all options"),
    call(In((2, 5, 6)), 2, raises=ValueError, name="rank")])
def unfold(x: TensorLike, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> Any:
    """Extract sliding windows of images as columns (PyTorch's ``unfold``, im2col).

    Args:
        x: ``(batch, channels, rows, columns)``, of known sizes except the batch.
        kernel_size: rows and columns of the window; an integer, or two.
        dilation, padding, stride: an integer, or two; ``padding`` zeros are added on both sides.

    Returns:
        ``(batch, channels * window rows * window columns, windows)``, with the windows in row-major order.

    Raises:
        ValueError: another rank, an unknown size, or a window that does not fit.

    >>> import numpy as np
    >>> from kbackend import K, ops
    >>> K.eval(ops.unfold(np.arange(4.0).reshape(1, 1, 2, 2), (1, 2)))[0].tolist()
    [[0.0, 2.0], [1.0, 3.0]]
    """
    if len(x.shape) != 4:
        raise ValueError(f"unfold needs (batch, channels, rows, columns), x has the shape {tuple(x.shape)}")
    window, spread, step = (integers("kernel_size, dilation, stride", v, 2) for v in (kernel_size, dilation, stride))
    pad = integers("padding", padding, 2, 0)
    padded = pad_constant(x, ((0, 0), (0, 0), (pad[0], pad[0]), (pad[1], pad[1]))) if any(pad) else x
    rows, columns = (_indices(x.shape[2 + i], window[i], spread[i], pad[i], step[i]) for i in range(2))
    found = gather_axis(gather_axis(padded, rows.ravel(), 2), columns.ravel(), 3)
    batch = x.shape[0] if x.shape[0] is not None else -1
    found = reshape(found, (batch, x.shape[1], *rows.shape, *columns.shape))
    found = permute_dimensions(found, (0, 1, 2, 4, 3, 5))
    return reshape(found, (batch, x.shape[1] * math.prod(window), rows.shape[1] * columns.shape[1]))


def _indices(size: int | None, window: int, dilation: int, pad: int, stride: int) -> np.ndarray:
    """(window, windows): the index in the padded axis of each element of each window."""
    if size is None:
        raise ValueError("unfold needs known sizes of rows and columns")
    count = (size + 2 * pad - (window - 1) * dilation - 1) // stride + 1
    if count < 1:
        raise ValueError(f"a window of {window} does not fit an axis of {size} with padding {pad}")
    return np.arange(window)[:, None] * dilation + np.arange(count) * stride


def gather_axis(x: Any, indices: Any, axis: int) -> Any:
    """The slices of x at a vector of indices along an axis."""
    if axis == 0:
        return gather(x, indices)
    rank = len(x.shape)
    order = [axis, *(a for a in range(rank) if a != axis)]
    back = [*range(1, axis + 1), 0, *range(axis + 1, rank)]
    return permute_dimensions(gather(permute_dimensions(x, order), indices), back)


@derived(tolerance="reduction", samples=lambda: [
    call(In((2, 18, 16)), (5, 6), (2, 3), dynamic=False),
    call(In((2, 12, 12)), (5, 6), 2, 1, 1, (2, 1), dynamic=False, name="windows that do not fit", raises=ValueError),
    call(In((2, 8, 9)), (5, 6), 2, 2, 1, (2, 2), dynamic=False, name="dilation and stride"),
    call(In((2, 18, 16)), (5, 6), (2, 3), dtypes=("bfloat16",), gradient=False, dynamic=False, name="bfloat16")])
def fold(x: TensorLike, output_size: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0,
         stride: Any = 1) -> Any:
    """Sum columns of windows into images, where windows overlap: the transpose of :func:`unfold` (col2im).

    Args:
        x: floats ``(batch, channels * window rows * window columns, windows)``.
        output_size: rows and columns of the images; an integer, or two.
        kernel_size, dilation, padding, stride: as in :func:`unfold`.

    Returns:
        ``(batch, channels, rows, columns)``.

    Raises:
        ValueError: another rank, or shapes that do not fit.

    >>> import numpy as np
    >>> from kbackend import K, ops
    >>> K.eval(ops.fold(np.ones((1, 2, 2)), (1, 3), (1, 2))).ravel().tolist()
    [1.0, 2.0, 1.0]
    """
    if len(x.shape) != 3:
        raise ValueError(f"fold needs (batch, values, windows), x has the shape {tuple(x.shape)}")
    size, window = integers("output_size", output_size, 2), integers("kernel_size", kernel_size, 2)
    spread, step = integers("dilation", dilation, 2), integers("stride", stride, 2)
    pad = integers("padding", padding, 2, 0)
    indices = [_indices(size[i], window[i], spread[i], pad[i], step[i]) for i in range(2)]
    windows, values = indices[0].shape[1] * indices[1].shape[1], math.prod(window)
    if x.shape[1] is None or x.shape[1] % values or x.shape[2] not in (None, windows):
        raise ValueError(f"x of shape {tuple(x.shape)} is not {windows} windows of {values} values for each channel")
    batch = x.shape[0] if x.shape[0] is not None else -1
    channels = x.shape[1] // values
    parts = reshape(x, (batch, channels, *window, indices[0].shape[1], indices[1].shape[1]))
    parts = permute_dimensions(parts, (0, 1, 2, 4, 3, 5))
    parts = reshape(parts, (batch, channels, indices[0].size, indices[1].size))
    rows, columns = (_scatter_matrix(i, n, m, x) for i, n, m in zip(indices, size, pad))
    return matrix_multiply(matrix_multiply(rows, parts), columns.T)


def _scatter_matrix(indices: np.ndarray, size: int, pad: int, x: Any) -> np.ndarray:
    """(size, elements): the 0-1 matrix that adds elements to their indices in an axis."""
    matrix = np.zeros((size + 2 * pad, indices.size), numpy_float(x))
    matrix[indices.ravel(), np.arange(indices.size)] = 1.0
    return matrix[pad : pad + size]


@derived(tolerance="moving", samples=lambda: [
    call(In((2, 9)), 4, 2), call(In((7,)), 3, 1, dynamic=False), call(In((2, 3)), 4, 1, raises=ValueError)])
def extract_sequences(x: TensorLike, sequence_length: int, sequence_stride: int) -> Any:
    """Extract sliding windows of the last axis.

    Args:
        x: a tensor ``(..., samples)`` with a known last dimension.
        sequence_length: the length of a window, in samples.
        sequence_stride: the distance between the starts of windows, in samples.

    Returns:
        ``(..., windows, sequence_length)``.

    Raises:
        ValueError: an unknown last dimension, or a window that does not fit.

    >>> import numpy as np
    >>> from kbackend import K
    >>> from kbackend.ops import extract_sequences
    >>> K.eval(extract_sequences(np.arange(5.0), 3, 2)).tolist()
    [[0.0, 1.0, 2.0], [2.0, 3.0, 4.0]]
    """
    indices = _indices(x.shape[-1], sequence_length, 1, 0, sequence_stride).T
    windows = gather_axis(x, indices.ravel(), len(x.shape) - 1)
    lead = [-1 if d is None else d for d in x.shape[:-1]]
    if lead.count(-1) > 1:
        lead = lengths(x)[:-1]
    return reshape(windows, (*lead, *indices.shape))


__all__ = ["extract_sequences", "fold", "unfold"]
