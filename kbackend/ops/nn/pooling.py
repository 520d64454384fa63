"""Pooling over one to three spatial dimensions; padding as in :mod:`kbackend.ops.nn.conv`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from kbackend.declare.call import dtype_of
from kbackend.declare.decorate import derived, primitive
from kbackend.declare.op import TensorLike
from kbackend.declare.sample import In, Sample, call
from kbackend.graph.node import Node
from kbackend.graph.tensor import Tensor, TensorSpec
from kbackend.ops.arrays.join import stack
from kbackend.ops.arrays.transpose import permute_dimensions
from kbackend.ops.linalg.matmul import matrix_multiply
from kbackend.ops.nn.conv_any import _spatial_rank
from kbackend.ops.nn.relu import rectify
from kbackend.ops.nn.windows import (
    _spatial,
    channels_last,
    check_rank,
    checked_padding,
    float_only,
    integers,
    restored,
    spatial_rank,
)
from kbackend.ops.reduction.reductions import reduce_max


def _pool_attrs(specs: Sequence[Any], attrs: dict[str, Any]) -> dict[str, Any]:
    rank = spatial_rank(specs)
    window = integers("the window", attrs["window"], rank)
    strides = window if attrs["strides"] is None else integers("strides", attrs["strides"], rank)
    return {"window": window, "strides": strides, "padding": checked_padding(attrs["padding"], rank)}


def _pooled(x: TensorSpec, window: Any, strides: Any, padding: Any) -> TensorSpec:
    float_only(x)
    out = _spatial(x, window, strides, padding, (1,) * len(window))
    if padding != "same":
        for n, k, s, (lo, hi), count in zip(x.shape[1:-1], window, strides, padding, out):
            if lo >= k or hi >= k or n is not None and count is not None and (count - 1) * s - lo >= n:
                raise ValueError(f"padding {padding} makes windows of {window} without elements of x {x.shape}")
    return TensorSpec((x.shape[0], *out, x.shape[-1]), x.dtype)


def _pool_samples(**row: Any) -> list[Sample]:
    def x(*shape: int) -> In:
        return In(shape, distinct=True)

    return [
        call(x(2, 6, 4, 3), window=2, strides=None, padding="valid", name="whole windows"),
        call(x(2, 7, 5, 3), window=(3, 2), strides=(2, 1), padding="valid", name="overlapping"),
        call(x(2, 7, 6, 2), window=3, strides=2, padding="same", name="same"),
        call(x(2, 5, 6, 2), window=2, strides=2, padding="same", name="same, the odd pad at the end"),
        call(x(1, 5, 6, 2), window=(3, 4), strides=(1, 2), padding=((2, 0), (1, 3)),
             name="pairs of paddings"),
        call(x(2, 9, 3), window=3, strides=2, padding="same", name="one dimension"),
        call(x(2, 4, 5, 6, 2), window=2, strides=2, padding="same", name="three dimensions"),
        call(In((0, 4, 4, 2)), window=2, strides=2, padding="valid", name="empty batch", dynamic=False,
             gradient=False),  # TensorFlow's gradient of an empty max pool ends the process
        call(In((2, 4)), window=2, strides=1, padding="valid", raises=ValueError,
             name="no spatial dimension"),
        call(In((2, 2, 2, 1)), window=3, strides=1, padding="valid", raises=ValueError,
             name="window does not fit"),
        call(In((2, 4, 4, 1)), window=2, strides=1, padding=((2, 0), (0, 0)), raises=ValueError,
             name="only padding"),
    ]


def _max_pool_samples() -> list[Sample]:
    nan, inf = np.nan, np.inf
    with_nan = np.array([[1.0, nan, 2.0, 3.0, nan, nan, -inf, -inf, inf, -inf, 4.0, inf]]).reshape(1, 12, 1)
    ties = np.array([1.0, 1.0, 0.0, 0.0, 3.0, 2.0]).reshape(1, 6, 1)
    return [
        *_pool_samples(),
        call(In((1, 12, 1), values=with_nan), window=2, strides=2, padding="valid", row=5, gradient=False,
             dynamic=False, expect=np.array([nan, 3.0, nan, -inf, inf, inf]).reshape(1, 6, 1),
             name="NaN and infinities"),
        call(In((1, 12, 1, 1), values=with_nan.reshape(1, 12, 1, 1)), window=(3, 1), strides=(3, 1),
             padding="same", row=5, gradient=False, dynamic=False,
             expect=np.array([nan, nan, inf, inf]).reshape(1, 4, 1, 1), name="NaN in two dimensions"),
        call(In((1, 6, 1), values=ties), window=2, strides=2, padding="valid", name="ties: the first",
             expect_gradient=np.array([1.0, 0, 1, 0, 1, 0]).reshape(1, 6, 1), dynamic=False),
    ]


def _pool_before_relu(node: Node) -> Sequence[Tensor] | None:
    """The largest of rectified elements is the rectified largest, of which there are fewer."""
    (x,) = node.args
    if x.node.op is not rectify.op:
        return None
    pooled = node.op.apply(x.node.args, node.attrs)
    return (x.node.op.apply((pooled,), x.node.attrs),)


@primitive(name="max_pool", prepare=_pool_attrs, tolerance="exact", samples=_max_pool_samples,
           stable_form=_pool_before_relu)
def max_pool_windows(x: TensorLike, *, window: Any, strides: Any = None, padding: Any = "valid") -> TensorSpec:
    """The largest element of each window of ``(batch, *spatial, channels)``; NaN where it holds one.

    Args:
        window, strides: one integer, or one for each spatial dimension; ``strides`` None: the window.
        padding: 'valid', 'same' or pairs; padding is never chosen.

    The gradient goes to the first of the largest elements.
    """
    return _pooled(x, window, strides, padding)


@primitive(name="avg_pool", prepare=_pool_attrs, tolerance="reduction", samples=lambda: [
    *_pool_samples(),
    call(In((1, 3, 1), values=np.array([1.0, 3.0, 2.0]).reshape(1, 3, 1)), window=2, strides=2,
         padding="same", row=2, expect=np.array([2.0, 2.0]).reshape(1, 2, 1), dynamic=False,
         name="padding is not counted")])
def average_pool_windows(x: TensorLike, *, window: Any, strides: Any = None, padding: Any = "valid") -> TensorSpec:
    """The mean of each window of ``(batch, *spatial, channels)``; padding does not count.

    See :func:`max_pool`.
    """
    return _pooled(x, window, strides, padding)


def _pool(x: Any, window: Any, strides: Any, padding: Any, data_format: Any, mode: str, rank: int) -> Any:
    if mode not in ("max", "avg"):
        raise ValueError(f"unknown pool_mode {mode!r}; choose 'max' or 'avg'")
    x = x if hasattr(x, "shape") else np.asarray(x)
    check_rank(x, rank)
    x, first = channels_last(x, data_format)
    pool = max_pool_windows if mode == "max" else average_pool_windows
    return restored(pool(x, window=window, strides=strides, padding=padding), first)


@derived(samples=lambda: [call(In((2, 5, 6, 3), distinct=True), (2, 2), (2, 2), "same"),
                          call(In((2, 3, 5, 6)), 2, 1, "valid", "channels_first", "avg"),
                          call(In((2, 5, 6, 3)), 2, 1, "valid", None, "sum", raises=ValueError)])
def pool2d(x: TensorLike, pool_size: Any, strides: Any = (1, 1), padding: str = "valid",
           data_format: str | None = None, pool_mode: str = "max") -> Any:
    """The largest element or the mean of each window of rows and columns.

    Args:
        x: ``(batch, rows, columns, channels)``, or ``(batch, channels, rows, columns)`` for 'channels_first'.
        pool_size, strides: an integer or two.
        padding: 'valid' or 'same'; padding is never chosen and does not count.
        data_format: 'channels_last' or 'channels_first'; the default of the process when None.
        pool_mode: 'max' (NaN where the window holds one) or 'avg'.

    Raises:
        ValueError: an unknown padding, data format or mode; sizes that do not fit.
    """
    return _pool(x, pool_size, strides, padding, data_format, pool_mode, 2)


@derived(samples=lambda: [call(In((2, 4, 5, 6, 2), distinct=True), 2, 2, "same")])
def pool3d(x: TensorLike, pool_size: Any, strides: Any = (1, 1, 1), padding: str = "valid",
           data_format: str | None = None, pool_mode: str = "max") -> Any:
    """The largest element or the mean of each window of three spatial dimensions. See :func:`pool2d`."""
    return _pool(x, pool_size, strides, padding, data_format, pool_mode, 3)


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
    return _pool(inputs, pool_size, strides, padding, data_format, "max", rank)


@derived(tolerance="reduction", samples=lambda: [
    call(In((2, 7, 3)), 3, 2, "same"), call(In((2, 3, 5, 6)), (2, 3), data_format="channels_first")])
def average_pool(inputs: TensorLike, pool_size: Any, strides: Any = None, padding: str = "valid",
                 data_format: str | None = None) -> Any:
    """The mean of each window; padding does not count. See :func:`max_pool`."""
    rank = _spatial_rank(inputs)
    return _pool(inputs, pool_size, strides, padding, data_format, "avg", rank)


def _parts(size: int | None, count: int) -> list[tuple[int, int]]:
    if size is None:
        raise ValueError("adaptive pools need known spatial sizes")
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
    >>> from kbackend.ops import adaptive_average_pool
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
    moved = matrix_multiply(permute_dimensions(x, order), matrix.T.astype(_numpy_float(x)))
    return permute_dimensions(moved, [*range(axis), rank - 1, *range(axis, rank - 1)])


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
        windows = (x[*before, slice(*part)] for part in _parts(x.shape[axis], count))
        parts = [reduce_max(window, axis=axis) for window in windows]
        x = stack(parts, axis=axis)
    return restored(x, first)


def _places(size: int | None, window: int, dilation: int, pad: int, stride: int) -> np.ndarray:
    """For each place in the window and each window the index in the padded axis."""
    if size is None:
        raise ValueError("unfold needs known sizes of rows and columns")
    count = (size + 2 * pad - (window - 1) * dilation - 1) // stride + 1
    if count < 1:
        raise ValueError(f"a window of {window} does not fit an axis of {size} with padding {pad}")
    return np.arange(window)[:, None] * dilation + np.arange(count) * stride


__all__ = ["adaptive_average_pool", "adaptive_max_pool", "average_pool", "max_pool"]
