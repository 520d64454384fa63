"""Reduction kernels."""

from __future__ import annotations

from typing import Any

import torch

Axes = tuple[int, ...]


def sum_(x: Any, axis: Axes, keepdims: bool) -> Any:
    if not axis:
        return x.clone()
    return torch.sum(x, dim=axis, keepdim=keepdims, dtype=x.dtype)


def mean(x: Any, axis: Axes, keepdims: bool) -> Any:
    return torch.mean(x, dim=axis, keepdim=keepdims) if axis else x.clone()


def prod(x: Any, axis: Axes, keepdims: bool) -> Any:
    for a in reversed(axis):
        x = torch.prod(x, dim=a, keepdim=keepdims, dtype=x.dtype)
    return x


def max_(x: Any, axis: Axes, keepdims: bool) -> Any:
    return torch.amax(x, dim=axis, keepdim=keepdims) if axis else x.clone()


def min_(x: Any, axis: Axes, keepdims: bool) -> Any:
    return torch.amin(x, dim=axis, keepdim=keepdims) if axis else x.clone()


def any_(x: Any, axis: Axes, keepdims: bool) -> Any:
    return torch.any(x, dim=axis, keepdim=keepdims) if axis else x.to(torch.bool)


def all_(x: Any, axis: Axes, keepdims: bool) -> Any:
    return torch.all(x, dim=axis, keepdim=keepdims) if axis else x.to(torch.bool)


def logsumexp(x: Any, axis: Axes, keepdims: bool) -> Any:
    return torch.logsumexp(x, dim=axis, keepdim=keepdims)


KERNELS = {
    "sum": sum_,
    "mean": mean,
    "prod": prod,
    "max": max_,
    "min": min_,
    "any": any_,
    "all": all_,
    "logsumexp": logsumexp,
    "argmax": lambda x, axis: torch.argmax(x, dim=axis),
    "argmin": lambda x, axis: torch.argmin(x, dim=axis),
}
