"""Arithmetic, element by element: sums, products, quotients, remainders, absolute values and signs."""

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
    """Samples of complex operands: their precision is kept, and raised by a float64 operand."""
    single = In((2, 3), kind="complex64")
    return [
        call(single, In((3,), kind="complex64"), gradient=False, name="complex"),
        call(single, In((3,), 1, 2, kind="float64"), gradient=False, name="complex and float64"),
        call(single, 2.5, gradient=False, name="complex and 2.5"),
    ]


@primitive(takes_complex=True, promote="same", spellings=X_IS_X1,
           static_value=static_values.elementwise(operator.add), samples=binary_samples())
def add(x1: TensorLike, x2: TensorLike) -> TensorSpec:
    """``x1 + x2``, element by element (NumPy's ``add``).

    Args:
        x1, x2: tensors or numbers whose shapes broadcast.

    Returns:
        A tensor of the broadcast shape and the promoted dtype.

    Raises:
        ValueError: the shapes do not broadcast.
        TypeError: a bool operand.

    >>> from kbackend import K
    >>> K.eval(K.add([1., 2.], 3)).tolist()
    [4.0, 5.0]
    """
    return arithmetic(x1, x2)


@primitive(takes_complex=True, promote="same", spellings=X_IS_X1,
           static_value=static_values.elementwise(operator.sub), samples=binary_samples())
def subtract(x1: TensorLike, x2: TensorLike) -> TensorSpec:
    """``x1 - x2``, element by element (NumPy's ``subtract``). Arguments, result and errors as in :func:`add`.

    >>> from kbackend import K
    >>> K.eval(K.subtract([1., 2.], 3)).tolist()
    [-2.0, -1.0]
    """
    return arithmetic(x1, x2)


@primitive(takes_complex=True, promote="same", spellings=X_IS_X1,
           static_value=static_values.elementwise(operator.mul),
           samples=lambda: [*binary_samples()(), *complex_samples()])
