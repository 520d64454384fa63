"""The normal quantile, whose tails, a seventh of all draws, are computed apart."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from kbackend.plugin.constants import CENTRAL, CENTRAL_ENDS, FAR_STARTS, FAR_TAIL, TAIL, TERMS


def normal_quantile(q: Any) -> Any:
    q = np.asarray(q)
    if q.dtype.name not in CENTRAL:
        raise TypeError(f"the normal quantile is made in float32 or float64, not in {q.dtype}")
    size = np.abs(q)
    found = np.asarray(_ratio(q.dtype.type(CENTRAL_ENDS**2) - q * q, CENTRAL[q.dtype.name]) * q)
    outside = np.flatnonzero(size > q.dtype.type(CENTRAL_ENDS))
    if outside.size:
        values = found.reshape(-1)
        values[outside] = np.copysign(_tail(size.reshape(-1)[outside]), q.reshape(-1)[outside])
        found = values.reshape(q.shape)
    return found


def _tail(size: Any) -> Any:
    name = size.dtype.name
    far = _sqrt(-logarithm(0.5 - size))
    found = _ratio(far - size.dtype.type(1.6), TAIL[name])
    if name == "float64":
        found = np.where(far <= FAR_STARTS, found, _ratio(far - FAR_STARTS, FAR_TAIL))
    return found


def logarithm(x: Any) -> Any:
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
    value = r * r.dtype.type(powers[0])
    for coefficient in powers[1:-1]:
        value += r.dtype.type(coefficient)
        value *= r
    value += r.dtype.type(powers[-1])
    return value
