"""The quantile function of the normal distribution, by rational approximations of the centre and the tails.

The tails, about a seventh of uniform draws, are computed for their own elements only.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from kbackend.plugin.constants import CENTRAL, CENTRAL_ENDS, FAR_STARTS, FAR_TAIL, TAIL, TERMS


def normal_quantile(q: Any) -> Any:
    """The standard normal quantile at probability ``0.5 + q``, for ``q`` in (-0.5, 0.5) of float32 or float64.

    Raises:
        TypeError: another dtype.

    Source: Wichura, Algorithm AS 241: The Percentage Points of the Normal Distribution, Applied Statistics 37 (1988).
    """
    q = np.asarray(q)
    if q.dtype.name not in CENTRAL:
        raise TypeError(f"the normal quantile is computed in float32 or float64, not in {q.dtype}")
    size = np.abs(q)
    result = np.asarray(_ratio(q.dtype.type(CENTRAL_ENDS**2) - q * q, CENTRAL[q.dtype.name]) * q)
    outside = np.flatnonzero(size > q.dtype.type(CENTRAL_ENDS))
    if outside.size:
        values = result.reshape(-1)
        values[outside] = np.copysign(_tail(size.reshape(-1)[outside]), q.reshape(-1)[outside])
        result = values.reshape(q.shape)
    return result


def _tail(size: Any) -> Any:
    name = size.dtype.name
    far = _sqrt(-logarithm(0.5 - size))
    result = _ratio(far - size.dtype.type(1.6), TAIL[name])
    if name == "float64":
        result = np.where(far <= FAR_STARTS, result, _ratio(far - FAR_STARTS, FAR_TAIL))
    return result


def logarithm(x: Any) -> Any:
    """The natural logarithm of positive numbers, with the same bits on every engine."""
    kind = x.dtype.type
    m, n = np.frexp(x)
    small = m < kind(math.sqrt(0.5))
    m = np.where(small, m * kind(2.0), m)
    n = (n - small).astype(x.dtype)
    s = (m - kind(1.0)) / (m + kind(1.0))
    powers = tuple(2.0 / (2 * k + 1) for k in reversed(range(TERMS[x.dtype.name])))
    return n * kind(math.log(2.0)) + s * polynomial(s * s, powers)


def _sqrt(x: Any) -> Any:
    kind = x.dtype.type
    root = x * kind(0.143) + kind(1.39)
    for _ in range(4 if x.dtype == np.float64 else 3):
        root = (root + x / root) * kind(0.5)
    return root


def _ratio(r: Any, coefficients: Any) -> Any:
    return polynomial(r, coefficients[0]) / polynomial(r, coefficients[1])


def polynomial(r: Any, powers: Any) -> Any:
    """A polynomial of ``r`` by Horner's scheme; the coefficient of the highest power is the first."""
    value = r * r.dtype.type(powers[0])
    for coefficient in powers[1:-1]:
        value += r.dtype.type(coefficient)
        value *= r
    value += r.dtype.type(powers[-1])
    return value
