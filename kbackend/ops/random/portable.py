"""Logarithm and exponential in float64 with the same bits on every engine.

As in :mod:`kbackend.ops.elementwise.normal_quantile` they consist of additions, multiplications and divisions, whose
results IEEE 754 fixes, so that rejection sampling accepts the same draws on every engine.

Code built on them must not divide by a value that may be a constant, because TensorFlow's graph optimizer replaces the
division by a multiplication with the rounded reciprocal; it multiplies by an explicit reciprocal.
"""

from __future__ import annotations

import math
from typing import Any

from kbackend.declare.decorate import composite
from kbackend.declare.op import TensorLike
from kbackend.declare.sample import In, call
from kbackend.graph.tensor import TensorSpec
from kbackend.ops.elementwise.floating import scale_by_power_of_two
from kbackend.ops.elementwise.normal_quantile import logarithm, polynomial
from kbackend.ops.elementwise.rounding import floor
from kbackend.ops.elementwise.select import select_elements
from kbackend.plugin.constants import HIGHEST, LOG2_HIGH, LOG2_LOW, LOWEST, SERIES


def _double(x: TensorSpec) -> TensorSpec:
    if x.dtype != "float64":
        raise TypeError(f"a float64 tensor is needed, not {x.dtype}")
    return x


@composite(rule=_double, differentiable=False, tolerance="exact", samples=lambda: [
    call(In((4, 5), 1e-6, 90.0, kind="float64"), gradient=False),
    call(In((6,), values=[1.0, 0.5, 2.0**-1022, 1e308, 1.0 + 2.0**-52, 1.0 - 2.0**-53], kind="float64"),
         gradient=False, name="ends"),
    call(In((), values=7.0, kind="float64"), gradient=False, name="scalar"),
    call(In((0, 2), kind="float64"), gradient=False, name="empty"),
    call(In((2,)), dtypes=("float32",), raises=TypeError, name="float32")])
def portable_log(x: TensorLike) -> Any:
    """The natural logarithm of positive normal float64 numbers, with the same bits on every engine.

    The error is at most 3 units in the last place.
    """
    return logarithm(x, "float64")


@composite(rule=_double, differentiable=False, tolerance="exact", samples=lambda: [
    call(In((4, 5), -30.0, 30.0, kind="float64"), gradient=False),
    call(In((6,), values=[0.0, -708.0, -707.9, 708.9, 1e-300, -1e9], kind="float64"), gradient=False, name="ends"),
    call(In((2,), values=[math.inf, -math.inf], kind="float64"), gradient=False, name="infinite"),
    call(In((), values=7.0, kind="float64"), gradient=False, name="scalar"),
    call(In((0, 2), kind="float64"), gradient=False, name="empty"),
    call(In((2,)), dtypes=("float32",), raises=TypeError, name="float32")])
def portable_exp(x: TensorLike) -> Any:
    """The exponential in float64, with the same bits on every engine; arguments up to -708 and NaN give 0.

    Arguments above 709 give exp(709). The error is at most 2 units in the last place.
    """
    above = x > LOWEST
    inside = select_elements(above, select_elements(x < HIGHEST, x, HIGHEST), 0.0)
    n = floor(inside * (1.0 / math.log(2.0)) + 0.5)
    rest = inside - n * LOG2_HIGH - n * LOG2_LOW
    return select_elements(above, scale_by_power_of_two(polynomial(rest, SERIES), n), 0.0)


__all__: list[str] = []
