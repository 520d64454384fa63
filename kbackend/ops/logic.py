"""Comparisons, logic on bool tensors and operations on the bits of integers."""

from __future__ import annotations

from typing import Any

from kbackend import dtypes
from kbackend.graph.tensor import TensorSpec
from kbackend.ops import arithmetic
from kbackend.ops.declare import TensorLike, composite, derived, primitive
from kbackend.ops.rules import (
    INF,
    NAN,
    In,
    Sample,
    bitwise,
    call,
    compared,
    dtype_of,
    logical,
    number,
    values,
)


def _comparisons() -> list[Sample]:
    return [
        call(In((2, 3)), In((3,)), name="broadcasting", gradient=False),
        call(values(1.0, NAN, 2.0, INF), values(1.0, NAN, 3.0, INF), name="NaN", gradient=False),
        call(values(-0.0, 0.0), 0.0, name="signed zeros", gradient=False),
        call(In((4,), -3, 3, kind="int32"), 1, name="int32", gradient=False),
        call(In((4,), -3, 3, kind="int32"), 0.5, name="int32 and a float", gradient=False, row=29),
        call(In((0, 3)), In((1, 3)), name="empty", gradient=False),
        call(In((2, 3)), In((4,)), name="no broadcasting", raises=ValueError, row=52),
    ]


def _equalities() -> list[Sample]:
    return [
        *_comparisons(),
        call(In((2, 3), kind="bool"), In((3,), kind="bool"), name="bool", gradient=False),
    ]


_ORDER: dict[str, Any] = {
    "promote": "same",
    "differentiable": False,
    "tolerance": "exact",
    "samples": _comparisons,
}
_EQUALITY: dict[str, Any] = {**_ORDER, "samples": _equalities}


@primitive(**_EQUALITY)
def equal(x: TensorLike, y: TensorLike) -> TensorSpec:
    """``x == y`` elementwise, bool; NaN equals nothing.

    Raises:
        ValueError: the shapes do not broadcast.
    """
    return compared(x, y)


@composite(**_EQUALITY, rule=compared)
def not_equal(x: TensorLike, y: TensorLike) -> Any:
    """``x != y`` elementwise, bool."""
    return ~(x == y)


@primitive(**{**_ORDER, "samples": lambda: [
    *_comparisons(), call(In((2,), kind="complex64"), 1.0, raises=TypeError, name="complex")]})
def less(x: TensorLike, y: TensorLike) -> TensorSpec:
    """``x < y`` elementwise, bool; False where one is NaN."""
    return compared(x, y)


@primitive(**_ORDER)
def less_equal(x: TensorLike, y: TensorLike) -> TensorSpec:
    """``x <= y`` elementwise, bool; False where one is NaN."""
    return compared(x, y)


@composite(**_ORDER, rule=compared)
def greater(x: TensorLike, y: TensorLike) -> Any:
    """``x > y`` elementwise, bool; False where one is NaN."""
    return y < x


@composite(**_ORDER, rule=compared)
def greater_equal(x: TensorLike, y: TensorLike) -> Any:
    """``x >= y`` elementwise, bool; False where one is NaN."""
    return y <= x


# ------------------------------------------------------------ logic


def _logic() -> list[Sample]:
    table = values(True, True, False, False, kind="bool"), values(True, False, True, False, kind="bool")
    return [
        call(*table, name="truth table", gradient=False),
        call(In((2, 3), kind="bool"), In((3,), kind="bool"), name="broadcasting", gradient=False),
        call(In((3,)), In((3,)), raises=TypeError, name="floats"),
    ]


_LOGIC: dict[str, Any] = {"differentiable": False, "tolerance": "exact", "samples": _logic}


@primitive(**_LOGIC)
def logical_and(x1: TensorLike, x2: TensorLike) -> TensorSpec:
    """``x1 and x2`` of bool tensors.

    Raises:
        TypeError: not bool.
        ValueError: the shapes do not broadcast.
    """
    return logical(x1, x2)


@primitive(**_LOGIC)
def logical_or(x1: TensorLike, x2: TensorLike) -> TensorSpec:
    """``x1 or x2`` of bool tensors. Errors as in :func:`logical_and`."""
    return logical(x1, x2)


@composite(**_LOGIC, rule=logical, prepare=lambda specs, attrs: (logical(*specs), attrs)[1])
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


def _bits() -> list[Sample]:
    return [
        call(In((2, 3), -9, 9, kind="int32"), In((3,), -9, 9, kind="int32"), gradient=False),
        call(In((4,), 0, 9, kind="uint8"), 5, gradient=False, name="uint8 and a number"),
        call(In((3,)), In((3,)), raises=TypeError, name="floats"),
    ]


_BITS: dict[str, Any] = {"promote": "same", "differentiable": False, "tolerance": "exact", "samples": _bits}


@primitive(**_BITS)
def bitwise_and(x: TensorLike, y: TensorLike) -> TensorSpec:
    """``x & y`` of integers.

    Raises:
        TypeError: not integers.
    """
    return bitwise(x, y)


@primitive(**_BITS)
def bitwise_or(x: TensorLike, y: TensorLike) -> TensorSpec:
    """``x | y`` of integers. Errors as in :func:`bitwise_and`."""
    return bitwise(x, y)


@primitive(**_BITS)
def bitwise_xor(x: TensorLike, y: TensorLike) -> TensorSpec:
    """``x ^ y`` of integers. Errors as in :func:`bitwise_and`."""
    return bitwise(x, y)


@primitive(
    differentiable=False,
    tolerance="exact",
    samples=lambda: [
        call(In((2, 3), -9, 9, kind="int32"), gradient=False),
        call(In((3,)), raises=TypeError, name="floats"),
    ],
)
def bitwise_not(x: TensorLike) -> TensorSpec:
    """``~x`` of integers. Errors as in :func:`bitwise_and`."""
    return bitwise(x)


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


# ------------------------------------------------------------ kinds of numbers


def _kinds() -> list[Sample]:
    return [
        call(values(NAN, INF, -INF, 0.0, 1.0), gradient=False),
        call(In((3,), kind="int32"), gradient=False, name="int32"),
    ]


def _bool_of(x: TensorSpec) -> TensorSpec:
    return TensorSpec(x.shape, dtypes.BOOL)


_KIND: dict[str, Any] = {
    "promote": "float",
    "differentiable": False,
    "tolerance": "exact",
    "samples": _kinds,
    "rule": _bool_of,
}


@composite(**_KIND)
def isnan(x: TensorLike) -> Any:
    """Whether an element is NaN."""
    return x != x


@composite(**_KIND)
def isinf(x: TensorLike) -> Any:
    """Whether an element is infinite."""
    return arithmetic.abs_(x) == INF


@composite(**_KIND)
def isfinite(x: TensorLike) -> Any:
    """Whether an element is neither NaN nor infinite."""
    return arithmetic.abs_(x) < INF


__all__ = [
    "and_",
    "bitwise_and",
    "bitwise_not",
    "bitwise_or",
    "bitwise_xor",
    "equal",
    "greater",
    "greater_equal",
    "invert",
    "isfinite",
    "isinf",
    "isnan",
    "less",
    "less_equal",
    "logical_and",
    "logical_not",
    "logical_or",
    "logical_xor",
    "not_equal",
    "or_",
    "xor",
]
