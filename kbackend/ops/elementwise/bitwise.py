"""Operations on the bits of integers, and common divisors."""

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
    """``x << y`` of integers, with broadcasting. Counts below 0 or from the width of the dtype on are not promised.

    Raises:
        TypeError: operands that are not integers.
        ValueError: the shapes do not broadcast.

    >>> from kbackend import K
    >>> from kbackend.ops import bitwise_left_shift
    >>> K.eval(bitwise_left_shift(K.constant([1, 5], dtype="int32"), 2)).tolist()
    [4, 20]
    """
    return bitwise(x, y)


@primitive(name="right_shift", **_SHIFT, samples=_shift_samples)
def bitwise_right_shift(x: TensorLike, y: TensorLike) -> TensorSpec:
    """``x >> y`` of integers; the sign stays. Shapes and errors as in :func:`bitwise_left_shift`.

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
    """The greatest common divisor of integers, from 0 on; ``gcd(0, n)`` is ``|n|``. As NumPy's.

    Raises:
        TypeError: operands that are not integers.
        ValueError: the shapes do not broadcast.

    >>> from kbackend import K
    >>> from kbackend.ops import gcd
    >>> K.eval(gcd(K.constant([12, -9], dtype="int32"), 6)).tolist()
    [6, 3]
    """
    return bitwise(x1, x2)


@composite(**_SHIFT, rule=bitwise, samples=_divisor_samples)
def lcm(x1: TensorLike, x2: TensorLike) -> Any:
    """The least common multiple of integers, from 0 on; 0 where one is 0. Errors as in :func:`gcd`.

    >>> from kbackend import K
    >>> from kbackend.ops import lcm
    >>> K.eval(lcm(K.constant([4, -3], dtype="int32"), 6)).tolist()
    [12, 6]
    """
    divisor = gcd(x1, x2)
    parts = x1 // select_elements(divisor == 0, 1, divisor)
    return abs_(parts * x2)


left_shift = bitwise_left_shift
right_shift = bitwise_right_shift
bitwise_invert = bitwise_not

__all__ = [
    "bitwise_and", "bitwise_invert", "bitwise_left_shift", "bitwise_not", "bitwise_or", "bitwise_right_shift",
    "bitwise_xor", "gcd", "lcm", "left_shift", "right_shift",
]
