"""The new meanings of reductions and running totals: over all elements unless an axis is given."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kbackend import dtypes
from kbackend.ops import elementwise as e
from kbackend.ops import normalization, reduction, shaping
from kbackend.ops.arranging import as_tensor
from kbackend.ops.declare import TensorLike, derived
from kbackend.ops.rules import In, Sample, call


def _position_samples() -> list[Sample]:
    options: dict[str, Any] = {"gradient": False}
    return [
        call(In((2, 3), distinct=True), name="all elements", **options),
        call(In((2, 3), distinct=True), -1, True, name="axis kept", **options),
        call(In((2, 1, 3), distinct=True), keepdims=True, name="rank kept", **options),
        call(In((2, 3)), 2, raises=ValueError, name="axis")]


def _position(find: Callable[..., Any], x: Any, axis: Any, keepdims: bool) -> Any:
    x = as_tensor(x)
    rank = len(x.shape)
    if axis is None:
        found = find(shaping.flatten(x), axis=-1)
        return shaping.reshape(found, (1,) * rank) if keepdims else found
    found = find(x, axis=axis)
    return shaping.expand_dims(found, axis % rank) if keepdims else found


@derived(name="modern_argmax", tolerance="exact", samples=_position_samples)
def argmax(x: TensorLike, axis: int | None = None, keepdims: bool = False) -> Any:
    """The position (int64) of the largest element along an axis, or in ``x`` as a vector: the first one, or the first
    NaN (NumPy's ``argmax``).

    Args:
        x: a tensor with elements along the axis.
        axis: the axis; None counts along all elements.
        keepdims: keep the axis, or all axes, as dimensions of 1.

    Raises:
        ValueError: an axis out of range, or no elements.

    >>> from kbackend import ops
    >>> int(ops.argmax([[1.0, 5.0], [7.0, 2.0]]))
    2
    """
    return _position(reduction.argmax, x, axis, keepdims)


@derived(name="modern_argmin", tolerance="exact", samples=_position_samples)
def argmin(x: TensorLike, axis: int | None = None, keepdims: bool = False) -> Any:
    """The position (int64) of the smallest element. Arguments and errors as in :func:`argmax`.

    >>> from kbackend import ops
    >>> [int(v) for v in ops.argmin([[1.0, 5.0], [7.0, 2.0]], axis=1)]
    [0, 1]
    """
    return _position(reduction.argmin, x, axis, keepdims)


def _total_samples() -> list[Sample]:
    return [
        call(In((2, 3), 0.5), name="all elements"), call(In((2, 3), 0.5), -1), call(In((0, 2)), 0, name="empty"),
        call(In((3,), kind="bool"), 0, "int32", gradient=False, name="bool as integers"),
        call(In((2, 3)), 2, raises=ValueError, name="axis")]


def _running(total: Callable[..., Any], x: Any, axis: Any, dtype: Any) -> Any:
    x = as_tensor(x)
    if dtype is not None:
        x = e.cast(x, dtypes.canonical(dtype))
    return total(shaping.flatten(x), axis=0) if axis is None else total(x, axis=axis)


@derived(name="modern_cumsum", tolerance="cumulative", samples=_total_samples)
def cumsum(x: TensorLike, axis: int | None = None, dtype: Any = None) -> Any:
    """The sums up to each element along an axis, or of ``x`` as a vector (NumPy's ``cumsum``).

    Args:
        x: a tensor.
        axis: the axis; None takes ``x`` as a vector.
        dtype: the dtype in which to add; that of ``x`` when None.

    Raises:
        ValueError: an axis out of range. TypeError: bool without another dtype.

    >>> from kbackend import ops
    >>> [int(v) for v in ops.cumsum([[1, 2], [3, 4]])]
    [1, 3, 6, 10]
    """
    return _running(reduction.cumsum, x, axis, dtype)


@derived(name="modern_cumprod", tolerance="cumulative", samples=_total_samples)
def cumprod(x: TensorLike, axis: int | None = None, dtype: Any = None) -> Any:
    """The products up to each element along an axis, or of ``x`` as a vector. Arguments and errors as in
    :func:`cumsum`.

    >>> from kbackend import ops
    >>> [int(v) for v in ops.cumprod([[1, 2], [3, 4]])]
    [1, 2, 6, 24]
    """
    return _running(reduction.cumprod, x, axis, dtype)


@derived(name="modern_prod", tolerance="reduction", samples=lambda: [
    call(In((2, 3), 0.5)), call(In((2, 3), 0.5), (0, -1), True, name="axes kept"),
    call(In((2, 3), 1, 4, kind="int32"), 0, False, "float32", gradient=False, name="dtype"),
    call(In((2, 3)), (0, 0), raises=ValueError, name="axes")])
def prod(x: TensorLike, axis: Any = None, keepdims: bool = False, dtype: Any = None) -> Any:
    """The product over axes (NumPy's ``prod``); the gradient is right at zeros.

    Args:
        x: a tensor.
        axis: an axis, several, or None for all.
        keepdims: keep them as dimensions of 1.
        dtype: the dtype in which to multiply; that of ``x`` when None.

    Raises:
        ValueError: an axis out of range or named twice. TypeError: bool without another dtype.

    >>> from kbackend import ops
    >>> float(ops.prod([2.0, 3.0]))
    6.0
    """
    x = as_tensor(x)
    return reduction.prod(x if dtype is None else e.cast(x, dtypes.canonical(dtype)), axis=axis, keepdims=keepdims)


@derived(name="modern_moments", tolerance="reduction", samples=lambda: [
    call(In((4, 3)), 0), call(In((4, 3)), (0, 1), True, name="kept"),
    call(In((4, 3)), 0, False, True, raises=ValueError, name="synchronized")])
def moments(x: TensorLike, axes: Any, keepdims: bool = False, synchronized: bool = False) -> Any:
    """The mean and the biased variance over axes.

    Args:
        x: a float tensor.
        axes: an axis or several.
        keepdims: keep them as dimensions of 1.
        synchronized: over several devices; a program runs on one, so True is refused.

    Raises:
        ValueError: an axis out of range, or ``synchronized``.

    >>> from kbackend import ops
    >>> [float(v) for v in ops.moments([1.0, 3.0], 0)]
    [2.0, 1.0]
    """
    if synchronized:
        raise ValueError("moments: synchronized=True needs several devices, and a program runs on one")
    return normalization.moments(as_tensor(x), axes, keepdims)


@derived(name="modern_batch_normalization", tolerance="reduction", samples=lambda: [
    call(In((4, 3)), In((3,)), In((3,), 0.5, 2.0), -1, In((3,)), In((3,))),
    call(In((2, 3, 2)), In((3,)), In((3,), 0.5, 2.0), 1, scale=In((3,)), name="inner axis"),
    call(In((4, 3)), In((2,)), In((3,), 0.5, 2.0), -1, raises=ValueError, name="shapes")])
def batch_normalization(x: TensorLike, mean: TensorLike, variance: TensorLike, axis: int,
                        offset: TensorLike | None = None, scale: TensorLike | None = None,
                        epsilon: float = 1e-3) -> Any:
    """``(x - mean) / sqrt(variance + epsilon) * scale + offset``.

    Args:
        x: a float tensor.
        mean, variance, offset, scale: vectors along ``axis`` of x, or tensors of its rank that broadcast against it;
            the last two may be None.
        axis: the axis of the channels.
        epsilon: added to the variance.

    Raises:
        ValueError: shapes that do not fit; an axis out of range. TypeError: not a float tensor.

    >>> from kbackend import ops
    >>> ops.convert_to_numpy(ops.batch_normalization([[3.0]], [1.0], [4.0], -1, epsilon=0.0)).tolist()
    [[1.0]]
    """
    return normalization.batch_normalization(as_tensor(x), mean, variance, offset, scale, axis, epsilon)


__all__ = ["argmax", "argmin", "batch_normalization", "cumprod", "cumsum", "moments", "prod"]
