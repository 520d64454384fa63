"""Arithmetic: ``+ - * / // % **``, signs, and the larger or smaller of two."""

from __future__ import annotations

from typing import Any

import numpy as np

from kbackend import dtypes
from kbackend.graph.tensor import TensorSpec
from kbackend.ops.declare import TensorLike, composite, derived, primitive
from kbackend.ops.rules import (
    INF,
    NAN,
    WIDE,
    In,
    Sample,
    arithmetic,
    at,
    binary_samples,
    call,
    dtype_of,
    number,
    same,
    unary_samples,
    values,
)


def _complex_samples() -> list[Sample]:
    """Complex numbers keep their precision; beside float64 they take its."""
    single = In((2, 3), kind="complex64")
    return [
        call(single, In((3,), kind="complex64"), gradient=False, name="complex"),
        call(single, In((3,), 1, 2, kind="float64"), gradient=False, name="complex and float64"),
        call(single, 2.5, gradient=False, name="complex and 2.5"),
    ]


@primitive(promote="same", samples=binary_samples())
def add(x1: TensorLike, x2: TensorLike) -> TensorSpec:
    """``x1 + x2``, with broadcasting and promotion.

    Args:
        x1, x2: tensors or numbers.

    Returns:
        A tensor of the broadcast shape and the promoted dtype.

    Raises:
        ValueError: the shapes do not broadcast.
        TypeError: bool operands.

    >>> from kbackend import K
    >>> K.eval(K.add([1., 2.], 3)).tolist()
    [4.0, 5.0]
    """
    return arithmetic(x1, x2)


@primitive(promote="same", samples=binary_samples())
def subtract(x1: TensorLike, x2: TensorLike) -> TensorSpec:
    """``x1 - x2``. Shapes, dtypes and errors as in :func:`add`."""
    return arithmetic(x1, x2)


@primitive(promote="same", samples=lambda: [*binary_samples()(), *_complex_samples()])
def multiply(x1: TensorLike, x2: TensorLike) -> TensorSpec:
    """``x1 * x2``. Shapes, dtypes and errors as in :func:`add`."""
    return arithmetic(x1, x2)


def _divide_samples() -> list[Sample]:
    whole = call(
        values(7, -7, kind="int32"),
        values(2, 2, kind="int32"),
        row=30,
        gradient=False,
        expect=np.array([3.5, -3.5], np.float32),
        name="integers give floatx",
    )
    zero = call(
        values(1.0, -1.0, 0.0), 0.0, expect=np.array([INF, -INF, NAN]), gradient=False, name="by zero"
    )
    return [*binary_samples(0.5, takes_bool=True)(), whole, zero, *_complex_samples()]


@primitive(promote="float", samples=_divide_samples)
def divide(x1: TensorLike, x2: TensorLike) -> TensorSpec:
    """``x1 / x2``; integers give floatx. Shapes and errors as in :func:`add`."""
    return arithmetic(x1, x2)


def _division_samples() -> list[Sample]:
    a, b = (7, -7, 7, -7, 6), (2, 2, -2, -2, 3)
    far = (1.0, -1.0, 1.0, INF, NAN)
    return [
        call(In((2, 3), -5, 5), In((3,), 0.5, 2), name="floats", gradient=False, dtypes=WIDE),
        call(In((2, 1, 3), -5, 5), In((4, 1), -2, -0.5), name="broadcasting", gradient=False, dtypes=WIDE),
        call(values(*a), values(*b), name="signs of floats", gradient=False),
        call(values(*a, kind="int32"), values(*b, kind="int32"), name="signs", gradient=False),
        call(values(*far), values(INF, INF, -INF, 2.0, 1.0), name="infinities", gradient=False),
        call(values(1.0), values(0.1), name="a quotient that rounds up", gradient=False, dtypes=WIDE),
        call(In((0, 3)), In((1, 3), 1, 2), name="empty", gradient=False),
        call(
            values(1, 2, kind="int32"),
            values(1, 0, kind="int32"),
            row=34,
            raises=ZeroDivisionError,
            name="integer by zero",
        ),
        call(In((2,), kind="bool"), In((2,), kind="bool"), name="bool", raises=TypeError),
    ]


@primitive(
    promote="same",
    samples=lambda: [
        *_division_samples(),
        call(
            values(1.0, -1.0, 0.0),
            0.0,
            expect=np.array([INF, -INF, NAN]),
            gradient=False,
            name="float by zero",
        ),
        call(In((3,), 2.2, 2.8), 1.0, expect_gradient=np.zeros(3), name="gradient", dtypes=WIDE),
    ],
)
def floor_divide(x1: TensorLike, x2: TensorLike) -> TensorSpec:
    """``x1 // x2``, rounded towards minus infinity as in Python. The gradient is 0.

    Raises:
        ZeroDivisionError: an integer divided by zero.
    """
    return arithmetic(x1, x2)


