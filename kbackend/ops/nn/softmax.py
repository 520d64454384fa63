"""Activations along an axis: softmax, log_softmax, sparsemax and glu."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from kbackend.declare.call import dtype_of
from kbackend.declare.decorate import composite
from kbackend.declare.op import TensorLike
from kbackend.declare.rules import INF, NAN, arithmetic, is_small, same
from kbackend.declare.sample import In, call
from kbackend.declare.shapes import axis_in, canonical_axis
from kbackend.graph.tensor import TensorSpec
from kbackend.ops.arrays.split import split_sizes
from kbackend.ops.core.cast import cast, stop_gradient
from kbackend.ops.core.creation import ones_like
from kbackend.ops.elementwise.exponential import exp, log
from kbackend.ops.elementwise.select import maximum, select_elements
from kbackend.ops.indexing.sorting import sort
from kbackend.ops.nn.sigmoid import sigmoid
from kbackend.ops.reduction.cumulative import cumsum_along
from kbackend.ops.reduction.extremes import max_
from kbackend.ops.reduction.reductions import reduce_max, sum_

_SOFTMAX: dict[str, Any] = {
    "promote": "float",
    "prepare": canonical_axis,
    "tolerance": "reduction",
    "rule": same,
    "rowwise": True,
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
    """x minus its largest element along the axis, and the exponential of that."""
    highest = reduce_max if x.shape[axis] else partial(max_, initial=-np.inf)  # there may be no elements
    shifted = x - stop_gradient(highest(x, axis=axis, keepdims=True))
    return shifted, exp(shifted)


def _narrow(result: Any, x: Any) -> Any:
    return cast(result, dtype_of(x)) if is_small(x) else result


@composite(**_SOFTMAX)
def softmax(x: TensorLike, axis: int = -1) -> Any:
    """``exp(x) / sum(exp(x))`` along an axis, without overflow.

    Args:
        x: a tensor of rank 1 or more; integers become floatx, 16-bit floats are computed in float32.
        axis: the axis along which the result sums to 1.

    Returns:
        A float tensor of the shape of ``x``.

    Raises:
        ValueError: a scalar, or an axis out of range.
        TypeError: a complex tensor.

    >>> from kbackend import K
    >>> K.eval(K.softmax([0., 0.])).tolist()
    [0.5, 0.5]
    """
    _, powers = _powers(cast(x, "float32") if is_small(x) else x, axis)
    return _narrow(powers / sum_(powers, axis=axis, keepdims=True), x)


@composite(**_SOFTMAX)
def log_softmax(x: TensorLike, axis: int = -1) -> Any:
    """``log(softmax(x))`` along an axis, without overflow and without underflow to log(0).

    Args:
        x: a tensor of rank 1 or more; integers become floatx, 16-bit floats are computed in float32.
        axis: the axis along which the exponentials of the result sum to 1.

    Returns:
        A float tensor of the shape of ``x``.

    Raises:
        ValueError: a scalar, or an axis out of range.
        TypeError: a complex tensor.

    >>> from kbackend import K
    >>> K.eval(K.log_softmax([0.0, 1000.0])).tolist()
    [-1000.0, 0.0]
    """
    shifted, powers = _powers(cast(x, "float32") if is_small(x) else x, axis)
    return _narrow(shifted - log(sum_(powers, axis=axis, keepdims=True)), x)


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
    """The Euclidean projection of ``x`` onto the probability simplex along an axis.

    Args:
        x: a tensor of rank 1 or more; integers become floatx, 16-bit floats are computed in float32.
        axis: the axis along which the result sums to 1.

    Returns:
        A float tensor of the shape of ``x``.

    Raises:
        ValueError: a scalar, or an axis out of range.
        TypeError: a complex tensor.

    Source: Martins and Astudillo, "From Softmax to Sparsemax", 2016.

    >>> from kbackend import K
    >>> from kbackend.ops import sparsemax
    >>> K.eval(sparsemax(K.constant([3.0, 1.0, 0.0]))).tolist()
    [1.0, 0.0, 0.0]
    """
    wide = cast(x, "float32") if is_small(x) else x
    support = wide > _sparsemax_threshold(stop_gradient(wide), axis)
    return cast(select_elements(support, wide - _mean_excess(wide, support, axis), 0.0), dtype_of(x))


def _sparsemax_threshold(x: Any, axis: int) -> Any:
    """The number that is subtracted from all elements above it."""
    descending = -sort(-x, axis=axis)
    sums = cumsum_along(descending, axis=axis)
    ranks = cumsum_along(ones_like(x), axis=axis)
    return _mean_excess(descending, ranks * descending + 1.0 > sums, axis)


def _mean_excess(x: Any, support: Any, axis: int) -> Any:
    """How much the sum of the supporting elements exceeds 1, divided by their number."""
    count = sum_(cast(support, dtype_of(x)), axis=axis, keepdims=True)
    total = sum_(select_elements(support, x, 0.0), axis=axis, keepdims=True)
    return (total - 1.0) / maximum(count, 1.0)


def _glu_attrs(specs: Sequence[Any], attrs: dict[str, Any]) -> dict[str, Any]:
    axis = axis_in(attrs["axis"], specs[0].ndim)
    size = specs[0].shape[axis]
    if size is None or size % 2:
        raise ValueError(f"glu: axis {axis} of {specs[0]} must have an even size, known while the graph is built")
    return {"axis": axis}


def _half(x: TensorSpec, axis: int) -> TensorSpec:
    return TensorSpec((*x.shape[:axis], x.shape[axis] // 2, *x.shape[axis + 1 :]), arithmetic(x).dtype)  # type: ignore[operator]


@composite(promote="float", rule=_half, prepare=_glu_attrs, samples=lambda: [
    call(In((2, 4))),
    call(In((3, 2, 2)), 1, name="middle axis"),
    call(In((4, 3)), -2, name="first axis", dynamic=False),
    call(In((0, 2)), name="empty"),
    call(In((2, 4), -4, 4, kind="int32"), gradient=False, name="int32"),
    call(In((2, 3)), raises=ValueError, name="odd"),
    call(In((2, 4)), 2, raises=ValueError, name="axis out of range")])
def glu(x: TensorLike, axis: int = -1) -> Any:
    """The gated linear unit: the first half along an axis times the sigmoid of the second half.

    Args:
        x: a tensor of any shape whose size along the axis is even and known; integers become floatx.
        axis: the axis that is halved.

    Returns:
        A float tensor, of half the size of ``x`` along the axis.

    Raises:
        ValueError: an axis out of range, or of odd or unknown size.
        TypeError: a complex tensor.

    Source: Dauphin, Fan, Auli and Grangier, "Language Modeling with Gated Convolutional Networks", 2017.

    >>> from kbackend import K
    >>> from kbackend.ops import glu
    >>> K.eval(glu(K.constant([4.0, 0.0]))).tolist()
    [2.0]
    """
    first, second = split_sizes(x, 2, axis=axis)
    return first * sigmoid(second)


__all__ = ["glu", "log_softmax", "softmax", "sparsemax"]
