"""Differences of adjacent elements, the trapezoidal rule, and the range of values."""

from __future__ import annotations

from typing import Any

import numpy as np

from kbackend import config, dtypes
from kbackend.declare.call import lift
from kbackend.declare.decorate import derived
from kbackend.declare.op import TensorLike
from kbackend.declare.rules import WIDE, values
from kbackend.declare.sample import In, call
from kbackend.declare.shapes import axis_in
from kbackend.ops.arrays.dims import part
from kbackend.ops.arrays.reshape import reshape
from kbackend.ops.core.arguments import as_tensor, integer
from kbackend.ops.core.cast import cast
from kbackend.ops.reduction.reductions import reduce_max, reduce_min, sum_


@derived(tolerance="elementwise", samples=lambda: [
    call(In((3, 4))), call(In((4, 2)), 2, 0, name="twice"), call(In((2, 3)), 0, name="not at all"),
    call(In((2, 1)), name="one column"), call(In((4,), kind="bool"), gradient=False, name="bool"),
    call(In((2,)), -1, raises=ValueError, name="negative"), call(In((2,)), 1, 1, raises=ValueError, name="axis")])
def diff(a: TensorLike, n: int = 1, axis: int = -1) -> Any:
    """The differences of adjacent elements along an axis, taken ``n`` times (NumPy's ``diff``).

    Args:
        a: a tensor of rank 1 or more.
        n: how many times, not negative.
        axis: the axis, which becomes shorter by ``n``.

    Returns:
        A tensor of the dtype of ``a``; for bool whether adjacent elements differ.

    Raises:
        ValueError: a scalar, a negative ``n``, or an axis out of range.
        TypeError: ``n`` is not an integer.

    >>> from kbackend import K
    >>> from kbackend.ops import diff
    >>> K.eval(diff(K.constant([1, 4, 9]))).tolist()
    [3.0, 5.0]
    """
    x, n = lift(a), integer(n, "the number of differences")
    axis = axis_in(axis, len(x.shape))
    if n < 0:
        raise ValueError(f"the number of differences must not be negative, it is {n}")
    for _ in range(n):
        before, after = part(x, axis, None, -1), part(x, axis, 1, None)
        x = after != before if x.dtype == dtypes.BOOL else after - before
    return x


@derived(tolerance="reduction", samples=lambda: [
    call(In((2, 4), 0.5)), call(In((4, 2)), In((4,)), axis=0, name="places", dynamic=False),
    call(In((3,), 0.5), dx=0.5, name="width"), call(In((2, 3)), In((2, 3)), name="places of each"),
    call(In((3,), 0, 5, kind="int32"), gradient=False, name="int32"), call(In(()), raises=ValueError, name="scalar")])
def trapezoid(y: TensorLike, x: TensorLike | None = None, dx: Any = 1.0, axis: int = -1) -> Any:
    """The integral along an axis by the trapezoidal rule (NumPy's ``trapezoid``).

    Args:
        y: the integrand; integers are promoted to floatx.
        x: the sample points, a vector or a tensor of the shape of ``y``; None for points ``dx`` apart.
        dx: the distance of the points when ``x`` is None.
        axis: the axis.

    Raises:
        ValueError: a scalar, an axis out of range, or points that do not fit.

    >>> from kbackend import K
    >>> from kbackend.ops import trapezoid
    >>> float(K.eval(trapezoid(K.constant([1, 2, 3]))))
    4.0
    """
    y = lift(y)
    axis = axis_in(axis, len(y.shape))
    if not dtypes.is_float(y.dtype):
        y = cast(y, config.floatx())
    width: Any = dx
    if x is not None:
        points = as_tensor(x)
        width = diff(points, 1, axis if len(points.shape) == len(y.shape) else -1)
        if len(points.shape) == 1:
            width = reshape(width, [-1 if i == axis else 1 for i in range(len(y.shape))])
    return sum_((part(y, axis, 1, None) + part(y, axis, None, -1)) * width, axis=axis) * 0.5


@derived(samples=lambda: [
    call(In((2, 3), distinct=True)),
    call(In((2, 3, 4), distinct=True), axis=(0, -1), keepdims=True, name="two axes kept"),
    call(values(3.0, 3.0, 1.0), expect_gradient=np.array([0.5, 0.5, -1.0]), row=59, name="ties", dtypes=WIDE),
    call(In((2, 3), -9, 9, kind="int32"), axis=1, gradient=False, name="int32"),
    call(In((0, 3)), axis=0, raises=ValueError, name="of nothing")])
def ptp(x: TensorLike, axis: Any = None, keepdims: bool = False) -> Any:
    """The maximum minus the minimum over axes (NumPy's ``ptp``).

    Args:
        x: a tensor of integers or floats, of any shape.
        axis: an axis or several; negative ones count from the end; None for all.
        keepdims: whether reduced axes are kept with size 1.

    Raises:
        ValueError: an axis out of range, repeated or of size 0.
        TypeError: a bool tensor.

    >>> from kbackend import K
    >>> from kbackend.ops import ptp
    >>> float(ptp(K.constant([1.0, 5.0, 3.0])))
    4.0
    """
    return reduce_max(x, axis=axis, keepdims=keepdims) - reduce_min(x, axis=axis, keepdims=keepdims)


__all__ = ["diff", "ptp", "trapezoid"]