@primitive(
    promote="same",
    samples=lambda: [
        *_division_samples(),
        call(In((2, 3), -5, 5, avoid=(-4, -2, 0, 2, 4)), 2.0, name="gradient", dtypes=WIDE),
        call(In((2, 3), 2.1, 2.9), In((3,), 0.9, 1.0), name="gradient of the divisor", dtypes=WIDE),
    ],
)
def mod(x1: TensorLike, x2: TensorLike) -> TensorSpec:
    """``x1 % x2``, with the sign of ``x2`` as in Python.

    Raises:
        ZeroDivisionError: an integer divided by zero.
    """
    return arithmetic(x1, x2)


@primitive(
    name="pow",
    promote="same",
    samples=lambda: [
        call(In((2, 3), 0.2, 2), In((3,), -2, 2)),
        call(In((2, 1), 0.2, 2), In((4, 1, 3), -2, 2), name="broadcasting"),
        call(values(-2.0, -3.0), values(3.0, 2.0, gradient=False), name="negative base"),
        call(In((2, 3), -4, 5, kind="int32"), In((3,), 0, 4, kind="int32"), gradient=False, name="int32"),
        call(In((0, 3)), In((3,)), name="empty"),
        call(
            values(0.0, 2.0),
            values(0.0, 3.0, gradient=False),
            row=63,
            expect=np.array([1.0, 8.0]),
            expect_gradient=np.array([0.0, 12.0]),
            name="zero to the zero",
            dtypes=WIDE,
        ),
        call(
            values(2, 3, kind="int32"),
            values(-1, 2, kind="int32"),
            row=33,
            raises=ValueError,
            name="integer to a negative power",
        ),
    ],
)
def power(x: TensorLike, y: TensorLike) -> TensorSpec:
    """``x ** y`` of tensors.

    Raises:
        ValueError: an integer to a negative power.
    """
    return arithmetic(x, y)


def _checked_exponent(specs: Any, attrs: dict[str, Any]) -> dict[str, Any]:
    exponent = attrs["exponent"]
    if dtypes.is_integer(specs[0].dtype):
        if isinstance(exponent, float):
            raise TypeError(f"the exponent {exponent} of integers is a float; cast them first")
        if exponent < 0:
            raise ValueError(f"integers cannot be raised to the negative power {exponent}; cast them first")
    return attrs


@composite(
    rule=same,
    prepare=_checked_exponent,
    samples=lambda: [
        call(In((2, 3)), exponent=3),
        call(In((2, 3), 0.2, 2), exponent=-1.5, name="negative"),
        call(In((2,)), exponent=1, name="one"),
        call(In((2, 3), -4, 5, kind="int32"), exponent=3, gradient=False),
        call(
            values(0.0, 2.0),
            exponent=0,
            row=63,
            expect=np.array([1.0, 1.0]),
            expect_gradient=np.zeros(2),
            name="zero to the zero",
        ),
        call(
            values(2, 3, kind="int32"),
            exponent=-1,
            row=33,
            raises=ValueError,
            name="integer to a negative power",
        ),
    ],
)
def power_number(x: TensorLike, *, exponent: float) -> Any:
    """``x ** exponent`` for a Python number, which engines compute faster than a tensor of exponents."""
    return power(x, exponent)


@derived(
    name="pow",
    samples=lambda: [
        call(In((2, 3)), 2, name="square"),
        call(In((2, 3), 0.2, 2), 0.5, name="root"),
        call(In((2, 3), 0.2, 2), -1.5),
        call(2.0, In((3,)), name="number to a tensor"),
        call(In((2,), -4, 5, kind="int32"), 2, gradient=False),
        call(In((2,), 1, 5, kind="int32"), 0.5, gradient=False, name="integer to a fraction"),
        call(
            values(0.0, 2.0),
            0,
            row=63,
            expect=np.ones(2),
            expect_gradient=np.zeros(2),
            name="zero to the zero",
        ),
        call(values(2, 3, kind="int32"), -1, row=33, raises=ValueError, name="integer to a negative power"),
    ],
)
def pow_(x: TensorLike, a: Any) -> Any:
    """``x ** a``; the gradient of ``x ** 0`` is 0 at 0 too.

    Args:
        x: a tensor or number.
        a: a number or tensor.

    Raises:
        ValueError: an integer to a negative integer power; the shapes do not broadcast.

    >>> from kbackend import K
    >>> K.eval(K.pow([1., 2., 3.], 2)).tolist()
    [1.0, 4.0, 9.0]
    """
    exponent = number(a)
    if exponent is None or number(x) is not None:
        return power(x, a)
    if exponent == 2 and (isinstance(exponent, int) or dtypes.is_float(dtype_of(x))):
        return square(x)
    if not dtypes.is_float(dtype_of(x)) and isinstance(exponent, float):
        return power(x, exponent)
    return sqrt(x) if exponent == 0.5 else power_number(x, exponent=exponent)


