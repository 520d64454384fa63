"""Softmax, its logarithm and sparsemax."""

from __future__ import annotations

from typing import Any

import numpy as np

from kbackend.declare.call import dtype_of
from kbackend.declare.decorate import composite
from kbackend.declare.op import TensorLike
from kbackend.declare.rules import INF, NAN, is_small, same
from kbackend.declare.sample import In, call
from kbackend.declare.shapes import canonical_axis
from kbackend.ops.core.cast import cast, stop_gradient
from kbackend.ops.core.creation import ones_like
from kbackend.ops.elementwise.arithmetic import divide, negative, subtract
from kbackend.ops.elementwise.exponential import exp, log
from kbackend.ops.elementwise.select import maximum, select_elements
from kbackend.ops.indexing.sorting import sort
from kbackend.ops.reduction.cumulative import cumsum_along
from kbackend.ops.reduction.reductions import reduce_max, sum_

_SOFTMAX: dict[str, Any] = {
    "promote": "float",
    "prepare": canonical_axis,
    "tolerance": "reduction",
    "rule": same,
    "samples": lambda: [
        call(In((2, 3), -3, 3)),
        call(In((2, 3, 4)), axis=1, name="middle axis"),
        call(In((4,)), name="vector"),
        call(In((2, 1)), name="size one"),
        call(In((0, 3)), name="empty"),
        call(In((2, 3)), axis=0, name="first axis"),
        call(In(values=[[1000.0, 1000.0], [-1000.0, 0.0]]), name="far"),
        call(In(values=[[-INF, 0.0], [-INF, -INF]]), gradient=False, name="infinities"),
        call(In(values=[[NAN, 0.0], [0.0, 1.0]]), gradient=False, name="NaN"),
        call(In((2, 3), -5, 5, kind="int32"), gradient=False, name="int32"),
        call(In((2, 3)), axis=2, raises=ValueError, name="axis out of range"),
        call(In(()), raises=ValueError, name="scalar"),
    ],
}


def _powers(x: Any, axis: int) -> tuple[Any, Any]:
    """x less its largest element, and the exponentials of that."""
    shifted = subtract(x, stop_gradient(reduce_max(x, axis=axis, keepdims=True)))
    return shifted, exp(shifted)


def _narrow(result: Any, x: Any) -> Any:
    return cast(result, dtype_of(x)) if is_small(x) else result


@composite(**_SOFTMAX)
def softmax(x: TensorLike, axis: int = -1) -> Any:
    """``exp(x) / sum(exp(x))`` along an axis, without overflow; float16 is computed in float32.

    Raises:
        ValueError: the axis is out of range.

    >>> from kbackend import K
    >>> K.eval(K.softmax([0., 0.])).tolist()
    [0.5, 0.5]
    """
    _, powers = _powers(cast(x, "float32") if is_small(x) else x, axis)
    return _narrow(divide(powers, sum_(powers, axis=axis, keepdims=True)), x)


@composite(**_SOFTMAX)
def log_softmax(x: TensorLike, axis: int = -1) -> Any:
    """``log(softmax(x))`` along an axis, without overflow and without rounding to log(0).

    Raises:
        ValueError: the axis is out of range.
    """
    shifted, powers = _powers(cast(x, "float32") if is_small(x) else x, axis)
    return _narrow(subtract(shifted, log(sum_(powers, axis=axis, keepdims=True))), x)


@composite(promote="float", rule=same, prepare=canonical_axis, tolerance="reduction", samples=lambda: [
    call(In((3, 4), -1.43, 1.5)),
    call(In((2, 3, 4), -0.71, 0.7), 1, name="middle axis"),
    call(In((4, 2), -1.03, 1), 0, name="first axis"),
    call(In((2, 1)), name="size one"),
    call(In((0, 3)), name="empty"),
    call(In(values=[[0.5, 0.5, -3.0], [10.0, 1.0, 0.0]]), name="ties", dynamic=False,
         expect=np.array([[0.5, 0.5, 0.0], [1.0, 0.0, 0.0]])),
    call(In((2, 3), -4, 4, kind="int32"), gradient=False, name="int32"),
    call(In((2, 3)), 2, raises=ValueError, name="axis out of range"),
    call(In(()), raises=ValueError, name="scalar")])
def sparsemax(x: TensorLike, axis: int = -1) -> Any:
    """The point of the probability simplex along an axis that is nearest to ``x`` (Martins and Astudillo, 2016).

    Args:
        x: a tensor of rank 1 or more; float16 is computed in float32.
        axis: the axis along which the result adds up to 1.

    Raises:
        ValueError: a scalar, or an axis out of range.

    >>> from kbackend import K
    >>> from kbackend.ops import sparsemax
    >>> K.eval(sparsemax(K.constant([3.0, 1.0, 0.0]))).tolist()
    [1.0, 0.0, 0.0]
    """
    wide = cast(x, "float32") if is_small(x) else x
    level = _sparsemax_level(stop_gradient(wide), axis)
    chosen = wide > level
    count = sum_(cast(chosen, dtype_of(wide)), axis=axis, keepdims=True)
    excess = sum_(select_elements(chosen, wide, 0.0), axis=axis, keepdims=True) - 1.0
    mean_excess = excess / maximum(count, 1.0)
    return cast(select_elements(chosen, wide - mean_excess, 0.0), dtype_of(x))


def _sparsemax_level(x: Any, axis: int) -> Any:
    """The number that is taken from all elements above it."""
    downwards = -sort(negative(x), axis=axis)
    sums = cumsum_along(downwards, axis=axis)
    ranks = cumsum_along(ones_like(x), axis=axis)
    support = ranks * downwards + 1.0 > sums
    count = sum_(cast(support, dtype_of(x)), axis=axis, keepdims=True)
    total = sum_(select_elements(support, downwards, 0.0), axis=axis, keepdims=True)
    return (total - 1.0) / maximum(count, 1.0)


__all__ = ["log_softmax", "softmax", "sparsemax"]
