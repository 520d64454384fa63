"""Pooling over one to three spatial dimensions; padding as in :mod:`kbackend.ops.nn.conv`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from kbackend import dtypes
from kbackend.declare.call import dtype_of
from kbackend.declare.decorate import derived, primitive
from kbackend.declare.op import TensorLike
from kbackend.declare.sample import In, Sample, call
from kbackend.graph.node import Node
from kbackend.graph.tensor import Tensor, TensorSpec
from kbackend.ops.arrays.dims import part
from kbackend.ops.arrays.join import stack
from kbackend.ops.core.arguments import as_tensor
from kbackend.ops.elementwise.precision import precise
from kbackend.ops.linalg.matmul import matrix_multiply
from kbackend.ops.nn.relu import rectify
from kbackend.ops.nn.windows import (
    channels_last,
    check_rank,
    checked_padding,
    float_only,
    integers,
    on_last_axis,
    only_batch_empty,
    restored,
    spatial_rank,
    spatial_rank_of,
    spatial_sizes,
    with_shape,
)
from kbackend.ops.reduction.reductions import reduce_max


def _pool_attrs(specs: Sequence[Any], attrs: dict[str, Any]) -> dict[str, Any]:
    rank = spatial_rank(specs)
    window = integers("the window", attrs["window"], rank)
    strides = window if attrs["strides"] is None else integers("strides", attrs["strides"], rank)
    return {"window": window, "strides": strides, "padding": checked_padding(attrs["padding"], rank)}


def _pooled(x: TensorSpec, window: Any, strides: Any, padding: Any) -> TensorSpec:
    float_only(x)
    only_batch_empty(x)
    out = spatial_sizes(x, window, strides, padding, (1,) * len(window))
    if padding != "same":
        for n, k, s, (lo, hi), count in zip(x.shape[1:-1], window, strides, padding, out):
            if lo >= k or hi >= k or n is not None and count is not None and (count - 1) * s - lo >= n:
                raise ValueError(f"with padding {padding} a window of {window} contains no element of x {x.shape}")
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
        call(In((0, 4, 4, 2)), window=2, strides=2, padding="valid", name="empty batch"),
        call(In((2, 4)), window=2, strides=1, padding="valid", raises=ValueError,
             name="no spatial dimension"),
        call(In((2, 2, 2, 1)), window=3, strides=1, padding="valid", raises=ValueError,
             name="window does not fit"),
        call(In((2, 4, 4, 1)), window=2, strides=1, padding=((2, 0), (0, 0)), raises=ValueError,
             name="only padding"),
        call(x(2, 4, 3), window=3, strides=1, padding="same", dtypes=("bfloat16",), gradient=False, name="bfloat16"),
        call(x(1, 3, 2, 3, 2), window=(1, 3, 1), strides=(2, 1, 1), padding="same", name="larger than the volume"),
        call(In((2, 0, 4, 1)), window=2, strides=1, padding="same", raises=ValueError, name="no rows"),
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
    """Max pooling commutes with relu, which is then applied to fewer elements."""
    (x,) = node.args
    if x.node.op is not rectify.op:
        return None
    pooled = node.op.apply(x.node.args, node.attrs)
    return (x.node.op.apply((pooled,), x.node.attrs),)


@primitive(name="max_pool", prepare=_pool_attrs, tolerance="exact", samples=_max_pool_samples,
           stable_form=_pool_before_relu)
def max_pool_windows(x: TensorLike, *, window: Any, strides: Any = None, padding: Any = "valid") -> TensorSpec:
    """The largest element of each window; NaN if the window contains NaN.

    The gradient flows to the first of the largest elements.

    Args:
        x: floats ``(batch, *spatial, channels)``.
        window: an integer, or one for each spatial dimension.
        strides: like ``window``; None for the window.
        padding: 'valid', 'same', or a pair (before, after) for each spatial dimension; padding is ignored.

    Returns:
        ``(batch, *positions, channels)``.

    Raises:
        ValueError: sizes that do not fit, or a window that can contain only padding.
        TypeError: ``x`` is not a float tensor.
    """
    return _pooled(x, window, strides, padding)


@primitive(name="avg_pool", prepare=_pool_attrs, tolerance="reduction", samples=lambda: [
    *_pool_samples(),
    call(In((1, 3, 1), values=np.array([1.0, 3.0, 2.0]).reshape(1, 3, 1)), window=2, strides=2,
         padding="same", row=2, expect=np.array([2.0, 2.0]).reshape(1, 2, 1), dynamic=False,
         name="padding is not counted")])
def average_pool_windows(x: TensorLike, *, window: Any, strides: Any = None, padding: Any = "valid") -> TensorSpec:
    """The mean of each window, without the padding. Arguments, result and errors are those of the op ``max_pool``."""
    return _pooled(x, window, strides, padding)


def _pool(x: Any, window: Any, strides: Any, padding: Any, data_format: Any, mode: str, rank: int) -> Any:
    if mode not in ("max", "avg"):
        raise ValueError(f"unknown pool_mode {mode!r}; choose 'max' or 'avg'")
    x = with_shape(x)
    check_rank(x, rank)
    x, first = channels_last(x, data_format)
    pool = max_pool_windows if mode == "max" else average_pool_windows
    return restored(pool(x, window=window, strides=strides, padding=padding), first)


@derived(samples=lambda: [call(In((2, 5, 6, 3), distinct=True), (2, 2), (2, 2), "same"),
                          call(In((2, 3, 5, 6)), 2, 1, "valid", "channels_first", "avg"),
                          call(In((2, 5, 6, 3)), 2, 1, "valid", None, "sum", raises=ValueError)])
def pool2d(x: TensorLike, pool_size: Any, strides: Any = (1, 1), padding: str = "valid",
           data_format: str | None = None, pool_mode: str = "max") -> Any:
    """Pooling over two spatial dimensions.

    Args:
        x: floats ``(batch, rows, columns, channels)``, or ``(batch, channels, rows, columns)`` for 'channels_first'.
        pool_size, strides: an integer, or two.
        padding: 'valid' or 'same'; padding is ignored in maxima and means.
        data_format: 'channels_last' or 'channels_first'; None for the default, ``K.image_data_format()``.
        pool_mode: 'max' (NaN if a window contains NaN) or 'avg'.

    Returns:
        ``(batch, rows, columns, channels)``, or ``(batch, channels, rows, columns)``.

    Raises:
        ValueError: an unknown padding, data format or mode, or sizes that do not fit.
        TypeError: ``x`` is not a float tensor.

    >>> import numpy as np
    >>> from kbackend import K
    >>> x = np.arange(4.0).reshape(1, 2, 2, 1)
    >>> K.eval(K.pool2d(x, (2, 2))).ravel().tolist(), K.eval(K.pool2d(x, (2, 2), pool_mode="avg")).ravel().tolist()
    ([3.0], [1.5])
    """
    return _pool(x, pool_size, strides, padding, data_format, pool_mode, 2)


@derived(samples=lambda: [call(In((2, 4, 5, 6, 2), distinct=True), 2, 2, "same")])
def pool3d(x: TensorLike, pool_size: Any, strides: Any = (1, 1, 1), padding: str = "valid",
           data_format: str | None = None, pool_mode: str = "max") -> Any:
    """Pooling over three spatial dimensions.

    Args:
        x: floats ``(batch, *spatial, channels)``, or ``(batch, channels, *spatial)`` for 'channels_first'.
        pool_size, strides: an integer, or three.
        padding, data_format, pool_mode: as in :func:`pool2d`.

    Returns:
        ``(batch, *positions, channels)``, or ``(batch, channels, *positions)``.

    Raises:
        ValueError: an unknown padding, data format or mode, or sizes that do not fit.
        TypeError: ``x`` is not a float tensor.

    >>> import numpy as np
    >>> from kbackend import K
    >>> K.eval(K.pool3d(np.arange(8.0).reshape(1, 2, 2, 2, 1), 2)).ravel().tolist()
    [7.0]
    """
    return _pool(x, pool_size, strides, padding, data_format, pool_mode, 3)


@derived(tolerance="exact", samples=lambda: [
    call(In((2, 7, 3), distinct=True), 3, 2, "same"), call(In((2, 5, 6, 3), distinct=True), (2, 3))])
def max_pool(inputs: TensorLike, pool_size: Any, strides: Any = None, padding: str = "valid",
             data_format: str | None = None) -> Any:
    """The largest element of each window over one to three spatial dimensions.

    Args:
        inputs: floats ``(batch, *spatial, channels)``, or ``(batch, channels, *spatial)`` for 'channels_first'.
        pool_size: an integer, or one for each spatial dimension.
        strides: like ``pool_size``; None for the pool size.
        padding: 'valid' or 'same'; padding is ignored.
        data_format: 'channels_last' or 'channels_first'; None for the default, ``K.image_data_format()``.

    Returns:
        ``(batch, *positions, channels)``, or ``(batch, channels, *positions)``; NaN where a window contains NaN.

    Raises:
        ValueError: an unknown padding or data format, or sizes that do not fit.
        TypeError: ``inputs`` is not a float tensor.

    >>> import numpy as np
    >>> from kbackend import K, ops
    >>> K.eval(ops.max_pool(np.arange(4.0).reshape(1, 4, 1), 2, data_format="channels_last")).ravel().tolist()
    [1.0, 3.0]
    """
    return _pool(inputs, pool_size, strides, padding, data_format, "max", spatial_rank_of(inputs))


@derived(tolerance="reduction", samples=lambda: [
    call(In((2, 7, 3)), 3, 2, "same"), call(In((2, 3, 5, 6)), (2, 3), data_format="channels_first")])
def average_pool(inputs: TensorLike, pool_size: Any, strides: Any = None, padding: str = "valid",
                 data_format: str | None = None) -> Any:
    """The mean of each window over one to three spatial dimensions, without the padding.

    Arguments, result and errors are those of :func:`max_pool`.

    >>> import numpy as np
    >>> from kbackend import K, ops
    >>> K.eval(ops.average_pool(np.arange(4.0).reshape(1, 4, 1), 2, data_format="channels_last")).ravel().tolist()
    [0.5, 2.5]
    """
    return _pool(inputs, pool_size, strides, padding, data_format, "avg", spatial_rank_of(inputs))


def _adaptive_windows(size: int | None, count: int) -> list[tuple[int, int]]:
    """Start and stop of the ``count`` windows that cover a dimension; neighbours overlap by at most one element."""
    if size is None:
        raise ValueError("adaptive pooling needs known spatial sizes")
    if size == 0:
        raise ValueError("an axis without elements cannot be pooled")
    return [(i * size // count, -(-(i + 1) * size // count)) for i in range(count)]


@derived(tolerance="reduction", samples=lambda: [
    call(In((2, 7, 3)), 3), call(In((2, 5, 6, 3)), (2, 4), dynamic=False),
    call(In((2, 7, 3)), 3, dtypes=("bfloat16",), gradient=False, name="bfloat16"),
    call(In((2, 3, 5)), 0, raises=ValueError, name="no output")])
def adaptive_average_pool(inputs: TensorLike, output_size: Any, data_format: str | None = None) -> Any:
    """The mean of each of ``output_size`` windows that cover a spatial dimension.

    Window i of a dimension of size n goes from ``floor(i n / output_size)`` to ``ceil((i + 1) n / output_size)``.

    Args:
        inputs: floats ``(batch, *spatial, channels)``, or ``(batch, channels, *spatial)`` for 'channels_first', of
            known spatial sizes.
        output_size: an integer, or one for each spatial dimension.
        data_format: 'channels_last' or 'channels_first'; None for the default, ``K.image_data_format()``.

    Returns:
        ``(batch, *output_size, channels)``, or ``(batch, channels, *output_size)``.

    Raises:
        ValueError: an unknown data format or spatial size, or an output size below 1.

    >>> import numpy as np
    >>> from kbackend import K
    >>> from kbackend.ops import adaptive_average_pool
    >>> K.eval(adaptive_average_pool(np.array([[[1.0], [2.0], [3.0]]]), 2)).ravel().tolist()
    [1.5, 2.5]
    """
    rank = spatial_rank_of(inputs)

    def means(inputs: Any) -> Any:
        x, first = channels_last(inputs, data_format)
        for axis, count in enumerate(integers("output_size", output_size, rank), 1):
            weights = np.zeros((x.shape[axis] or 0, count), numpy_float(x))
            for i, (start, stop) in enumerate(_adaptive_windows(x.shape[axis], count)):
                weights[start:stop, i] = 1.0 / (stop - start)
            x = _product_along(x, axis, weights)
        return restored(x, first)

    return precise(as_tensor(inputs), means)


def _product_along(x: Any, axis: int, matrix: np.ndarray) -> Any:
    return on_last_axis(x, axis, lambda rows: matrix_multiply(rows, matrix))


def numpy_float(x: Any) -> np.dtype[Any]:
    """The dtype of x if it is a float, else float32: for constants that x is multiplied with."""
    dtype = dtype_of(x)
    return dtypes.numpy_dtype(dtype if dtypes.is_float(dtype) else "float32")


@derived(tolerance="exact", samples=lambda: [
    call(In((2, 7, 3), distinct=True), 3), call(In((2, 5, 6, 2), distinct=True), (2, 4), dynamic=False)])
def adaptive_max_pool(inputs: TensorLike, output_size: Any, data_format: str | None = None) -> Any:
    """The largest element of each of ``output_size`` windows that cover a spatial dimension.

    Windows, arguments, result and errors are those of :func:`adaptive_average_pool`.

    >>> import numpy as np
    >>> from kbackend import K, ops
    >>> K.eval(ops.adaptive_max_pool(np.arange(3.0).reshape(1, 3, 1), 2, "channels_last")).ravel().tolist()
    [1.0, 2.0]
    """
    rank = spatial_rank_of(inputs)
    x, first = channels_last(inputs, data_format)
    for axis, count in enumerate(integers("output_size", output_size, rank), 1):
        windows = (part(x, axis, start, stop) for start, stop in _adaptive_windows(x.shape[axis], count))
        x = stack([reduce_max(window, axis=axis) for window in windows], axis=axis)
    return restored(x, first)


__all__ = ["adaptive_average_pool", "adaptive_max_pool", "average_pool", "max_pool"]
