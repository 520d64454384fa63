"""Reduction kernels. An empty tuple of axes means all axes in torch, and none here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch

from kbackend.dtypes import is_complex, is_float
from kbackend.plugin.contract import Specialized
from kbackend_torch.dtypes import TORCH

Axes = tuple[int, ...]


def _over_axes(
    function: Callable[..., Any], of_none: Callable[[Any], Any] = torch.clone, **options: Any
) -> Any:
    def kernel(x: Any, axis: Axes, keepdims: bool) -> Any:
        return function(x, dim=axis, keepdim=keepdims, **options) if axis else of_none(x)

    return kernel


def _of_all(
    function: Callable[..., Any], spec: Any, axis: Axes, keepdims: bool, **options: Any
) -> Callable[[Any], Any]:
    """The function for given axes, without naming them where they are all: torch then needs less time."""
    if not axis:
        return torch.clone
    if len(axis) == spec.ndim and not keepdims:
        return partial(function, **options) if options else function
    return partial(function, dim=axis, keepdim=keepdims, **options)


def _mean(specs: Sequence[Any], axis: Axes, keepdims: bool) -> Callable[[Any], Any]:
    return _of_all(torch.mean, specs[0], axis, keepdims)


def _sum(specs: Sequence[Any], axis: Axes, keepdims: bool) -> Callable[[Any], Any]:
    """The sum in the dtype of the operand; torch.sum of integers is int64 by default."""
    (spec,) = specs
    widened = not (is_float(spec.dtype) or is_complex(spec.dtype))
    return _of_all(torch.sum, spec, axis, keepdims, **({"dtype": TORCH[spec.dtype]} if widened else {}))


def prod(x: Any, axis: Axes, keepdims: bool) -> Any:
    if not axis:
        return x.clone()
    result = x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
    for a in reversed(axis):
        result = torch.prod(result, dim=a, keepdim=keepdims, dtype=result.dtype)
    return result.to(x.dtype)


def norm(x: Any, axis: Axes, keepdims: bool) -> Any:
    return torch.linalg.vector_norm(x, dim=axis, keepdim=keepdims) if axis else torch.abs(x)


def _to_bool(x: Any) -> Any:
    return x != 0


def _position(function: Callable[..., Any]) -> Callable[..., Any]:
    def kernel(x: Any, axis: int) -> Any:
        if not x.shape[axis]:  # IndexError of torch
            raise ValueError(f"axis {axis} of the shape {tuple(x.shape)} has no elements")
        return function(x, dim=axis)

    return kernel


def cumsum(x: Any, axis: int) -> Any:
    return torch.cumsum(x, dim=axis, dtype=x.dtype)


def cumprod(x: Any, axis: int) -> Any:
    return torch.cumprod(x, dim=axis, dtype=x.dtype)


KERNELS = {
    "all": _over_axes(torch.all, _to_bool),
    "any": _over_axes(torch.any, _to_bool),
    "argmax": _position(torch.argmax),
    "argmin": _position(torch.argmin),
    "cumprod": cumprod,
    "cumsum": cumsum,
    "max": _over_axes(torch.amax),
    "mean": Specialized(_mean),
    "min": _over_axes(torch.amin),
    "norm": norm,
    "prod": prod,
    "sum": Specialized(_sum),
}
