"""Rounding, element by element."""

from __future__ import annotations

from typing import Any

import numpy as np

from kbackend import dtypes
from kbackend.declare.call import dtype_of
from kbackend.declare.decorate import composite, derived, primitive
from kbackend.declare.op import TensorLike
from kbackend.declare.rules import INF, NAN, at, same, unary_samples, values
from kbackend.declare.sample import In, call
from kbackend.graph.tensor import TensorSpec
from kbackend.ops.core.arguments import as_tensor, integer
from kbackend.ops.core.cast import cast
from kbackend.ops.elementwise.arithmetic import floor_divide
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
    """The largest integer not above x, in x's dtype. The gradient is 0."""
    return same(x)


@primitive(view=True, tolerance="exact", samples=_rounding())
def ceil(x: TensorLike) -> TensorSpec:
    """The smallest integer not below x, in x's dtype. The gradient is 0."""
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
    """The nearest integer in x's dtype, halves to the even one. The gradient is 0."""
    return same(x)


@composite(rule=same, tolerance="exact", samples=unary_samples(
    -3, 3, at([-1.3, 0.2, 2.7], np.zeros(3), name="gradient"),
    call(values(1.7, -1.7, -0.5), expect=np.array([1.0, -1.0, -0.0]), gradient=False, name="towards zero"),
    call(values(NAN, INF, -INF), gradient=False, name="not finite"),
    integers=True, gradient=False, takes_bool=False))
def trunc(x: TensorLike) -> Any:
    """The integer next to x on the way to 0, in x's dtype. The gradient is 0.

    Args:
        x: a tensor of any shape.

    Raises:
        TypeError: bool.

    >>> from kbackend import K
    >>> from kbackend.ops import trunc
    >>> K.eval(trunc(K.constant([1.7, -1.7]))).tolist()
    [1.0, -1.0]
    """
    return select_elements(x < 0, ceil(x), floor(x))


def _rounded_integers(x: Any, unit: int) -> Any:
    below = floor_divide(x, unit)
    twice = (x - below * unit) * 2
    odd = below % 2 == 1
    up = (twice > unit) | (twice == unit) & odd
    return (below + cast(up, dtype_of(x))) * unit


@derived(samples=lambda: [
    call(values(0.5, 1.5, -2.6), expect=np.array([0.0, 2.0, -3.0]), gradient=False),
    call(values(1.25, -3.75, 8.5), 1, gradient=False, name="decimals", dtypes=("float64", "float32")),
    call(values(1234.0, -250.0, 350.0), -2, expect=np.array([1200.0, -200.0, 400.0]), gradient=False, name="hundreds",
         dtypes=("float64", "float32")),
    call(values(15, 25, -15, kind="int32"), -1, expect=np.array([20, 20, -20]), gradient=False, name="integers"),
    call(In((2,)), 0.5, raises=TypeError, name="decimals of floats")])
def round_(x: TensorLike, decimals: int = 0) -> Any:
    """The nearest number with so many decimals, halves to the even one (NumPy's ``round``). The gradient is 0.

    Args:
        x: a tensor.
        decimals: an integer; below 0 for tens, hundreds and so on, of integers too.

    Raises:
        TypeError: decimals that are no integer.

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
    if decimals > 0:
        return round_half_even(x * 10.0**decimals) / 10.0**decimals
    return round_half_even(x / 10.0**-decimals) * 10.0**-decimals


__all__ = ["ceil", "floor", "trunc"]
