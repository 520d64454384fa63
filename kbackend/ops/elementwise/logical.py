"""Logic of bool tensors, and the operators ``& | ^ ~``."""

from __future__ import annotations

from typing import Any

from kbackend import dtypes
from kbackend.declare.call import dtype_of
from kbackend.declare.decorate import X_IS_X1, composite, derived, primitive
from kbackend.declare.op import TensorLike
from kbackend.declare.rules import logical, number, values
from kbackend.declare.sample import In, Sample, call
from kbackend.graph.tensor import TensorSpec
from kbackend.ops.elementwise.bitwise import bitwise_and, bitwise_not, bitwise_or, bitwise_xor


def _logic() -> list[Sample]:
    table = values(True, True, False, False, kind="bool"), values(True, False, True, False, kind="bool")
    return [
        call(*table, name="truth table", gradient=False),
        call(In((2, 3), kind="bool"), In((3,), kind="bool"), name="broadcasting", gradient=False),
        call(In((3,)), In((3,)), raises=TypeError, name="floats"),
    ]


_LOGIC: dict[str, Any] = {"differentiable": False, "tolerance": "exact", "samples": _logic}


@primitive(**_LOGIC, spellings=X_IS_X1)
def logical_and(x1: TensorLike, x2: TensorLike) -> TensorSpec:
    """``x1 and x2`` of bool tensors.

    Raises:
        TypeError: not bool.
        ValueError: the shapes do not broadcast.
    """
    return logical(x1, x2)


@primitive(**_LOGIC, spellings=X_IS_X1)
def logical_or(x1: TensorLike, x2: TensorLike) -> TensorSpec:
    """``x1 or x2`` of bool tensors. Errors as in :func:`logical_and`."""
    return logical(x1, x2)


@composite(**_LOGIC, spellings=X_IS_X1, rule=logical, prepare=lambda specs, attrs: (logical(*specs), attrs)[1])
def logical_xor(x1: TensorLike, x2: TensorLike) -> Any:
    """Exactly one of two bool tensors. Errors as in :func:`logical_and`."""
    return x1 != x2


@primitive(
    differentiable=False,
    tolerance="exact",
    samples=lambda: [
        call(In((2, 3), kind="bool"), gradient=False),
        call(In((3,)), raises=TypeError, name="floats"),
    ],
)
def logical_not(x: TensorLike) -> TensorSpec:
    """``not x`` of a bool tensor."""
    return logical(x)


def _is_bool(x: Any) -> bool:
    return isinstance(x, bool) or number(x) is None and dtype_of(x) == dtypes.BOOL


def _mixed_samples() -> list[Sample]:
    return [
        call(In((2, 3), kind="bool"), In((3,), kind="bool"), gradient=False, name="bool"),
        call(In((2, 3), -9, 9, kind="int32"), In((3,), -9, 9, kind="int32"), gradient=False, name="int32"),
    ]


_OPERATOR: dict[str, Any] = {"tolerance": "exact", "samples": _mixed_samples}


@derived(name="and_", **_OPERATOR)
def and_(x: TensorLike, y: TensorLike) -> Any:
    """``x & y``: logic on bool tensors, bits of integers."""
    return logical_and(x, y) if _is_bool(x) and _is_bool(y) else bitwise_and(x, y)


@derived(name="or_", **_OPERATOR)
def or_(x: TensorLike, y: TensorLike) -> Any:
    """``x | y``: logic on bool tensors, bits of integers."""
    return logical_or(x, y) if _is_bool(x) and _is_bool(y) else bitwise_or(x, y)


@derived(name="xor", **_OPERATOR)
def xor(x: TensorLike, y: TensorLike) -> Any:
    """``x ^ y``: logic on bool tensors, bits of integers."""
    return logical_xor(x, y) if _is_bool(x) and _is_bool(y) else bitwise_xor(x, y)


@derived(
    name="invert",
    tolerance="exact",
    samples=lambda: [
        call(In((3,), kind="bool"), gradient=False),
        call(In((3,), -9, 9, kind="int32"), gradient=False),
    ],
)
def invert(x: TensorLike) -> Any:
    """``~x``: logic on bool tensors, bits of integers."""
    return logical_not(x) if _is_bool(x) else bitwise_not(x)


__all__ = ["logical_and", "logical_not", "logical_or", "logical_xor"]
