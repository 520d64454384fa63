"""Resizing of images, one axis at a time."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from autograd.extend import defvjp

from kbackend.plugin.resampling import taps
from kbackend_numpy.recording import primitive


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
def _resized(x: Any, axis: int, method: Any, transposed: bool) -> Any:
    """Weighted sums of elements along an axis, or the transpose of this linear map, which is its gradient."""
    indices, weights = _transposed_taps(*method) if transposed else taps(*method)
    if weights is None:
        return np.take(x, indices[0], axis)
    wide = x.astype(np.float32) if x.dtype.itemsize < 4 else x
    weights = weights.astype(wide.dtype).reshape(*weights.shape, *(1,) * (x.ndim - 1 - axis))
    total = np.take(wide, indices[0], axis)
    total *= weights[0]
    for index, weight in zip(indices[1:], weights[1:]):
        summand = np.take(wide, index, axis)
        summand *= weight
        total += summand
    return total.astype(x.dtype, copy=False)


defvjp(
    _resized,
    lambda ans, x, axis, method, transposed: lambda g: _resized(g, axis, method, not transposed),
    argnums=(0,),
)


@lru_cache(maxsize=64)
def _transposed_taps(old: int, new: int, interpolation: str, antialias: bool) -> tuple[Any, Any]:
    """The taps of the transpose, padded with taps of weight 0 to the largest number of taps of an element."""
    indices, weights = taps(old, new, interpolation, antialias)
    weights = np.ones(indices.shape) if weights is None else weights
    used = weights.ravel() != 0
    inputs, used_weights = indices.ravel()[used], weights.ravel()[used]
    outputs = np.broadcast_to(np.arange(new), indices.shape).ravel()[used]
    order = np.argsort(inputs, kind="stable")
    counts = np.bincount(inputs, minlength=old)
    slots = np.arange(len(order)) - np.repeat(np.cumsum(counts) - counts, counts)
    transposed, transposed_weights = np.zeros((2, max(counts.max(), 1), old))
    transposed[slots, inputs[order]] = outputs[order]
    transposed_weights[slots, inputs[order]] = used_weights[order]
    return np.where(transposed_weights == 0, transposed[0], transposed).astype(np.int64), transposed_weights


KERNELS = {"resize": resize}
