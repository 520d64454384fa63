"""Bitwise operations and common divisors of integers."""

from __future__ import annotations

from typing import Any

from kbackend.declare.decorate import composite, primitive
from kbackend.declare.op import TensorLike
from kbackend.declare.rules import bitwise, values
from kbackend.declare.sample import In, Sample, call
from kbackend.graph.tensor import TensorSpec
from kbackend.ops.elementwise.arithmetic import abs_
from kbackend.ops.elementwise.select import select_elements


def _bits() -> list[Sample]:
    return [
        call(In((2, 3), -9, 9, kind="int32"), In((3,), -9, 9, kind="int32"), gradient=False),
        call(In((4,), 0, 9, kind="uint8"), 5, gradient=False, name="uint8 and a number"),
        call(In((3,)), In((3,)), raises=TypeError, name="floats"),
    ]


_BITS: dict[str, Any] = {"promote": "same", "differentiable": False, "tolerance": "exact", "samples": _bits}


@primitive(**_BITS)
def bitwise_and(x: TensorLike, y: TensorLike) -> TensorSpec:
    """``x & y``, bit by bit (NumPy's ``bitwise_and``).

    Args:
        x, y: integer tensors or numbers whose shapes broadcast.

    Returns:
        A tensor of the broadcast shape and the promoted integer dtype.

    Raises:
        TypeError: an operand that is not an integer.
        ValueError: the shapes do not broadcast.

    >>> from kbackend import K, ops
    >>> K.eval(ops.bitwise_and(K.constant([6, 3], "int32"), 2)).tolist()
    [2, 2]
    """
    return bitwise(x, y)


@primitive(**_BITS)
def bitwise_or(x: TensorLike, y: TensorLike) -> TensorSpec:
    """``x | y``, bit by bit (NumPy's ``bitwise_or``). Arguments, result and errors as in :func:`bitwise_and`.

    >>> from kbackend import K, ops
    >>> K.eval(ops.bitwise_or(K.constant([6, 3], "int32"), 1)).tolist()
    [7, 3]
    """
    return bitwise(x, y)


@primitive(**_BITS)
def bitwise_xor(x: TensorLike, y: TensorLike) -> TensorSpec:
    """``x ^ y``, bit by bit (NumPy's ``bitwise_xor``). Arguments, result and errors as in :func:`bitwise_and`.

    >>> from kbackend import K, ops
    >>> K.eval(ops.bitwise_xor(K.constant([6, 3], "int32"), 2)).tolist()
    [4, 1]
    """
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
    """``~x``, bit by bit (NumPy's ``bitwise_not``).

    Args:
        x: an integer tensor of any shape.

    Raises:
        TypeError: a tensor that is not of integers.

    >>> from kbackend import K, ops
    >>> K.eval(ops.bitwise_not(K.constant([0, 5], "int32"))).tolist()
    [-1, -6]
    """
    return bitwise(x)


def _shift_samples() -> list[Sample]:
    return [
        call(In((2, 3), -99, 99, kind="int32"), In((3,), 0, 9, kind="int32"), gradient=False),
        call(In((2, 1), -9, 9, kind="int64"), 3, gradient=False, name="int64 and a number"),
        call(In((4,), 0, 255, kind="uint8"), In((2, 1), 0, 7, kind="uint8"), gradient=False, name="uint8"),
        call(In((0, 3), kind="int32"), In((3,), 0, 3, kind="int32"), gradient=False, name="empty"),
        call(In((2,)), In((2,)), raises=TypeError, name="floats"),
        call(In((2,), kind="bool"), In((2,), kind="bool"), raises=TypeError, name="bool"),
    ]


_SHIFT: dict[str, Any] = {"promote": "same", "differentiable": False, "tolerance": "exact"}


@primitive(name="left_shift", **_SHIFT, samples=_shift_samples)
def bitwise_left_shift(x: TensorLike, y: TensorLike) -> TensorSpec:
    """``x << y`` (NumPy's ``left_shift``).

    Args:
        x: an integer tensor or number.
        y: the number of bits, in [0, width of the dtype); engines differ outside of this range.

    Returns:
        A tensor of the broadcast shape and the promoted integer dtype.

    Raises:
        TypeError: an operand that is not an integer.
        ValueError: the shapes do not broadcast.

    >>> from kbackend import K
    >>> from kbackend.ops import bitwise_left_shift
    >>> K.eval(bitwise_left_shift(K.constant([1, 5], dtype="int32"), 2)).tolist()
    [4, 20]
    """
    return bitwise(x, y)


@primitive(name="right_shift", **_SHIFT, samples=_shift_samples)
def bitwise_right_shift(x: TensorLike, y: TensorLike) -> TensorSpec:
    """``x >> y``, arithmetic: the sign is kept (NumPy's ``right_shift``).

    Arguments, result and errors as in :func:`bitwise_left_shift`.

    >>> from kbackend import K
    >>> from kbackend.ops import bitwise_right_shift
    >>> K.eval(bitwise_right_shift(K.constant([20, -8], dtype="int32"), 2)).tolist()
    [5, -2]
    """
    return bitwise(x, y)


def _divisor_samples() -> list[Sample]:
    return [
        call(In((2, 3), -60, 60, kind="int32"), In((3,), -60, 60, kind="int32"), gradient=False),
        call(values(0, 0, 12, -12, 7, kind="int64"), values(0, 5, -18, -18, 1, kind="int64"), gradient=False,
             name="zeros and signs"),
        call(In((2, 1), 1, 90, kind="int32"), 12, gradient=False, name="Python number"),
        call(In((0, 3), kind="int32"), In((1, 3), kind="int32"), gradient=False, name="empty"),
        call(In((2,)), In((2,)), raises=TypeError, name="floats"),
    ]


@primitive(**_SHIFT, samples=_divisor_samples)
def gcd(x1: TensorLike, x2: TensorLike) -> TensorSpec:
    """The greatest common divisor, not negative; ``gcd(0, n)`` is ``|n|`` (NumPy's ``gcd``).

    Args:
        x1, x2: integer tensors or numbers whose shapes broadcast.

    Returns:
        A tensor of the broadcast shape and the promoted integer dtype.

    Raises:
        TypeError: an operand that is not an integer.
        ValueError: the shapes do not broadcast.

    >>> from kbackend import K
    >>> from kbackend.ops import gcd
    >>> K.eval(gcd(K.constant([12, -9], dtype="int32"), 6)).tolist()
    [6, 3]
    """
    return bitwise(x1, x2)


@composite(**_SHIFT, rule=bitwise, samples=_divisor_samples)
def lcm(x1: TensorLike, x2: TensorLike) -> Any:
    """The least common multiple, not negative; 0 if an operand is 0 (NumPy's ``lcm``).

    Arguments, result and errors as in :func:`gcd`.

    >>> from kbackend import K
    >>> from kbackend.ops import lcm
    >>> K.eval(lcm(K.constant([4, -3], dtype="int32"), 6)).tolist()
    [12, 6]
    """
    divisor = gcd(x1, x2)
    return abs_(x1 // select_elements(divisor == 0, 1, divisor) * x2)


left_shift = bitwise_left_shift
right_shift = bitwise_right_shift
bitwise_invert = bitwise_not

__all__ = [
    "bitwise_and", "bitwise_invert", "bitwise_left_shift", "bitwise_not", "bitwise_or", "bitwise_right_shift",
    "bitwise_xor", "gcd", "lcm", "left_shift", "right_shift",
]
