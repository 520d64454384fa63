"""Positions of the largest and smallest elements along an axis."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from kbackend.declare.decorate import derived, primitive
from kbackend.declare.op import TensorLike
from kbackend.declare.rules import INF, NAN
from kbackend.declare.sample import In, Sample, call
from kbackend.declare.shapes import axis_in, reduced
from kbackend.graph.tensor import TensorSpec
from kbackend.ops.arrays.reshape import expand_dims, flatten, reshape
from kbackend.ops.core.arguments import as_tensor


def _arg_attrs(specs: Sequence[Any], attrs: dict[str, Any]) -> dict[str, Any]:
    axis = axis_in(attrs["axis"], specs[0].ndim)
    if specs[0].shape[axis] == 0:
        raise ValueError(f"axis {axis} has no elements")
    return {"axis": axis}


def _arg_samples() -> list[Sample]:
    return [
        call(In((2, 3, 4), distinct=True), gradient=False, name="last axis"),
        call(In((2, 3), distinct=True), axis=0, gradient=False, name="first axis"),
        call(In((4,), distinct=True), gradient=False, name="vector"),
        call(In((5,), -9, 9, kind="int32"), gradient=False, name="int32"),
        call(In((0, 3)), axis=1, gradient=False, name="empty result"),
        call(
            In(values=[[1.0, NAN, INF, NAN], [INF, -INF, 1.0, NAN]]),
            row=39,
            expect=np.array([1, 3]),
            gradient=False,
            name="NaN",
        ),
        call(
            In(values=[[-0.0, 0.0], [0.0, -0.0]]),
            row=39,
            expect=np.array([0, 0]),
            gradient=False,
            name="signed zeros",
        ),
        call(In(values=[[2.0, 5.0, 5.0, 2.0]]), gradient=False, name="ties"),
        call(In((0, 3)), axis=0, raises=ValueError, name="nothing"),
        call(In((2, 3)), axis=2, raises=ValueError, name="axis out of range"),
    ]


_ARG: dict[str, Any] = {
    "prepare": _arg_attrs,
    "differentiable": False,
    "tolerance": "exact",
    "samples": _arg_samples,
}


def _position(x: TensorSpec, axis: int) -> TensorSpec:
    return TensorSpec(reduced(x.shape, (axis,), False), "int64")


@primitive(name="argmax", **_ARG)
def argmax_along(x: TensorLike, axis: int = -1) -> TensorSpec:
    """The position of the largest element along an axis (Keras's ``K.argmax``): the first maximum, or the first NaN.

    Args:
        x: a tensor of any shape, of integers or floats.
        axis: the axis, which is removed.

    Returns:
        An int64 tensor, without gradient.

    Raises:
        ValueError: an axis out of range or of size 0.

    >>> from kbackend import K
    >>> K.eval(K.argmax(K.constant([[1., 5.], [7., 2.]]))).tolist()
    [1, 0]
    """
    return _position(x, axis)


@primitive(name="argmin", **_ARG)
def argmin_along(x: TensorLike, axis: int = -1) -> TensorSpec:
    """The position of the smallest element along an axis (Keras's ``K.argmin``).

    Arguments, result and errors as in :func:`kbackend.backend.argmax`.

    >>> from kbackend import K
    >>> K.eval(K.argmin(K.constant([[1., 5.], [7., 2.]]))).tolist()
    [0, 1]
    """
    return _position(x, axis)


def _position_samples() -> list[Sample]:
    options: dict[str, Any] = {"gradient": False}
    return [
        call(In((2, 3), distinct=True), name="all elements", **options),
        call(In((2, 3), distinct=True), -1, True, name="axis kept", **options),
        call(In((2, 1, 3), distinct=True), keepdims=True, name="rank kept", **options),
        call(In((2, 3)), 2, raises=ValueError, name="axis")]


def position_over(find: Callable[..., Any], x: Any, axis: Any, keepdims: bool) -> Any:
    """``find(x, axis=axis)``, which removes the axis; of ``x`` as a vector for None. ``keepdims`` keeps the rank."""
    x = as_tensor(x)
    rank = len(x.shape)
    if axis is None:
        found = find(flatten(x), axis=-1)
        return reshape(found, (1,) * rank) if keepdims else found
    found = find(x, axis=axis)
    return expand_dims(found, axis % rank) if keepdims else found


@derived(tolerance="exact", samples=_position_samples)
def argmax(x: TensorLike, axis: int | None = None, keepdims: bool = False) -> Any:
    """The position of the largest element (NumPy's ``argmax``): the first maximum, or the first NaN.

    Args:
        x: a tensor of integers or floats, of any shape.
        axis: the axis; None gives the position in the flattened tensor.
        keepdims: whether reduced axes are kept with size 1.

    Returns:
        An int64 tensor, without gradient.

    Raises:
        ValueError: an axis out of range, or no elements.

    >>> from kbackend import ops
    >>> int(ops.argmax([[1.0, 5.0], [7.0, 2.0]]))
    2
    """
    return position_over(argmax_along, x, axis, keepdims)


@derived(tolerance="exact", samples=_position_samples)
def argmin(x: TensorLike, axis: int | None = None, keepdims: bool = False) -> Any:
    """The position of the smallest element (NumPy's ``argmin``). Arguments, result and errors as in :func:`argmax`.

    >>> from kbackend import ops
    >>> [int(v) for v in ops.argmin([[1.0, 5.0], [7.0, 2.0]], axis=1)]
    [0, 1]
    """
    return position_over(argmin_along, x, axis, keepdims)


__all__ = ["argmax", "argmin"]
