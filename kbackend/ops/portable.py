"""Logarithm and exponential of float64 by operations that every engine rounds in the same way.

As in :mod:`kbackend.ops.normal` they are made of additions, multiplications and divisions, which have one right
result by IEEE 754, so that draws by rejection are accepted, and have the same bits, on every engine.

What is built on them must not divide by what may be a constant: TensorFlow's graphs multiply by the rounded reciprocal
instead. The reciprocal is written out there.
"""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

from kbackend.graph.tensor import TensorSpec
from kbackend.ops import elementwise as e
from kbackend.ops.declare import TensorLike, composite, primitive
from kbackend.ops.normal import logarithm, polynomial
from kbackend.ops.sample import In, call

#: powers of e below this are 0, and above the other those of it
LOWEST, HIGHEST = -708.0, 709.0
#: log 2 in two parts: the first has 32 bits, so that its product with a power of two's exponent is exact
LOG2_HIGH = math.floor(math.log(2.0) * 2.0**32) * 2.0**-32
LOG2_LOW = float(Decimal("0.6931471805599453094172321214581765680755") - Decimal(LOG2_HIGH))
#: coefficients of the exponential's series from the highest power down; the argument is at most log(2) / 2
SERIES = tuple(1.0 / math.factorial(k) for k in range(13, -1, -1))


@primitive(promote="float", differentiable=False, tolerance="exact", samples=lambda: [
    call(In((3, 4), 0.01, 40.0), In((3, 4), values=3.0), gradient=False),
    call(In((4,), -2.0, 2.0), In((4,), values=[0.0, -5.0, 7.0, -9.0]), gradient=False, name="powers"),
    call(In((3,), values=[1.5, -1.25, 0.0]), In((3,), values=[-1022.0, 1023.0, 1000.0]), gradient=False,
         name="far", dtypes=("float64",)),
    call(In((2,), values=[1.5, -1.25]), In((2,), values=[-126.0, 127.0]), gradient=False, name="far in float32",
         dtypes=("float32",)),
    call(In((0, 3)), In((0, 3)), gradient=False, name="empty")])
def ldexp(x: TensorLike, power: TensorLike) -> TensorSpec:
    """``x * 2**power``, exactly, for numbers and whole powers of one shape, as :func:`frexp` gives them.

    Results that are not normal numbers, and powers of two that are none, are not promised.

    Raises:
        ValueError: two shapes.

    >>> from kbackend import K
    >>> from kbackend.ops.portable import ldexp
    >>> K.eval(ldexp(K.constant([0.75, -1.0]), K.constant([3.0, -1.0]))).tolist()
    [6.0, -0.5]
    """
    if x.ndim != power.ndim:
        raise ValueError(f"numbers and powers must have one shape, they have {x.shape} and {power.shape}")
    return TensorSpec(x.shape, x.dtype)


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
    inside = e.where(above, e.where(x < HIGHEST, x, HIGHEST), 0.0)
    n = e.floor(inside * (1.0 / math.log(2.0)) + 0.5)
    rest = inside - n * LOG2_HIGH - n * LOG2_LOW
    return e.where(above, ldexp(polynomial(rest, SERIES), n), 0.0)


__all__ = ["ldexp", "portable_exp", "portable_log"]
