"""The quantile function of the normal distribution; logarithm and polynomials of the same bits on all engines."""

from __future__ import annotations

import math
from typing import Any

from kbackend.declare.call import dtype_of
from kbackend.declare.decorate import composite
from kbackend.declare.op import TensorLike
from kbackend.declare.sample import In, call
from kbackend.ops.elementwise.arithmetic import abs_, sign
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
    """The quantile of the standard normal distribution at the probability ``0.5 + q``.

    Args:
        q: a tensor of float32 or float64 with values in (-0.5, 0.5).

    Returns:
        A tensor of the shape and dtype of ``q``, without gradient, of the same bits on every engine. The relative error
        is 1e-15 in float64 and 3e-7 in float32.

    Raises:
        TypeError: another dtype.

    Source: Wichura, "Algorithm AS 241: The Percentage Points of the Normal Distribution", 1988.

    >>> from kbackend import K
    >>> from kbackend.ops.elementwise.normal_quantile import normal_quantile
    >>> round(float(K.eval(normal_quantile(K.constant(0.475)))), 3)
    1.96
    """
    dtype = dtype_of(q)
    if dtype not in CENTRAL:
        raise TypeError(f"the normal quantile needs float32 or float64, not {dtype}")
    size = abs_(q)
    central = _ratio(CENTRAL_ENDS**2 - q * q, CENTRAL[dtype]) * q
    far = _sqrt(-logarithm(0.5 - size, dtype), dtype)
    tail = _ratio(far - 1.6, TAIL[dtype])
    if dtype == "float64":  # q of 24 bits, as in float32, never lies in the far tails
        tail = select_elements(far <= FAR_STARTS, tail, _ratio(far - FAR_STARTS, FAR_TAIL))
    return select_elements(size <= CENTRAL_ENDS, central, tail * sign(q))


def logarithm(x: Any, dtype: str) -> Any:
    """The logarithm of positive normal numbers: ``n log 2 + 2 artanh((m - 1) / (m + 1))`` for ``x = m 2**n``."""
    m, n = frexp(x)
    is_small = m < math.sqrt(0.5)
    m = select_elements(is_small, m * 2.0, m)
    n = select_elements(is_small, n - 1.0, n)
    s = (m - 1.0) / (m + 1.0)
    series = polynomial(s * s, tuple(2.0 / (2 * k + 1) for k in reversed(range(TERMS[dtype]))))
    return n * math.log(2.0) + s * series


def _sqrt(x: Any, dtype: str) -> Any:
    """The square root of numbers in [2.5, 37.5]: Newton's method from a linear approximation (relative error 11 %)."""
    root = x * 0.143 + 1.39
    for _ in range(4 if dtype == "float64" else 3):
        root = (root + x / root) * 0.5
    return root


def _ratio(r: Any, coefficients: tuple[Powers, Powers]) -> Any:
    """A rational function with the coefficients of numerator and denominator."""
    numerator, denominator = coefficients
    return polynomial(r, numerator) / polynomial(r, denominator)


def polynomial(r: Any, powers: Powers) -> Any:
    """A polynomial by Horner's rule; coefficients of two or more powers, the highest first."""
    value = r * powers[0]
    for coefficient in powers[1:-1]:
        value = (value + coefficient) * r
    return value + powers[-1]


__all__: list[str] = []
