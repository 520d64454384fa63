"""Logic of bool tensors, and the operators ``&``, ``|``, ``^`` and ``~`` of bool and integer tensors."""

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
    """``x1 and x2``, element by element (NumPy's ``logical_and``).

    Args:
        x1, x2: bool tensors or bools whose shapes broadcast.

    Returns:
        A bool tensor of the broadcast shape.

    Raises:
        TypeError: an operand that is not bool.
        ValueError: the shapes do not broadcast.

    >>> from kbackend import K, ops
    >>> K.eval(ops.logical_and([True, False], True)).tolist()
    [True, False]
    """
    return logical(x1, x2)


@primitive(**_LOGIC, spellings=X_IS_X1)
def logical_or(x1: TensorLike, x2: TensorLike) -> TensorSpec:
    """``x1 or x2``, element by element (NumPy's ``logical_or``).

    Arguments, result and errors as in :func:`logical_and`.

    >>> from kbackend import K, ops
    >>> K.eval(ops.logical_or([True, False], False)).tolist()
    [True, False]
    """
    return logical(x1, x2)


@composite(**_LOGIC, spellings=X_IS_X1, rule=logical, prepare=lambda specs, attrs: (logical(*specs), attrs)[1])
def logical_xor(x1: TensorLike, x2: TensorLike) -> Any:
    """``x1 != x2`` of bools, element by element (NumPy's ``logical_xor``).

    Arguments, result and errors as in :func:`logical_and`.

    >>> from kbackend import K, ops
    >>> K.eval(ops.logical_xor([True, False], True)).tolist()
    [False, True]
    """
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
    """``not x``, element by element (NumPy's ``logical_not``).

    Args:
        x: a bool tensor of any shape.

    Raises:
        TypeError: a tensor that is not bool.

    >>> from kbackend import K, ops
    >>> K.eval(ops.logical_not([True, False])).tolist()
    [False, True]
    """
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
    """``x & y``: :func:`logical_and` of bool operands, :func:`bitwise_and` of integers.

    Args:
        x, y: two bool tensors, or two of integers, whose shapes broadcast.

    >>> from kbackend import K
    >>> K.eval(K.and_(K.constant([6, 3], "int32"), 2)).tolist()
    [2, 2]
    """
    return logical_and(x, y) if _is_bool(x) and _is_bool(y) else bitwise_and(x, y)


@derived(name="or_", **_OPERATOR)
def or_(x: TensorLike, y: TensorLike) -> Any:
    """``x | y``: :func:`logical_or` of bool operands, :func:`bitwise_or` of integers.

    Args:
        x, y: two bool tensors, or two of integers, whose shapes broadcast.

    >>> from kbackend import K
    >>> K.eval(K.or_(K.constant([6, 3], "int32"), 1)).tolist()
    [7, 3]
    """
    return logical_or(x, y) if _is_bool(x) and _is_bool(y) else bitwise_or(x, y)


@derived(name="xor", **_OPERATOR)
def xor(x: TensorLike, y: TensorLike) -> Any:
    """``x ^ y``: :func:`logical_xor` of bool operands, :func:`bitwise_xor` of integers.

    Args:
        x, y: two bool tensors, or two of integers, whose shapes broadcast.

    >>> from kbackend import K
    >>> K.eval(K.xor(K.constant([6, 3], "int32"), 2)).tolist()
    [4, 1]
    """
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
    """``~x``: :func:`logical_not` of a bool tensor, :func:`bitwise_not` of integers.

    Args:
        x: a tensor of bool or integers, of any shape.

    >>> from kbackend import K
    >>> K.eval(K.invert([True, False])).tolist()
    [False, True]
    """
    return logical_not(x) if _is_bool(x) else bitwise_not(x)


__all__ = ["logical_and", "logical_not", "logical_or", "logical_xor"]
