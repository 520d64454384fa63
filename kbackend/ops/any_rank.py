"""Convolutions, pools and windows of any number of spatial dimensions, by the names of keras.ops."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from kbackend import config
from kbackend.ops import convolution as conv_ops
from kbackend.ops import elementwise as e
from kbackend.ops import reduction, shaping, transposed
from kbackend.ops.convolution import channels_last, integers, known_size, restored
from kbackend.ops.declare import TensorLike, derived
from kbackend.ops.dispatch import dtype_of
from kbackend.ops.indexing import gather, getitem
from kbackend.ops.linear import matmul
from kbackend.ops.sample import In, call

_CONVOLUTIONS = {1: conv_ops.conv1d, 2: conv_ops.conv2d, 3: conv_ops.conv3d}
_TRANSPOSES = {1: transposed.conv1d_transpose, 2: transposed.conv2d_transpose, 3: transposed.conv3d_transpose}


def _spatial_rank(x: Any) -> int:
    rank = len(np.shape(x) if not hasattr(x, "shape") else x.shape) - 2
    if rank not in (1, 2, 3):
        raise ValueError(f"one to three spatial dimensions are known, x has rank {rank + 2}")
    return rank


# ------------------------------------------------------------------------------------- convolutions


@derived(tolerance="matmul", samples=lambda: [
    call(In((2, 7, 3)), In((3, 3, 2)), 2, "same"),
    call(In((2, 5, 6, 3)), In((3, 2, 3, 4)), dilation_rate=2),
    call(In((2, 4)), In((3, 2, 3)), raises=ValueError, name="rank")])
def conv(inputs: TensorLike, kernel: TensorLike, strides: Any = 1, padding: str = "valid",
         data_format: str | None = None, dilation_rate: Any = 1) -> Any:
    """A convolution over one to three spatial dimensions; see ``K.conv2d``.

    Args:
        inputs: ``(batch, *spatial, channels)``, or ``(batch, channels, *spatial)`` for 'channels_first'.
        kernel: ``(*window, channels / groups, filters)``.
        strides, dilation_rate: an integer, or one for each spatial dimension.
        padding: 'valid' or 'same'.
        data_format: 'channels_last' or 'channels_first'; the default of the process when None.

    Raises:
        ValueError: shapes that do not fit; an unknown padding or data format.
    """
    return _CONVOLUTIONS[_spatial_rank(inputs)](inputs, kernel, strides, padding, data_format, dilation_rate)


@derived(tolerance="matmul", samples=lambda: [
    call(In((2, 4, 3)), In((3, 2, 3)), 2, "same"),
    call(In((2, 3, 4, 3)), In((3, 3, 2, 3)), 2, "valid", 1, name="output_padding"),
    call(In((2, 3, 4, 3)), In((3, 3, 2, 3)), 2, "valid", 2, raises=ValueError, name="as large as the stride")])
def conv_transpose(inputs: TensorLike, kernel: TensorLike, strides: Any = 1, padding: str = "valid",
                   output_padding: Any = None, data_format: str | None = None, dilation_rate: Any = 1) -> Any:
    """The transpose of a convolution; see ``K.conv2d_transpose``.

    Args:
        inputs: as those of :func:`conv`.
        kernel: ``(*window, filters, channels)``.
        strides, dilation_rate: an integer, or one for each spatial dimension.
        padding: 'valid' or 'same'.
        output_padding: the size along a dimension is ``(n - 1) * stride + window - 2 * pad + output_padding``, where
            pad is 0 for 'valid' and half of the window for 'same'. The size that Keras's layers choose when None.
        data_format: 'channels_last' or 'channels_first'; the default of the process when None.

    Raises:
        ValueError: shapes that do not fit; an output padding that is not smaller than the stride.
    """
    rank = _spatial_rank(inputs)
    first = config.normalize_data_format(data_format) == "channels_first"
    spatial: list[Any] = [None] * rank
    if output_padding is not None:
        spatial = _transposed_sizes(inputs.shape[2:] if first else inputs.shape[1:-1], kernel, strides, padding,
                                    output_padding, dilation_rate)
    filters = kernel.shape[-2]
    shape = [None, filters, *spatial] if first else [None, *spatial, filters]
    if rank == 3:
        if integers("dilation_rate", dilation_rate, 3) != (1, 1, 1):
            raise ValueError("a transposed convolution over three dimensions takes no dilation")
        return transposed.conv3d_transpose(inputs, kernel, shape, strides, padding, data_format)
    return _TRANSPOSES[rank](inputs, kernel, shape, strides, padding, data_format, dilation_rate)


def _transposed_sizes(sizes: Sequence[Any], kernel: Any, strides: Any, padding: str, extra: Any,
                      dilation: Any) -> list[int]:
    rank = len(sizes)
    steps, spread = integers("strides", strides, rank), integers("dilation_rate", dilation, rank)
    found = []
    for n, k, stride, d, more in zip(sizes, kernel.shape, steps, spread, integers("output_padding", extra, rank, 0)):
        if more >= stride:
            raise ValueError(f"output_padding {more} must be smaller than the stride {stride}")
        if n is None:
            raise ValueError("output_padding needs known spatial sizes")
        width = (known_size("output_padding", kernel, k) - 1) * d + 1
        found.append((n - 1) * stride + width - 2 * (width // 2 if padding == "same" else 0) + more)
    return found


@derived(tolerance="matmul", samples=lambda: [
    call(In((2, 7, 3)), In((3, 3, 2)), 1, "same", dynamic=False),
    call(In((2, 5, 6, 3)), In((3, 2, 3, 2)), dynamic=False)])
def depthwise_conv(inputs: TensorLike, kernel: TensorLike, strides: Any = 1, padding: str = "valid",
                   data_format: str | None = None, dilation_rate: Any = 1) -> Any:
    """A convolution of each channel by itself; ``kernel`` is ``(*window, channels, multiplier)``. See :func:`conv`."""
    rank = _spatial_rank(inputs)
    return conv_ops._depthwise(inputs, kernel, strides, padding, data_format, dilation_rate, rank)


@derived(tolerance="matmul", samples=lambda: [
    call(In((2, 7, 3)), In((3, 3, 2)), In((1, 6, 4)), dynamic=False),
    call(In((2, 5, 6, 3)), In((3, 2, 3, 2)), In((1, 1, 6, 4)), 1, "same", dynamic=False)])
def separable_conv(inputs: TensorLike, depthwise_kernel: TensorLike, pointwise_kernel: TensorLike, strides: Any = 1,
                   padding: str = "valid", data_format: str | None = None, dilation_rate: Any = 1) -> Any:
    """:func:`depthwise_conv` and then a convolution with a window of 1 over all its channels."""
    y = depthwise_conv(inputs, depthwise_kernel, strides, padding, data_format, dilation_rate)
    return conv(y, pointwise_kernel, 1, "valid", data_format)


# ------------------------------------------------------------------------------------- pools


@derived(tolerance="exact", samples=lambda: [
    call(In((2, 7, 3), distinct=True), 3, 2, "same"), call(In((2, 5, 6, 3), distinct=True), (2, 3))])
def max_pool(inputs: TensorLike, pool_size: Any, strides: Any = None, padding: str = "valid",
             data_format: str | None = None) -> Any:
    """The largest element of each window over one to three spatial dimensions; see ``K.pool2d``.

    Args:
        inputs: as those of :func:`conv`.
        pool_size: an integer, or one for each spatial dimension.
        strides: as pool_size; the pool size when None.
        padding: 'valid' or 'same'.
        data_format: 'channels_last' or 'channels_first'; the default of the process when None.
    """
    rank = _spatial_rank(inputs)
    return conv_ops._pool(inputs, pool_size, strides, padding, data_format, "max", rank)


@derived(tolerance="reduction", samples=lambda: [
    call(In((2, 7, 3)), 3, 2, "same"), call(In((2, 3, 5, 6)), (2, 3), data_format="channels_first")])
def average_pool(inputs: TensorLike, pool_size: Any, strides: Any = None, padding: str = "valid",
                 data_format: str | None = None) -> Any:
    """The mean of each window; padding does not count. See :func:`max_pool`."""
    rank = _spatial_rank(inputs)
    return conv_ops._pool(inputs, pool_size, strides, padding, data_format, "avg", rank)


def _parts(size: int | None, count: int) -> list[tuple[int, int]]:
    if size is None:
        raise ValueError("adaptive pools need known spatial sizes")
    if size == 0:
        raise ValueError("an axis without elements cannot be pooled")
    return [(i * size // count, -(-(i + 1) * size // count)) for i in range(count)]


@derived(tolerance="reduction", samples=lambda: [
    call(In((2, 7, 3)), 3), call(In((2, 5, 6, 3)), (2, 4), dynamic=False),
    call(In((2, 3, 5)), 0, raises=ValueError, name="no output")])
def adaptive_average_pool(inputs: TensorLike, output_size: Any, data_format: str | None = None) -> Any:
    """The means of windows that divide each spatial dimension into ``output_size`` parts, which may overlap by one.

    Args:
        inputs: as those of :func:`conv`; spatial sizes n are known.
        output_size: an integer, or one for each spatial dimension. Part i goes from ``floor(i n / size)`` to
            ``ceil((i + 1) n / size)``.
        data_format: 'channels_last' or 'channels_first'; the default of the process when None.

    >>> import numpy as np
    >>> from kbackend import K
    >>> from kbackend.ops.any_rank import adaptive_average_pool
    >>> K.eval(adaptive_average_pool(np.array([[[1.0], [2.0], [3.0]]]), 2)).ravel().tolist()
    [1.5, 2.5]
    """
    rank = _spatial_rank(inputs)
    x, first = channels_last(inputs, data_format)
    for axis, count in enumerate(integers("output_size", output_size, rank), 1):
        weights = np.zeros((count, x.shape[axis] or 0))
        for i, (start, stop) in enumerate(_parts(x.shape[axis], count)):
            weights[i, start:stop] = 1.0 / (stop - start)
        x = _along(x, axis, weights)
    return restored(x, first)


def _along(x: Any, axis: int, matrix: np.ndarray) -> Any:
    """``matrix`` times x along an axis."""
    rank = len(x.shape)
    order = [a for a in range(rank) if a != axis] + [axis]
    moved = matmul(shaping.permute_dimensions(x, order), matrix.T.astype(_numpy_float(x)))
    return shaping.permute_dimensions(moved, [*range(axis), rank - 1, *range(axis, rank - 1)])


def _numpy_float(x: Any) -> Any:
    dtype = dtype_of(x)
    return dtype if dtype in ("float16", "float32", "float64") else "float32"


@derived(tolerance="exact", samples=lambda: [
    call(In((2, 7, 3), distinct=True), 3), call(In((2, 5, 6, 2), distinct=True), (2, 4), dynamic=False)])
def adaptive_max_pool(inputs: TensorLike, output_size: Any, data_format: str | None = None) -> Any:
    """The largest elements of the windows of :func:`adaptive_average_pool`."""
    rank = _spatial_rank(inputs)
    x, first = channels_last(inputs, data_format)
    for axis, count in enumerate(integers("output_size", output_size, rank), 1):
        before = (slice(None),) * axis
        windows = (getitem(x, (*before, slice(*part))) for part in _parts(x.shape[axis], count))
        parts = [reduction.max_(window, axis=axis) for window in windows]
        x = shaping.stack(parts, axis=axis)
    return restored(x, first)


# ------------------------------------------------------------------------------------- windows


def _places(size: int | None, window: int, dilation: int, pad: int, stride: int) -> np.ndarray:
    """For each place in the window and each window the index in the padded axis."""
    if size is None:
        raise ValueError("unfold needs known sizes of rows and columns")
    count = (size + 2 * pad - (window - 1) * dilation - 1) // stride + 1
    if count < 1:
        raise ValueError(f"a window of {window} does not fit an axis of {size} with padding {pad}")
    return np.arange(window)[:, None] * dilation + np.arange(count) * stride


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
    padded = shaping.pad(x, ((0, 0), (0, 0), (pad[0], pad[0]), (pad[1], pad[1]))) if any(pad) else x
    rows, columns = (_places(x.shape[2 + i], window[i], spread[i], pad[i], step[i]) for i in range(2))
    found = gather_axis(gather_axis(padded, rows.ravel(), 2), columns.ravel(), 3)
    batch = x.shape[0] if x.shape[0] is not None else -1
    found = shaping.reshape(found, (batch, x.shape[1], *rows.shape, *columns.shape))
    found = shaping.permute_dimensions(found, (0, 1, 2, 4, 3, 5))
    return shaping.reshape(found, (batch, x.shape[1] * math.prod(window), rows.shape[1] * columns.shape[1]))


def gather_axis(x: Any, indices: np.ndarray, axis: int) -> Any:
    """Slices of x at fixed places along an axis."""
    if axis == 0:
        return gather(x, indices)
    rank = len(x.shape)
    order = [axis, *(a for a in range(rank) if a != axis)]
    back = [*range(1, axis + 1), 0, *range(axis + 1, rank)]
    return shaping.permute_dimensions(gather(shaping.permute_dimensions(x, order), indices), back)


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
    parts = shaping.reshape(x, (batch, channels, *window, places[0].shape[1], places[1].shape[1]))
    parts = shaping.permute_dimensions(parts, (0, 1, 2, 4, 3, 5))
    parts = shaping.reshape(parts, (batch, channels, places[0].size, places[1].size))
    rows, columns = (_spreading(p, n, m, x) for p, n, m in zip(places, size, pad))
    return matmul(matmul(rows, parts), columns.T)


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
    >>> from kbackend.ops.any_rank import extract_sequences
    >>> K.eval(extract_sequences(np.arange(5.0), 3, 2)).tolist()
    [[0.0, 1.0, 2.0], [2.0, 3.0, 4.0]]
    """
    places = _places(x.shape[-1], sequence_length, 1, 0, sequence_stride).T
    rank = len(x.shape)
    found = gather_axis(x, places.ravel(), rank - 1)
    lead = [-1 if d is None else d for d in x.shape[:-1]]
    if lead.count(-1) > 1:
        lead = [shaping.extent(x, (a,)) if d is None else d for a, d in enumerate(x.shape[:-1])]
    return shaping.reshape(found, (*lead, *places.shape))


@derived(tolerance="elementwise", samples=lambda: [
    call(In((3, 4)), In((3, 4)), 2.0), call(In((3, 4)), In((4,)), 1.0, raises=ValueError, name="shapes")])
def psnr(x1: TensorLike, x2: TensorLike, max_val: float) -> Any:
    """The peak signal-to-noise ratio in decibels, a scalar: ``20 log10(max_val) - 10 log10(mean((x1 - x2) ** 2))``.

    Raises:
        ValueError: x1 and x2 of different shapes.
    """
    if any(None not in (a, b) and a != b for a, b in zip(x1.shape, x2.shape)) or len(x1.shape) != len(x2.shape):
        raise ValueError(f"psnr compares tensors of one shape, these have {tuple(x1.shape)} and {tuple(x2.shape)}")
    error = reduction.mean(e.square(e.subtract(x1, x2)))
    return e.multiply(e.log(e.divide(float(max_val) ** 2, error)), 10.0 / math.log(10.0))


__all__ = [
    "adaptive_average_pool",
    "adaptive_max_pool",
    "average_pool",
    "conv",
    "conv_transpose",
    "depthwise_conv",
    "extract_sequences",
    "fold",
    "max_pool",
    "psnr",
    "separable_conv",
    "unfold",
]
