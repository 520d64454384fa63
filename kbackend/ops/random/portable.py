"""Logarithm and exponential of float64 by operations that every engine rounds in the same way.

As in :mod:`kbackend.ops.elementwise.normal_quantile` they are made of additions, multiplications and divisions, which
have one right result by IEEE 754, so that draws by rejection are accepted, and have the same bits, on every engine.

What is built on them must not divide by what may be a constant: TensorFlow's graphs multiply by the rounded reciprocal
instead. The reciprocal is written out there.
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
        raise TypeError(f"this function is made in float64, not in {x.dtype}")
    return x


@composite(rule=_double, differentiable=False, tolerance="exact", samples=lambda: [
    call(In((4, 5), 1e-6, 90.0, kind="float64"), gradient=False),
    call(In((6,), values=[1.0, 0.5, 2.0**-1022, 1e308, 1.0 + 2.0**-52, 1.0 - 2.0**-53], kind="float64"),
         gradient=False, name="ends"),
    call(In((), values=7.0, kind="float64"), gradient=False, name="scalar"),
    call(In((0, 2), kind="float64"), gradient=False, name="empty"),
    call(In((2,)), dtypes=("float32",), raises=TypeError, name="float32")])
def portable_log(x: TensorLike) -> Any:
    """The natural logarithm of positive normal numbers in float64, the same bits on every engine.

    It is at most 3 units in the last place from the truth.
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
    """Powers of e in float64, the same bits on every engine; 0 for exponents up to -708, e**709 for those above 709.

    It is at most 2 units in the last place from the truth. NaN gives 0.
    """
    above = x > LOWEST
    inside = select_elements(above, select_elements(x < HIGHEST, x, HIGHEST), 0.0)
    n = floor(inside * (1.0 / math.log(2.0)) + 0.5)
    rest = inside - n * LOG2_HIGH - n * LOG2_LOW
    return select_elements(above, scale_by_power_of_two(polynomial(rest, SERIES), n), 0.0)


__all__: list[str] = []
