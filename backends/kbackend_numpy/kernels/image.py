"""Resizing, an axis after the other."""

from __future__ import annotations

from typing import Any

import numpy as np
from autograd.extend import defvjp, primitive

from kbackend.ops.image import taps


def resize(x: Any, sizes: Any = (), *, size: Any, interpolation: str, antialias: bool) -> Any:
    rest = iter(sizes)
    for axis, n in enumerate(size, start=1):
        new = int(next(rest)) if n is None else n
        if new < 1:
            raise ValueError(f"resize: a size must be positive, it is {new}")
        if new != x.shape[axis]:
            x = _resized(x, axis, x.shape[axis], *taps(x.shape[axis], new, interpolation, antialias))
    return x


def _scaled(x: Any, axis: int, weights: Any) -> Any:
    return x * weights.astype(x.dtype).reshape(-1, *(1,) * (x.ndim - 1 - axis))


def _wide(x: Any) -> Any:
    return x.astype(np.float32) if x.dtype.itemsize < 4 else x


@primitive
def _resized(x: Any, axis: int, old: int, places: Any, weights: Any) -> Any:
    """A sum over taps of elements along an axis, which has ``old`` of them."""
    if weights is None:
        return np.take(x, places[0], axis)
    wide = _wide(x)
    total = _scaled(np.take(wide, places[0], axis), axis, weights[0])
    for where, weight in zip(places[1:], weights[1:]):
        total += _scaled(np.take(wide, where, axis), axis, weight)
    return total.astype(x.dtype, copy=False)


@primitive
def _gathered(g: Any, axis: int, old: int, places: Any, weights: Any) -> Any:
    """The transpose of `_resized`: each element added to those that it was made of."""
    wide = _wide(g)
    total = np.zeros((*g.shape[:axis], old, *g.shape[axis + 1 :]), wide.dtype)
    for tap, where in enumerate(places):
        share = wide if weights is None else _scaled(wide, axis, weights[tap])
        # The places of a tap do not fall, so that those of one element stand together.
        starts = np.flatnonzero(np.diff(where, prepend=-1))
        total[(slice(None),) * axis + (where[starts],)] += np.add.reduceat(share, starts, axis=axis)
    return total.astype(g.dtype, copy=False)


defvjp(_resized, lambda ans, x, *how: lambda g: _gathered(g, *how), argnums=(0,))
defvjp(_gathered, lambda ans, g, *how: lambda h: _resized(h, *how), argnums=(0,))

KERNELS = {"resize": resize}