@primitive(samples=unary_samples(integers=True, takes_bool=False))
def negative(x: TensorLike) -> TensorSpec:
    """``-x``."""
    return same(x)


@primitive(
    name="abs",
    tolerance="exact",
    samples=unary_samples(
        -2,
        2,
        at([-1.0, 0.0, 1.0], [-1.0, 0.0, 1.0], name="at zero"),
        call(values(3 + 4j, 0.0, kind="complex64"), gradient=False, name="complex",
             expect=np.array([5.0, 0.0], np.float32)),
        integers=True,
        takes_bool=False,
        avoid=(0.0,),
    ),
)
def abs_(x: TensorLike) -> TensorSpec:
    """The absolute value, of complex numbers too; its gradient at 0 is 0."""
    found = same(x)
    return TensorSpec(found.shape, dtypes.real_of(found.dtype))


@primitive(
    tolerance="exact",
    samples=unary_samples(
        -2,
        2,
        call(
            values(NAN, -1.0, 0.0, INF),
            row=42,
            expect=np.array([NAN, -1.0, 0.0, 1.0]),
            gradient=False,
            name="NaN",
        ),
        at([-1.0, 0.0, 2.0], np.zeros(3), name="gradient"),
        integers=True,
        takes_bool=False,
        avoid=(0.0,),
    ),
)
def sign(x: TensorLike) -> TensorSpec:
    """-1, 0 or 1; NaN stays NaN. The gradient is 0."""
    return same(x)


@composite(rule=same, samples=unary_samples(integers=True, takes_bool=False))
def square(x: TensorLike) -> Any:
    """``x * x``."""
    return x * x


@primitive(
    promote="float",
    samples=unary_samples(
        0.1,
        3,
        call(values(0.0, -1.0, INF), expect=np.array([0.0, NAN, INF]), gradient=False, name="ends"),
        at([0.0, 4.0], [INF, 0.25], name="gradient at zero"),
        integers=True,
    ),
)
def sqrt(x: TensorLike) -> TensorSpec:
    """The square root; NaN below zero. Where no gradient flows in, none flows out, at x = 0 too."""
    return same(x)


def _tie_samples() -> list[Sample]:
    return [
        call(In((2, 3), distinct=True), In((3,), -1.9, 2.1, distinct=True), name="broadcasting"),
        call(In((2, 3), avoid=(0.5,)), 0.5, name="Python number"),
        call(
            values(1.0, 2.0, -3.0), values(1.0, 2.0, 4.0, gradient=False), row=58, name="ties", gradient=False
        ),
        call(
            values(1.0, 2.0),
            values(1.0, 2.0),
            row=58,
            expect_gradient=np.array([0.5, 0.5]),
            name="gradient at ties",
            dtypes=WIDE,
            tolerance="elementwise",
            reason="central differences of a kink give one half as well",
        ),
        call(values(NAN, 1.0, 2.0), values(1.0, NAN, 3.0), gradient=False, name="NaN"),
        call(values(INF, -INF, INF), values(1.0, 1.0, INF), gradient=False, name="infinities"),
        call(In((2, 3), -5, 5, kind="int32"), 1, gradient=False, name="int32"),
        call(In((0, 3)), In((1, 3)), name="empty"),
        call(In((2, 3)), In((4,)), name="no broadcasting", raises=ValueError),
    ]


@primitive(promote="same", tolerance="exact", samples=_tie_samples)
def maximum(x: TensorLike, y: TensorLike) -> TensorSpec:
    """The larger of two; NaN if either is. At a tie each gets half of the gradient."""
    return arithmetic(x, y)


@primitive(promote="same", tolerance="exact", samples=_tie_samples)
def minimum(x: TensorLike, y: TensorLike) -> TensorSpec:
    """The smaller of two; NaN if either is. At a tie each gets half of the gradient."""
    return arithmetic(x, y)


@primitive(
    promote="float",
    samples=lambda: [
        call(In((2, 3), 0.2, 2), In((3,), avoid=(0.0,))),
        call(
            values(0.0, 0.0, -0.0, 1.0),
            values(-0.0, 0.0, -0.0, -1.0),
            row=44,
            gradient=False,
            name="signed zeros",
            expect=np.array([np.pi, 0.0, -np.pi, 0.75 * np.pi]),
            dtypes=WIDE,
        ),
        call(In((0, 3)), In((3,)), name="empty"),
    ],
)
def atan2(y: TensorLike, x: TensorLike) -> TensorSpec:
    """The angle of the point (x, y), from -pi to pi, with the signs of zeros as in C."""
    return arithmetic(y, x)


__all__ = [
    "abs_",
    "add",
    "atan2",
    "divide",
    "floor_divide",
    "maximum",
    "minimum",
    "mod",
    "multiply",
    "negative",
    "pow_",
    "power",
    "power_number",
    "sign",
    "sqrt",
    "square",
    "subtract",
]
