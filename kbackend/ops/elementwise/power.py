"""Powers and roots, element by element."""

from __future__ import annotations

from typing import Any

import numpy as np

from kbackend import dtypes
from kbackend.declare.call import dtype_of
from kbackend.declare.decorate import composite, derived, primitive
from kbackend.declare.op import TensorLike
from kbackend.declare.rules import (
    INF,
    NAN,
    WIDE,
    arithmetic,
    at,
    ends,
    not_finite,
    number,
    pair_samples,
    same,
    unary_samples,
    values,
)
from kbackend.declare.sample import In, call
from kbackend.graph.tensor import TensorSpec
from kbackend.ops.core.cast import stop_gradient
from kbackend.ops.elementwise.arithmetic import abs_
from kbackend.ops.elementwise.floating import isfinite, isinf
from kbackend.ops.elementwise.precision import precise
from kbackend.ops.elementwise.select import maximum, select_elements


def masked_root(x: TensorLike) -> Any:
    """``sqrt(x)`` with gradient 0 where x is 0, as in norms and standard deviations (docs/semantics.md, row 60)."""
    is_zero = x == 0.0
    return select_elements(is_zero, x, sqrt(select_elements(is_zero, 1.0, x)))


@primitive(
    takes_complex=True,
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
def pow_tensors(x: TensorLike, y: TensorLike) -> TensorSpec:
    """``x ** y`` of tensors.

    Args:
        x, y: tensors or numbers whose shapes broadcast.

    Returns:
        A tensor of the broadcast shape and the promoted dtype. The gradient of ``x`` is 0 where ``y`` is 0.

    Raises:
        ValueError: an integer raised to a negative power, or shapes that do not broadcast.
    """
    return arithmetic(x, y)


def _checked_exponent(specs: Any, attrs: dict[str, Any]) -> dict[str, Any]:
    exponent = attrs["exponent"]
    if dtypes.is_integer(specs[0].dtype):
        if isinstance(exponent, float):
            raise TypeError(f"integers have the float exponent {exponent}; cast them first")
        if exponent < 0:
            raise ValueError(f"integers cannot be raised to the negative power {exponent}; cast them first")
    return attrs


@composite(
    takes_complex=True,
    rule=same,
    prepare=_checked_exponent,
    samples=lambda: [
        call(In((2, 3)), exponent=3),
        call(In((2, 3), 0.2, 2), exponent=-1.5, name="negative"),
        call(In((2, 3), 0.2, 2), exponent=-1.5, gradient=False, dtypes=("bfloat16",), name="bfloat16"),
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
    """``x ** exponent`` for a Python number, which engines compute faster than a power of two tensors."""
    return pow_tensors(x, exponent)


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
    """``x ** a`` (Keras's ``K.pow``).

    Args:
        x: a tensor or number.
        a: the exponent, a number or a tensor that broadcasts with ``x``.

    Returns:
        A tensor of the broadcast shape and the promoted dtype. The gradient of ``x ** 0`` is 0, at 0 too.

    Raises:
        ValueError: an integer raised to a negative integer power, or shapes that do not broadcast.

    >>> from kbackend import K
    >>> K.eval(K.pow([1., 2., 3.], 2)).tolist()
    [1.0, 4.0, 9.0]
    """
    exponent = number(a)
    if exponent is None or number(x) is not None:
        return pow_tensors(x, a)
    if exponent == 2 and (isinstance(exponent, int) or dtypes.is_float(dtype_of(x))):
        return square(x)
    if not dtypes.is_float(dtype_of(x)) and isinstance(exponent, float):
        return pow_tensors(x, exponent)
    return sqrt(x) if exponent == 0.5 else power_number(x, exponent=exponent)


@composite(takes_complex=True, rule=same, samples=unary_samples(integers=True, takes_bool=False))
def square(x: TensorLike) -> Any:
    """``x * x`` (NumPy's ``square``).

    Args:
        x: a tensor of numbers, of any shape.

    Raises:
        TypeError: a bool tensor.

    >>> from kbackend import K
    >>> K.eval(K.square([1., -3.])).tolist()
    [1.0, 9.0]
    """
    return x * x


@primitive(
    takes_complex=True,
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
    """The square root (NumPy's ``sqrt``); NaN for negative numbers.

    Args:
        x: a tensor of any shape; integers are promoted to floatx.

    Returns:
        A tensor of the shape of ``x``. Its gradient is 0 wherever the incoming gradient is 0, at x = 0 too.

    >>> from kbackend import K
    >>> K.eval(K.sqrt([4., 9.])).tolist()
    [2.0, 3.0]
    """
    return same(x)


@composite(takes_complex=True, promote="float", rule=same,
           samples=unary_samples(0.1, 3, ends(0.0, INF, expect=[INF, 0.0])))
def rsqrt(x: TensorLike) -> Any:
    """``1 / sqrt(x)``; inf at 0, NaN for negative numbers.

    Args:
        x: a tensor of any shape; integers are promoted to floatx.

    >>> from kbackend import K, ops
    >>> K.eval(ops.rsqrt(K.constant([4., 16.]))).tolist()
    [0.5, 0.25]
    """
    return 1.0 / sqrt(x)


@derived(name="power", samples=lambda: [
    call(In((2, 1, 3), 0.2, 2.0), In((4, 1)), name="broadcasting"),
    call(In((2, 3)), 3, name="Python number"),
    call(values(2, 3, kind="int32"), -1, row=33, raises=ValueError, name="integer to a negative power")])
def power(x1: TensorLike, x2: TensorLike) -> Any:
    """``x1 ** x2`` (NumPy's ``power``). Arguments, result and errors as in :func:`kbackend.backend.pow`.

    Args:
        x1: the base, a tensor of numbers.
        x2: the exponent, a tensor whose shape broadcasts with that of ``x1``.

    >>> from kbackend import K
    >>> from kbackend.ops import power
    >>> K.eval(power(K.constant([2.0, 3.0]), 2)).tolist()
    [4.0, 9.0]
    """
    return pow_(x1, x2)


@composite(promote="float", rule=arithmetic, samples=pair_samples(
    call(values(3.0, 0.0, -5.0), values(4.0, 0.0, 0.0), expect=np.array([5.0, 0.0, 5.0]), name="at zero", row=60,
         expect_gradient=np.array([0.6, 0.0, -1.0])),
    call(values(3e200, 1e-200), values(4e200, 1e-200), gradient=False, dtypes=("float64",), name="far"),
    not_finite(INF, -INF, NAN, 1.0), avoid=(0.0,)))
def hypot(x1: TensorLike, x2: TensorLike) -> Any:
    """``sqrt(x1**2 + x2**2)`` without overflow (NumPy's ``hypot``); inf if an operand is infinite.

    Args:
        x1, x2: real tensors or numbers whose shapes broadcast; integers are promoted to floatx.

    Returns:
        A tensor of the broadcast shape. The gradient at (0, 0) is 0.

    Raises:
        ValueError: the shapes do not broadcast.

    >>> from kbackend import K
    >>> from kbackend.ops import hypot
    >>> K.eval(hypot(K.constant([3.0, 0.0]), [4.0, 0.0])).tolist()
    [5.0, 0.0]
    """
    size = stop_gradient(maximum(abs_(x1), abs_(x2)))
    size = select_elements(isfinite(size) & (size > 0.0), size, 1.0)
    squares = square(x1 / size) + square(x2 / size)
    return select_elements(isinf(x1) | isinf(x2), INF, masked_root(squares) * size)


@composite(promote="float", rule=same, samples=unary_samples(
    -3, 3, call(values(0.0, INF, -INF, NAN), gradient=False, name="ends"),
    at([0.0, 1.0, -1.0], [INF, 1 / 3, 1 / 3], name="gradient at zero"), integers=True, avoid=(0.0,)))
def cbrt(x: TensorLike) -> Any:
    """The real cube root, negative for negative numbers (NumPy's ``cbrt``).

    Args:
        x: a real tensor of any shape; integers are promoted to floatx.

    Returns:
        A tensor of the shape of ``x``. The gradient at 0 is infinite.

    >>> from kbackend import K
    >>> from kbackend.ops import cbrt
    >>> K.eval(K.round(cbrt(K.constant([-8.0, 27.0])))).tolist()
    [-2.0, 3.0]
    """
    return precise(x, _cbrt)


def _cbrt(x: Any) -> Any:
    is_zero = x == 0.0
    size = abs_(select_elements(is_zero, 1.0, x)) ** (1 / 3)
    of_zero = select_elements(is_zero, x, 1.0) ** (1 / 3)
    return select_elements(is_zero, of_zero, select_elements(x < 0.0, -size, size))


__all__ = ["cbrt", "hypot", "power", "rsqrt", "sqrt", "square"]
