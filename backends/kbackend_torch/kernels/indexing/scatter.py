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
        # what is outside goes to the first and the last row
        places = ids.to(torch.int64).clamp(-1, count) + 1
        start = data.new_full((count + 2, *data.shape[1:]), _neutral(data.dtype, reduction))
        if reduction == "sum":
            return start.index_add(0, places, data)[1:-1]
        places = places.reshape(-1, *[1] * (data.ndim - 1)).expand(data.shape)
        return start.scatter_reduce(0, places, data, _NAMES[reduction])[1:-1]

    return segment_reduce


KERNELS = {"segment_reduce": Specialized(_segment_reduce)}
