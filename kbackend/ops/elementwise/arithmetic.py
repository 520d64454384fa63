"""Sums, products, quotients and signs, element by element."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from kbackend import dtypes
from kbackend.declare import static_values
from kbackend.declare.call import dtype_of
from kbackend.declare.decorate import X_IS_X1, composite, derived, primitive
from kbackend.declare.op import TensorLike
from kbackend.declare.rules import (
    INF,
    NAN,
    WIDE,
    arithmetic,
    at,
    binary_samples,
    ends,
    pair_samples,
    same,
    unary_samples,
    values,
)
from kbackend.declare.sample import In, Sample, call
from kbackend.graph.tensor import TensorSpec
from kbackend.ops.core.cast import cast
from kbackend.ops.elementwise.select import select_elements


def complex_samples() -> list[Sample]:
    """Complex numbers keep their precision; beside float64 they take its."""
    single = In((2, 3), kind="complex64")
    return [
        call(single, In((3,), kind="complex64"), gradient=False, name="complex"),
        call(single, In((3,), 1, 2, kind="float64"), gradient=False, name="complex and float64"),
        call(single, 2.5, gradient=False, name="complex and 2.5"),
    ]


@primitive(takes_complex=True, promote="same", spellings=X_IS_X1,
           static_value=static_values.elementwise(operator.add), samples=binary_samples())
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


@primitive(takes_complex=True, promote="same", spellings=X_IS_X1,
           static_value=static_values.elementwise(operator.sub), samples=binary_samples())
def subtract(x1: TensorLike, x2: TensorLike) -> TensorSpec:
    """``x1 - x2``. Shapes, dtypes and errors as in :func:`add`."""
    return arithmetic(x1, x2)


@primitive(takes_complex=True, promote="same", spellings=X_IS_X1,
           static_value=static_values.elementwise(operator.mul),
           samples=lambda: [*binary_samples()(), *complex_samples()])
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
    return [*binary_samples(0.5, takes_bool=True)(), whole, zero, *complex_samples()]


@primitive(takes_complex=True, promote="float", spellings=X_IS_X1, samples=_divide_samples)
def divide(x1: TensorLike, x2: TensorLike) -> TensorSpec:
    """``x1 / x2``; integers give floatx. Shapes and errors as in :func:`add`."""
    return arithmetic(x1, x2)


def division_samples() -> list[Sample]:
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
    static_value=static_values.elementwise(operator.floordiv),
    spellings=X_IS_X1,
    promote="same",
    samples=lambda: [
        *division_samples(),
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
    static_value=static_values.elementwise(operator.mod),
    spellings=X_IS_X1,
    promote="same",
    samples=lambda: [
        *division_samples(),
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


@primitive(takes_complex=True, static_value=static_values.elementwise(operator.neg),
           samples=unary_samples(integers=True, takes_bool=False))
def negative(x: TensorLike) -> TensorSpec:
    """``-x``."""
    return same(x)


@primitive(
    takes_complex=True,
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


@composite(takes_complex=True, promote="float", rule=same,
           samples=unary_samples(0.5, 3, ends(0.0, -INF, expect=[INF, -0.0])))
def reciprocal(x: TensorLike) -> Any:
    """``1 / x``."""
    return 1.0 / x


@derived(samples=pair_samples(low=0.5))
def true_divide(x1: TensorLike, x2: TensorLike) -> Any:
    """``x1 / x2``; integers give floatx. Shapes and errors as in ``K.divide``.

    >>> from kbackend import K
    >>> from kbackend.ops import true_divide
    >>> K.eval(true_divide(K.constant([1.0, 3.0]), 2)).tolist()
    [0.5, 1.5]
    """
    return divide(x1, x2)


@composite(promote="float", rule=arithmetic, samples=pair_samples(
    call(values(1.0, 0.0, 3.0, NAN), values(0.0, 0.0, -2.0, 0.0), expect=np.array([0.0, 0.0, -1.5, 0.0]),
         expect_gradient=np.array([0.0, 0.0, -0.5, 0.0]), name="by zero"),
    call(3.0, In((2,), 0.5, 2.0), name="Python number"), low=0.5))
def divide_no_nan(x1: TensorLike, x2: TensorLike) -> Any:
    """``x1 / x2``, and 0 where ``x2`` is 0, with gradient 0 there; integers give floatx.

    Raises:
        ValueError: the shapes do not broadcast.

    >>> from kbackend import K
    >>> from kbackend.ops import divide_no_nan
    >>> K.eval(divide_no_nan(K.constant([1.0, 1.0]), [0.0, 2.0])).tolist()
    [0.0, 0.5]
    """
    zero = x2 == 0.0
    return select_elements(zero, 0.0, x1 / select_elements(zero, 1.0, x2))


@composite(promote="same", rule=arithmetic, samples=lambda: [
    call(values(7, -7, 7, -7, 6, 0), values(2, 2, -2, -2, 3, 3), name="signs of floats", gradient=False,
         expect=np.array([1.0, -1.0, 1.0, -1.0, 0.0, 0.0])),
    call(values(7, -7, 7, -7, kind="int32"), values(2, 2, -2, -2, kind="int32"), gradient=False, name="signs"),
    call(In((2, 1, 3), 2.1, 2.9), In((4, 1), 0.9, 1.0), name="broadcasting", dtypes=WIDE),
    call(values(0.0, -2.5, 2.5), 2.0, expect_gradient=np.ones(3), name="gradient"),
    call(In((0, 3)), In((1, 3), 1, 2), name="empty"),
    call(values(1, 2, kind="int32"), 0, row=34, raises=ZeroDivisionError, name="integer by zero"),
    call(In((2,)), In((3,)), raises=ValueError, name="no broadcasting")])
def fmod(x1: TensorLike, x2: TensorLike) -> Any:
    """The rest of ``x1 / x2`` rounded towards 0; it has the sign of ``x1``, as in C.

    Raises:
        ZeroDivisionError: an integer divided by zero.
        ValueError: the shapes do not broadcast.

    >>> from kbackend import K
    >>> from kbackend.ops import fmod
    >>> K.eval(fmod(K.constant([7.0, -7.0]), 2.0)).tolist()
    [1.0, -1.0]
    """
    divisor = abs_(x2)
    below = x1 < 0
    rest = select_elements(below, -x1, x1) % divisor
    return select_elements(below, -rest, rest)


@composite(promote="float", rule=arithmetic, tolerance="exact", samples=pair_samples(
    call(values(-1.5, 0.0, 2.0, NAN, -0.0), 0.5, gradient=False, expect=np.array([0.0, 0.5, 1.0, NAN, 0.5]),
         name="Python number"),
    call(values(-1.5, 0.0, 2.0), values(0.25, 0.25, 0.25), gradient=False, name="at zero"),
    avoid=(0.0,)))
def heaviside(x1: TensorLike, x2: TensorLike) -> Any:
    """0 where ``x1`` is negative, 1 where it is positive, ``x2`` where it is 0; NaN stays NaN; integers give floatx.

    The gradient of ``x1`` is 0, that of ``x2`` flows where it is taken.

    Raises:
        ValueError: the shapes do not broadcast.

    >>> from kbackend import K
    >>> from kbackend.ops import heaviside
    >>> K.eval(heaviside(K.constant([-1.0, 0.0, 3.0]), 0.5)).tolist()
    [0.0, 0.5, 1.0]
    """
    sides = (sign(x1) + 1.0) * 0.5
    return select_elements(x1 == 0.0, x2, sides)


@derived(samples=unary_samples(-2, 2, integers=True, avoid=(0.0,)))
def fabs(x: TensorLike) -> Any:
    """The absolute value as a float; its gradient at 0 is 0; integers give floatx.

    >>> from kbackend import K
    >>> from kbackend.ops import fabs
    >>> K.eval(fabs(K.constant([-2, 3], dtype="int32"))).tolist()
    [2.0, 3.0]
    """
    return abs_(x if dtypes.is_float(dtype_of(x)) else cast(x, dtypes.canonical("float")))


absolute = abs_

__all__ = [
    "absolute", "add", "divide", "divide_no_nan", "fabs", "floor_divide", "fmod", "heaviside", "mod",
    "multiply", "negative", "reciprocal", "sign", "subtract", "true_divide",
]
