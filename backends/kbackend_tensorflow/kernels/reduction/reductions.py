"""Reduction kernels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from kbackend_tensorflow.grappler import with_graphs

Axes = tuple[int, ...]
_SMALL = frozenset((tf.float16, tf.bfloat16))


def _one(axis: Axes) -> Any:
    """A single axis as an integer: an eager call converts a tuple to a tensor, which takes four times a small sum."""
    return axis[0] if len(axis) == 1 else axis


def _accumulating(function: Callable[..., Any]) -> Callable[..., Any]:
    """The reduction, accumulated in float32 for 16-bit floats."""

    def kernel(x: Any, axis: Any, keepdims: bool) -> Any:
        if x.dtype in _SMALL:
            return tf.cast(function(tf.cast(x, tf.float32), axis=_one(axis), keepdims=keepdims), x.dtype)
        return function(x, axis=_one(axis), keepdims=keepdims)

    return kernel


def _extreme(function: Callable[..., Any]) -> Callable[..., Any]:
    """The reduction with an error for axes of size 0, for which TensorFlow returns an infinity.

    Known sizes are checked when the node is made.
    """

    def kernel(x: Any, axis: Axes, keepdims: bool) -> Any:
        unknown = [a for a in axis if x.shape[a] is None]
        if unknown:
            shape = tf.shape(x)
            has_elements = tf.reduce_all(tf.gather(shape, unknown) > 0)
            message = ["the reduced axes have no elements; the shape is", shape]
            with tf.control_dependencies([tf.debugging.Assert(has_elements, message)]):
                x = tf.identity(x)
        return function(x, axis=_one(axis), keepdims=keepdims)

    return kernel


def _logical(function: Callable[..., Any]) -> Callable[..., Any]:
    def kernel(x: Any, axis: Axes, keepdims: bool) -> Any:
        return function(x if x.dtype == tf.bool else tf.not_equal(x, 0), axis=_one(axis), keepdims=keepdims)

    return kernel


def _position(function: Callable[..., Any]) -> Callable[..., Any]:
    """The position as in NumPy: that of the first NaN, with both zeros equal, unlike TensorFlow."""

    def kernel(x: Any, axis: int) -> Any:
        if not x.dtype.is_floating:
            return function(x, axis=axis)
        missing = tf.math.is_nan(x)
        position = function(tf.where(tf.equal(x, 0), tf.zeros((), x.dtype), x), axis=axis)
        first = tf.argmax(tf.cast(missing, tf.int32), axis=axis)
        return tf.where(tf.reduce_any(missing, axis=axis), first, position)

    return kernel


def _cumulating(function: Callable[..., Any]) -> Callable[..., Any]:
    def kernel(x: Any, axis: int) -> Any:
        if x.dtype in _SMALL:
            return tf.cast(function(tf.cast(x, tf.float32), axis=axis), x.dtype)
        return function(x, axis=axis)

    return kernel


def _cumprod(x: Any, axis: int) -> Any:
    return tf.math.cumprod(x, axis=axis) if x.dtype.is_integer else _differentiable_cumprod(axis)(x)


def _differentiable_cumprod(axis: int) -> Callable[[Any], Any]:
    """TensorFlow's gradient divides by x, which is wrong at zeros (docs/semantics.md, row 64).

    ``d/dx[i]`` is the product before i times ``s[i] = g[i] + x[i+1] * s[i+1]``.
    """

    @tf.custom_gradient
    def kernel(x: Any) -> Any:
        def backward(g: Any) -> Any:
            order = [axis, *(i for i in range(x.shape.rank) if i != axis)]
            conjugate = tf.math.conj(x)
            factors, parts = tf.transpose(conjugate, order), tf.transpose(g, order)
            factors = tf.concat([factors[1:], tf.zeros_like(factors[:1])], 0)
            empty = tf.zeros(tf.shape(parts)[1:], x.dtype)
            if x.shape[axis] is None:  # tf.scan needs a step where it is 0; this one adds 0
                factors, parts = (tf.concat([t, empty[None]], 0) for t in (factors, parts))
            step = lambda s, at: at[0] + at[1] * s  # noqa: E731
            sums = with_graphs(tf.scan, step, (parts, factors), empty, reverse=True)
            sums = sums[:-1] if x.shape[axis] is None else sums
            before = tf.transpose(_differentiable_before(conjugate, axis), order)
            back = sorted(range(len(order)), key=order.__getitem__)
            return tf.transpose(before * sums, back)

        return tf.math.cumprod(x, axis=axis), backward

    return kernel


def _differentiable_before(x: Any, axis: int) -> Any:
    """The exclusive cumulative product."""
    if x.shape[axis] is None:  # it may be 0, which tf.gather and tf.split refuse
        along = (slice(None),) * axis
        ones, shorter = tf.ones_like(x[(*along, slice(0, 1))]), x[(*along, slice(0, -1))]
    else:
        ones = tf.ones_like(tf.gather(x, [0], axis=axis)) if x.shape[axis] != 0 else x
        shorter = tf.split(x, [-1, 1], axis=axis)[0] if x.shape[axis] != 0 else x
    return tf.concat([ones, _differentiable_cumprod(axis)(shorter)], axis)


def _prod(x: Any, axis: Any, keepdims: bool) -> Any:
    axes = (axis,) if isinstance(axis, int) else axis
    if x.dtype.is_integer or not axes:
        return tf.reduce_prod(x, axis=axis, keepdims=keepdims)
    return _differentiable_prod(axes, keepdims)(x)


def _differentiable_prod(axis: Axes, keepdims: bool) -> Callable[[Any], Any]:
    """TensorFlow's second derivative is wrong at zeros and for complex numbers.

    The derivative of each element is the product of all others: of those before and those after it.
    """

    @tf.custom_gradient
    def kernel(x: Any) -> Any:
        def backward(g: Any) -> Any:
            rank = x.shape.rank
            order = [*(i for i in range(rank) if i not in axis), *axis]
            moved = tf.transpose(tf.math.conj(x), order)
            kept = tf.shape(moved)[: rank - len(axis)]
            flat = tf.reshape(moved, tf.concat([kept, [tf.reduce_prod(tf.shape(moved)[rank - len(axis):])]], 0))
            last = flat.shape.rank - 1
            behind = tf.reverse(_differentiable_before(tf.reverse(flat, [last]), last), [last])
            others = tf.reshape(_differentiable_before(flat, last) * behind, tf.shape(moved))
            back = [order.index(i) for i in range(rank)]
            ones = tf.reduce_sum(tf.zeros_like(x), axis=axis, keepdims=True)
            return (tf.reshape(g, tf.shape(ones)) + tf.zeros_like(x)) * tf.transpose(others, back)

        return tf.reduce_prod(x, axis=axis, keepdims=keepdims), backward

    return kernel


KERNELS = {
    "all": _logical(tf.reduce_all),
    "any": _logical(tf.reduce_any),
    "argmax": _position(tf.argmax),
    "argmin": _position(tf.argmin),
    "cumprod": _cumulating(_cumprod),
    "cumsum": _cumulating(tf.cumsum),
    "max": _extreme(tf.reduce_max),
    "mean": _accumulating(tf.reduce_mean),
    "min": _extreme(tf.reduce_min),
    "prod": _accumulating(_prod),
    "sum": _accumulating(tf.reduce_sum),
}
