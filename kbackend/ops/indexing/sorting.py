"""Sorting along an axis."""

from __future__ import annotations

from typing import Any

import numpy as np

from kbackend.declare.decorate import composite, derived, primitive
from kbackend.declare.op import TensorLike
from kbackend.declare.rules import INF, NAN, values
from kbackend.declare.sample import FLOATS, In, Sample, call
from kbackend.declare.shapes import axis_in, canonical_axis
from kbackend.graph.tensor import TensorSpec
from kbackend.ops.arrays.reshape import flatten
from kbackend.ops.core.arguments import as_tensor, integer
from kbackend.ops.indexing.gather import take_along

#: inputs and the order of a stable sort upwards, NaN above all numbers
_ORDERS: dict[str, tuple[list[float], list[int]]] = {
    "ties": ([3.0, 1.0, 3.0, 0.0, 1.0, 1.0], [3, 1, 4, 5, 0, 2]),
    "NaN and infinities": ([INF, NAN, -INF, 0.0, NAN, 1.0], [2, 3, 5, 0, 1, 4]),
    "both zeros": ([0.0, -0.0, 0.0, -0.0], [0, 1, 2, 3]),
    "negative NaN": ([1.0, float(np.copysign(NAN, -1.0)), -2.0], [2, 0, 1]),
}


def _order_samples(with_values: bool) -> list[Sample]:
    def given(*args: Any, **options: Any) -> Sample:
        return call(*args, **{"gradient": with_values, **options})

    found = [
        given(In((3, 5), distinct=True)),
        given(In((4, 3), distinct=True), 0, name="first axis"),
        given(In((2, 3, 4), distinct=True), -2, name="negative axis"),
        given(In((7,), distinct=True), name="vector"),
        given(In((0, 3)), name="no rows"),
        given(In((2, 0)), name="nothing in a row"),
        given(In((3, 0, 2)), 1, name="nothing along the axis"),
        given(In((2, 1)), name="one column"),
        given(In((3, 8), -3, 4, kind="int32"), gradient=False, name="int32"),
        given(In((3, 8), 0, 200, kind="uint8"), 0, gradient=False, name="uint8"),
        given(In((2, 9), kind="bool"), gradient=False, name="bool"),
        given(values(2**60 + 1, 2**60, -(2**63), 2**63 - 1, 2**60 + 1, kind="int64"), gradient=False,
              name="int64"),
        given(In((40,), 0, 3, kind="int64"), gradient=False, name="many ties"),
        call(In((2, 3)), 2, raises=ValueError, name="axis out of range"),
        call(In(()), raises=ValueError, name="scalar"),
    ]
    for name, (numbers, order) in _ORDERS.items():
        places = np.array(order, np.int32)
        expect = np.array(numbers)[order] if with_values else places
        found.append(call(values(*numbers), expect=expect, gradient=False, name=name, dynamic=False,
                          dtypes=(*FLOATS, "bfloat16")))
    return found


@primitive(prepare=canonical_axis, differentiable=False, tolerance="exact", samples=lambda: _order_samples(False))
def argsort(x: TensorLike, axis: int = -1) -> TensorSpec:
    """The positions of the elements along an axis in ascending order (NumPy's ``argsort``, stable).

    Args:
        x: a tensor of bools, integers or floats, of rank 1 or more.
        axis: the axis.

    Returns:
        An int32 tensor of the shape of ``x``, without gradient: ``take_along_axis(x, result, axis)`` is sorted. Equal
        elements, -0 and 0 among them, keep their order; NaN is last.

    Raises:
        ValueError: a scalar, or an axis out of range.

    >>> from kbackend import K
    >>> from kbackend.ops import argsort
    >>> K.eval(argsort(K.constant([2.0, 0.5, 2.0, -1.0]))).tolist()
    [3, 1, 0, 2]
    """
    return TensorSpec(x.shape, "int32")


def _same(x: TensorSpec, axis: int) -> TensorSpec:
    return x


@composite(prepare=canonical_axis, rule=_same, tolerance="moving", samples=lambda: [
    *_order_samples(True),
    call(values(2.0, 1.0, 2.0, 1.0), expect_gradient=np.ones(4), name="gradient at ties", dynamic=False)])
def sort(x: TensorLike, axis: int = -1) -> Any:
    """The elements along an axis in ascending order, NaN last (NumPy's ``sort``).

    Arguments and errors as in :func:`argsort`. The gradient goes to the original positions of the elements.

    >>> from kbackend import K
    >>> from kbackend.ops import sort
    >>> K.eval(sort(K.constant([[3.0, 1.0], [2.0, 4.0]]), axis=0)).tolist()
    [[2.0, 1.0], [3.0, 4.0]]
    """
    return take_along(x, argsort(x, axis=axis), axis=axis)


@derived(tolerance="exact", samples=lambda: [
    call(In((2, 5), distinct=True), 2, gradient=False), call(In((4, 2), distinct=True), -1, 0, gradient=False),
    call(In((2, 3)), 1, None, gradient=False, name="all elements"),
    call(In((2, 3)), 3, raises=ValueError, name="place out of range")])
def argpartition(x: TensorLike, kth: int, axis: int | None = -1) -> Any:
    """Positions that partition the elements at ``kth``: those before are not larger, those behind not smaller.

    Args:
        x: a tensor of rank 1 or more.
        kth: the position in the result, in [-n, n).
        axis: the axis; None partitions the flattened tensor.

    Returns:
        An int32 tensor of the shape of ``x``; the positions are those of :func:`argsort`.

    Raises:
        ValueError: a scalar, or ``kth`` or an axis out of range.
        TypeError: ``kth`` is not an integer.

    Source: NumPy's ``argpartition``.

    >>> from kbackend import K
    >>> from kbackend.ops import argpartition
    >>> K.eval(argpartition(K.constant([3.0, 1.0, 2.0]), 1)).tolist()
    [1, 2, 0]
    """
    x = as_tensor(x)
    if axis is None:
        x, axis = flatten(x), 0
    axis, kth = axis_in(axis, len(x.shape)), integer(kth, "kth")
    size = x.shape[axis]
    if size is not None and not -size <= kth < size:
        raise ValueError(f"argpartition: kth {kth} is out of range for axis {axis} of size {size}")
    return argsort(x, axis=axis)


__all__ = ["argpartition", "argsort", "sort"]
