"""Scattering kernels."""

from __future__ import annotations

from typing import Any

import torch

from kbackend.plugin.contract import Specialized

_NAMES = {"prod": "prod", "max": "amax", "min": "amin"}


def _neutral(dtype: Any, reduction: str) -> Any:
    if reduction in ("sum", "prod"):
        return int(reduction == "prod")
    if dtype.is_floating_point:
        return -torch.inf if reduction == "max" else torch.inf
    return torch.iinfo(dtype).min if reduction == "max" else torch.iinfo(dtype).max


def _segment_reduce(specs: Any, shape: tuple[int | None, ...], reduction: str) -> Any:
    (known,) = shape

    def segment_reduce(data: Any, ids: Any, sizes: tuple[Any, ...]) -> Any:
        count = int(sizes[0]) if known is None else known
        ids = ids.to(torch.int64)
        # ids out of range go to an extra row, which is removed
        targets = torch.where((ids < 0) | (ids >= count), count, ids)
        start = data.new_full((count + 1, *data.shape[1:]), _neutral(data.dtype, reduction))
        if reduction == "sum":
            return start.index_add(0, targets, data)[:count]
        targets = targets.reshape(-1, *[1] * (data.ndim - 1)).expand(data.shape)
        return start.scatter_reduce(0, targets, data, _NAMES[reduction])[:count]

    return segment_reduce


KERNELS = {"segment_reduce": Specialized(_segment_reduce)}
