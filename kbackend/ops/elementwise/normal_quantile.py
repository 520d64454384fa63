"""The quantile function of the normal distribution, and the rational functions that it is made of."""

from __future__ import annotations

import math
from typing import Any

from kbackend.declare.call import dtype_of
from kbackend.declare.decorate import composite
from kbackend.declare.op import TensorLike
from kbackend.declare.sample import In, call
from kbackend.ops.elementwise.arithmetic import abs_, add, divide, multiply, negative, sign, subtract
from kbackend.ops.elementwise.comparison import less, less_equal
from kbackend.ops.elementwise.floating import frexp
from kbackend.ops.elementwise.select import select_elements
from kbackend.plugin.constants import CENTRAL, CENTRAL_ENDS, FAR_STARTS, FAR_TAIL, TAIL, TERMS, Powers


@composite(promote="float", differentiable=False, samples=lambda: [
    call(In((4, 5), -0.47, 0.47), gradient=False, dtypes=("float64", "float32")),
    call(In((3,), values=[-0.4772, 0.0, 0.4772]), gradient=False, dtypes=("float64", "float32")),
    call(In((4,), values=[-0.5 + 2.0**-25, 0.5 - 2.0**-25, 0.425, -0.4250001]), gradient=False, name="ends",
         dtypes=("float64", "float32")),
    call(In((0, 2)), gradient=False, dtypes=("float64", "float32"), name="empty"),
    call(In((2,), values=[0.5 - 2.0**-53, -0.5 + 2.0**-53]), gradient=False, name="far tails", dtypes=("float64",))])
def normal_quantile(q: TensorLike) -> Any:
    """The ``x`` below which a standard normal variable lies with probability ``0.5 + q``, for -0.5 < q < 0.5.

    Source: Wichura, "Algorithm AS 241: The Percentage Points of the Normal Distribution", 1988. Relative error
    1e-15 in float64, 3e-7 in float32. The same bits on every engine. float32 or float64.
    """
    dtype = dtype_of(q)
    if dtype not in CENTRAL:
        raise TypeError(f"the normal quantile is made in float32 or float64, not in {dtype}")
    size = abs_(q)
    central = _ratio(CENTRAL_ENDS**2 - q * q, CENTRAL[dtype]) * q
    far = _sqrt(negative(logarithm(0.5 - size, dtype)), dtype)
    tail = _ratio(subtract(far, 1.6), TAIL[dtype])
    if dtype == "float64":  # units of 24 bits do not reach the far tails
        tail = select_elements(less_equal(far, FAR_STARTS), tail, _ratio(subtract(far, FAR_STARTS), FAR_TAIL))
    return select_elements(size <= CENTRAL_ENDS, central, tail * sign(q))


def logarithm(x: Any, dtype: str) -> Any:
    """The natural logarithm of positive numbers: ``n log 2 + 2 artanh((m - 1) / (m + 1))`` for ``x = m 2**n``."""
    m, n = frexp(x)
    small = less(m, math.sqrt(0.5))
    m = select_elements(small, multiply(m, 2.0), m)
    n = select_elements(small, subtract(n, 1.0), n)
    s = subtract(m, 1.0) / add(m, 1.0)
    series = polynomial(s * s, tuple(2.0 / (2 * k + 1) for k in reversed(range(TERMS[dtype]))))
    return multiply(n, math.log(2.0)) + s * series


def _sqrt(x: Any, dtype: str) -> Any:
    """The square root of numbers in [2.5, 37.5], by Newton's method from a line that is at most 11 % off."""
    root = multiply(x, 0.143) + 1.39
    for _ in range(4 if dtype == "float64" else 3):
        root = (root + x / root) * 0.5
    return root


def _ratio(r: Any, coefficients: tuple[Powers, Powers]) -> Any:
    return divide(*(polynomial(r, powers) for powers in coefficients))


def polynomial(r: Any, powers: Powers) -> Any:
    value = multiply(r, powers[0])
    for coefficient in powers[1:-1]:
        value = (value + coefficient) * r
    return value + powers[-1]


__all__: list[str] = []
