"""Rounding, element by element."""

from __future__ import annotations

from typing import Any

import numpy as np

from kbackend import dtypes
from kbackend.declare.call import dtype_of, lift
from kbackend.declare.decorate import composite, derived, primitive
from kbackend.declare.op import TensorLike
from kbackend.declare.rules import INF, NAN, at, same, unary_samples, values
from kbackend.declare.sample import In, call
from kbackend.graph.tensor import TensorSpec
from kbackend.ops.core.arguments import as_tensor, integer
from kbackend.ops.core.cast import cast
from kbackend.ops.elementwise.select import select_elements


def _rounding(*extra: Any) -> Any:
    return unary_samples(
        -3,
        3,
        at([-1.3, 0.2, 2.7], np.zeros(3), name="gradient"),
        call(values(NAN, INF, -INF), gradient=False, name="not finite"),
        *extra,
        integers=True,
        gradient=False,
        takes_bool=False,
    )


@primitive(view=True, tolerance="exact", samples=_rounding())
def floor(x: TensorLike) -> TensorSpec:
    """The largest integer not above an element (NumPy's ``floor``).

    Args:
        x: a tensor of integers or floats, of any shape.

    Returns:
        A tensor of the shape and dtype of ``x``. Its gradient is 0.

    Raises:
        TypeError: a bool or complex tensor.

    >>> from kbackend import K, ops
    >>> K.eval(ops.floor(K.constant([1.7, -1.7]))).tolist()
    [1.0, -2.0]
    """
    return same(x)


@primitive(view=True, tolerance="exact", samples=_rounding())
def ceil(x: TensorLike) -> TensorSpec:
    """The smallest integer not below an element (NumPy's ``ceil``). Arguments, result and errors as in :func:`floor`.

    >>> from kbackend import K, ops
    >>> K.eval(ops.ceil(K.constant([1.7, -1.7]))).tolist()
    [2.0, -1.0]
    """
    return same(x)


@primitive(
    name="round",
    view=True,
    tolerance="exact",
    samples=_rounding(
        call(
            values(0.5, 1.5, 2.5, -0.5),
            expect=np.array([0.0, 2.0, 2.0, -0.0]),
            expect_gradient=np.zeros(4),
            row=67,
            name="half to even",
        )
    ),
)
def round_half_even(x: TensorLike) -> TensorSpec:
    """The nearest integer, halves to the even one (Keras's ``K.round``).

    Arguments, result and errors as in :func:`floor`.

    >>> from kbackend import K
    >>> K.eval(K.round([0.5, 1.5, -1.7])).tolist()
    [0.0, 2.0, -2.0]
    """
    return same(x)


@composite(rule=same, tolerance="exact", samples=unary_samples(
    -3, 3, at([-1.3, 0.2, 2.7], np.zeros(3), name="gradient"),
    call(values(1.7, -1.7, -0.5), expect=np.array([1.0, -1.0, -0.0]), gradient=False, name="towards zero"),
    call(values(NAN, INF, -INF), gradient=False, name="not finite"),
    integers=True, gradient=False, takes_bool=False))
def trunc(x: TensorLike) -> Any:
    """The integer part of an element (NumPy's ``trunc``). Arguments, result and errors as in :func:`floor`.

    >>> from kbackend import K
    >>> from kbackend.ops import trunc
    >>> K.eval(trunc(K.constant([1.7, -1.7]))).tolist()
    [1.0, -1.0]
    """
    return select_elements(x < 0, ceil(x), floor(x))



@derived(samples=lambda: [
    call(values(0.5, 1.5, -2.6), expect=np.array([0.0, 2.0, -3.0]), gradient=False),
    call(values(1.25, -3.75, 8.5), 1, gradient=False, name="decimals", dtypes=("float64", "float32")),
    call(values(1234.0, -250.0, 350.0), -2, expect=np.array([1200.0, -200.0, 400.0]), gradient=False, name="hundreds",
         dtypes=("float64", "float32")),
    call(values(15, 25, -15, kind="int32"), -1, expect=np.array([20, 20, -20]), gradient=False, name="integers"),
    call(In((2,)), 0.5, raises=TypeError, name="decimals of floats")])
def round_(x: TensorLike, decimals: int = 0) -> Any:
    """The nearest number with a given number of decimals, halves to the even digit (NumPy's ``round``).

    Args:
        x: a tensor of integers or floats, of any shape.
        decimals: an integer; -1 rounds to tens, -2 to hundreds, and so on.

    Returns:
        A tensor of the shape and dtype of ``x``. Its gradient is 0.

    Raises:
        TypeError: ``decimals`` is not an integer.

    >>> from kbackend import K, ops
    >>> K.eval(ops.round(K.constant([2.5, 13.0]), -1)).tolist()
    [0.0, 10.0]
    """
    x = as_tensor(x)
    decimals = integer(decimals, "decimals")
    if dtypes.is_integer(dtype_of(x)):
        return x if decimals >= 0 else _rounded_integers(x, 10**-decimals)
    if decimals == 0:
        return round_half_even(x)
    # 10.0**n is exact for n of 0 to 22, 10.0**-n is not
    if decimals > 0:
        return round_half_even(x * 10.0**decimals) / 10.0**decimals
    return round_half_even(x / 10.0**-decimals) * 10.0**-decimals


def _rounded_integers(x: Any, unit: int) -> Any:
    """Integers rounded to multiples of ``unit``, halves to the even multiple."""
    x = lift(x)
    multiple = x // unit
    twice = (x - multiple * unit) * 2
    is_up = (twice > unit) | (twice == unit) & (multiple % 2 == 1)
    return (multiple + cast(is_up, x.dtype)) * unit


__all__ = ["ceil", "floor", "trunc"]