def multiply(x1: TensorLike, x2: TensorLike) -> TensorSpec:
    """``x1 * x2``, element by element (NumPy's ``multiply``). Arguments, result and errors as in :func:`add`.

    >>> from kbackend import K
    >>> K.eval(K.multiply([1., 2.], 3)).tolist()
    [3.0, 6.0]
    """
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
    """``x1 / x2``, element by element (NumPy's ``divide``).

    Args:
        x1, x2: tensors or numbers whose shapes broadcast; integers and bools are promoted to floatx.

    Returns:
        A tensor of the broadcast shape; a division by zero gives inf or NaN.

    Raises:
        ValueError: the shapes do not broadcast.

    >>> from kbackend import K
    >>> K.eval(K.divide([1., 2.], 4)).tolist()
    [0.25, 0.5]
    """
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
    """``x1 // x2``, rounded towards minus infinity as in Python (NumPy's ``floor_divide``).

    Args:
        x1, x2: tensors or numbers whose shapes broadcast.

    Returns:
        A tensor of the broadcast shape and the promoted dtype. Its gradient is 0.

    Raises:
        ZeroDivisionError: an integer divided by zero.
        ValueError: the shapes do not broadcast.
        TypeError: a bool operand.

    >>> from kbackend import K
    >>> K.eval(K.floor_divide([7., -7.], 2)).tolist()
    [3.0, -4.0]
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
    """``x1 % x2``, with the sign of ``x2`` as in Python (NumPy's ``mod``).

    Arguments, result and errors as in :func:`floor_divide`; the gradient of ``x2`` is ``-(x1 // x2)``.

    >>> from kbackend import K
    >>> K.eval(K.mod([7., -7.], 2)).tolist()
    [1.0, 1.0]
    """
    return arithmetic(x1, x2)


@primitive(takes_complex=True, static_value=static_values.elementwise(operator.neg),
           samples=unary_samples(integers=True, takes_bool=False))
def negative(x: TensorLike) -> TensorSpec:
    """``-x`` (NumPy's ``negative``).

    Args:
        x: a tensor of numbers, of any shape.

    Raises:
        TypeError: a bool tensor.

    >>> from kbackend import K
    >>> K.eval(K.negative([1., -2.])).tolist()
    [-1.0, 2.0]
    """
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
    """The absolute value (NumPy's ``abs``).

    Args:
        x: a tensor of numbers, of any shape.

    Returns:
        A tensor of the dtype of ``x``, of floats for complex numbers. The gradient at 0 is 0.

    Raises:
        TypeError: a bool tensor.

    >>> from kbackend import K
    >>> K.eval(K.abs([1., -2.])).tolist()
    [1.0, 2.0]
    """
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
    """-1, 0 or 1, the sign of an element; NaN for NaN (NumPy's ``sign``).

    Args:
        x: a tensor of integers or floats, of any shape.

    Returns:
        A tensor of the dtype of ``x``. Its gradient is 0.

    Raises:
        TypeError: a bool or complex tensor.

    >>> from kbackend import K
    >>> K.eval(K.sign([3., -2., 0.])).tolist()
    [1.0, -1.0, 0.0]
    """
    return same(x)


@composite(takes_complex=True, promote="float", rule=same,
           samples=unary_samples(0.5, 3, ends(0.0, -INF, expect=[INF, -0.0])))
def reciprocal(x: TensorLike) -> Any:
    """``1 / x`` (NumPy's ``reciprocal`` of floats).

    Args:
        x: a tensor of any shape; integers and bools are promoted to floatx.

    >>> from kbackend import K, ops
    >>> K.eval(ops.reciprocal(K.constant([2., -4.]))).tolist()
    [0.5, -0.25]
    """
    return 1.0 / x


@derived(samples=pair_samples(low=0.5))
def true_divide(x1: TensorLike, x2: TensorLike) -> Any:
    """``x1 / x2``, another name of :func:`divide` (NumPy's ``true_divide``).

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
    """``x1 / x2``, and 0 with gradient 0 where ``x2`` is 0.

    Args:
        x1, x2: tensors or numbers whose shapes broadcast; integers are promoted to floatx.

    Returns:
        A tensor of the broadcast shape.

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
    """The remainder of ``x1 / x2`` rounded towards 0, with the sign of ``x1`` as in C (NumPy's ``fmod``).

    Args:
        x1, x2: tensors or numbers whose shapes broadcast.

    Returns:
        A tensor of the broadcast shape and the promoted dtype.

    Raises:
        ZeroDivisionError: an integer divided by zero.
        ValueError: the shapes do not broadcast.
        TypeError: a bool operand.

    >>> from kbackend import K
    >>> from kbackend.ops import fmod
    >>> K.eval(fmod(K.constant([7.0, -7.0]), 2.0)).tolist()
    [1.0, -1.0]
    """
    is_negative = x1 < 0
    remainder = select_elements(is_negative, -x1, x1) % abs_(x2)
    return select_elements(is_negative, -remainder, remainder)


@composite(promote="float", rule=arithmetic, tolerance="exact", samples=pair_samples(
    call(values(-1.5, 0.0, 2.0, NAN, -0.0), 0.5, gradient=False, expect=np.array([0.0, 0.5, 1.0, NAN, 0.5]),
         name="Python number"),
    call(values(-1.5, 0.0, 2.0), values(0.25, 0.25, 0.25), gradient=False, name="at zero"),
    avoid=(0.0,)))
def heaviside(x1: TensorLike, x2: TensorLike) -> Any:
    """The Heaviside step function (NumPy's ``heaviside``): 0 for negative ``x1``, 1 for positive, ``x2`` for 0.

    Args:
        x1: a tensor of any shape; integers are promoted to floatx.
        x2: the value at 0; a tensor or number that broadcasts with ``x1``.

    Returns:
        A tensor of the broadcast shape; NaN where ``x1`` is NaN. The gradient of ``x1`` is 0; that of ``x2`` is 1 where
        ``x1`` is 0.

    Raises:
        ValueError: the shapes do not broadcast.

    >>> from kbackend import K
    >>> from kbackend.ops import heaviside
    >>> K.eval(heaviside(K.constant([-1.0, 0.0, 3.0]), 0.5)).tolist()
    [0.0, 0.5, 1.0]
    """
    step = (sign(x1) + 1.0) * 0.5
    return select_elements(x1 == 0.0, x2, step)


@derived(samples=unary_samples(-2, 2, integers=True, avoid=(0.0,)))
def fabs(x: TensorLike) -> Any:
    """The absolute value as a float (NumPy's ``fabs``).

    Args:
        x: a tensor of any shape; integers are promoted to floatx.

    Returns:
        A float tensor. The gradient at 0 is 0.

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
