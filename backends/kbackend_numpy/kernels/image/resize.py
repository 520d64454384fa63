"""Resizing, an axis after the other."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from autograd.extend import defvjp, primitive

from kbackend.plugin.resampling import taps


def resize(x: Any, sizes: Any = (), *, size: Any, interpolation: str, antialias: bool) -> Any:
    rest = iter(sizes)
    for axis, n in enumerate(size, start=1):
        old, new = x.shape[axis], int(next(rest)) if n is None else n
        if new < 1:
            raise ValueError(f"resize: a size must be positive, it is {new}")
        if new != old:
            x = _resized(x, axis, (old, new, interpolation, antialias), False)
    return x


@primitive
def _resized(x: Any, axis: int, how: Any, back: bool) -> Any:
    """Sums of elements along an axis; ``back`` is the transpose, each element added to those it was made of."""
    places, weights = _taps_back(*how) if back else taps(*how)
    if weights is None:
        return np.take(x, places[0], axis)
    wide = x.astype(np.float32) if x.dtype.itemsize < 4 else x
    shares = weights.astype(wide.dtype).reshape(*weights.shape, *(1,) * (x.ndim - 1 - axis))
    total = np.take(wide, places[0], axis)
    total *= shares[0]
    for where, share in zip(places[1:], shares[1:]):
        part = np.take(wide, where, axis)
        part *= share
        total += part
    return total.astype(x.dtype, copy=False)


defvjp(_resized, lambda ans, x, axis, how, back: lambda g: _resized(g, axis, how, not back), argnums=(0,))


@lru_cache(maxsize=64)
def _taps_back(old: int, new: int, interpolation: str, antialias: bool) -> tuple[Any, Any]:
    """The taps of the transpose. Elements that fewer others are made of have taps of weight 0."""
    places, weights = taps(old, new, interpolation, antialias)
    weights = np.ones(places.shape) if weights is None else weights
    used = weights.ravel() != 0
    made_of, shares = places.ravel()[used], weights.ravel()[used]
    pixels = np.broadcast_to(np.arange(new), places.shape).ravel()[used]
    order = np.argsort(made_of, kind="stable")
    counts = np.bincount(made_of, minlength=old)
    slots = np.arange(len(order)) - np.repeat(np.cumsum(counts) - counts, counts)
    found, found_weights = np.zeros((2, max(counts.max(), 1), old))
    found[slots, made_of[order]] = pixels[order]
    found_weights[slots, made_of[order]] = shares[order]
    return np.where(found_weights == 0, found[0], found).astype(np.int64), found_weights


KERNELS = {"resize": resize}
