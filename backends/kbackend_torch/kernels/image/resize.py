"""Resizing of images, one axis at a time."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import torch

from kbackend.plugin.resampling import taps


@lru_cache(maxsize=64)
def _taps(old: int, new: int, interpolation: str, antialias: bool, dtype: Any, device: Any) -> list[tuple[Any, Any]]:
    """Indices and weights of each tap as tensors on the device; one tap without a weight for 'nearest'."""
    indices, weights = taps(old, new, interpolation, antialias)
    rows = torch.from_numpy(indices).to(device)
    if weights is None:
        return [(rows[0], None)]
    return list(zip(rows, torch.from_numpy(weights).to(dtype).to(device)))


def resize(x: Any, sizes: Any = (), *, size: Any, interpolation: str, antialias: bool) -> Any:
    rest = iter(sizes)
    dtype = x.dtype
    narrow = interpolation != "nearest" and dtype in (torch.float16, torch.bfloat16)
    y = x.float() if narrow else x
    for axis, n in enumerate(size, start=1):
        new = int(next(rest)) if n is None else n
        if new < 1:
            raise ValueError(f"resize: a size must be positive, it is {new}")
        if new != y.shape[axis]:
            y = _resized(y, axis, _taps(y.shape[axis], new, interpolation, antialias, y.dtype, y.device))
    return y.to(dtype) if narrow else y


def _resized(x: Any, axis: int, taps: list[tuple[Any, Any]]) -> Any:
    (index, weight), *others = taps
    total = x.index_select(axis, index)
    if weight is None:
        return total
    shape = (-1,) + (1,) * (x.ndim - 1 - axis)
    total = total * weight.view(shape)
    for index, weight in others:
        total = torch.addcmul(total, x.index_select(axis, index), weight.view(shape))
    return total


KERNELS = {"resize": resize}
