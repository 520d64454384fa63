"""Elementwise kernels."""

from __future__ import annotations

from typing import Any

import torch

from kbackend_torch.dtypes import TORCH


def cast(x: Any, dtype: str) -> Any:
    return x.to(TORCH[dtype])


class _Sqrt(torch.autograd.Function):
    """The square root whose gradient stays 0 at 0 when nothing flows in; torch's own gives 0 * inf = NaN."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        root = torch.sqrt(x)
        ctx.save_for_backward(root)
        return root

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:  # type: ignore[override]
        (root,) = ctx.saved_tensors
        return torch.where(g == 0, 0.0, g * 0.5 / root)


def sqrt(x: Any) -> Any:
    return _Sqrt.apply(x) if x.requires_grad and torch.is_grad_enabled() else torch.sqrt(x)


def sign(x: Any) -> Any:
    return torch.where(torch.isnan(x), x, torch.sign(x)) if x.is_floating_point() else torch.sign(x)


def power(x: Any, y: Any) -> Any:
    if not x.is_floating_point() and bool((y < 0).any()):
        raise ValueError("an integer cannot be raised to a negative power; cast to float first")
    return torch.pow(x, y)


def floor_divide(x: Any, y: Any) -> Any:
    if not x.is_floating_point() and bool((y == 0).any()):
        raise ZeroDivisionError("integer division by zero")
    return torch.floor_divide(x, y)


def clip_range(x: Any, low: float, high: float) -> Any:
    return torch.clamp(x, low, high)


KERNELS = {
    "add": torch.add,
    "subtract": torch.sub,
    "multiply": torch.mul,
    "divide": torch.div,
    "floor_divide": floor_divide,
    "mod": torch.remainder,
    "pow": power,
    "negative": torch.neg,
    "abs": torch.abs,
    "sign": sign,
    "square": torch.square,
    "sqrt": sqrt,
    "rsqrt": torch.rsqrt,
    "reciprocal": torch.reciprocal,
    "exp": torch.exp,
    "expm1": torch.expm1,
    "log": torch.log,
    "log1p": torch.log1p,
    "sin": torch.sin,
    "cos": torch.cos,
    "tanh": torch.tanh,
    "erf": torch.erf,
    "floor": torch.floor,
    "ceil": torch.ceil,
    "round": torch.round,
    "maximum": torch.maximum,
    "minimum": torch.minimum,
    "where": torch.where,
    "clip_range": clip_range,
    "equal": torch.eq,
    "not_equal": torch.ne,
    "greater": torch.gt,
    "greater_equal": torch.ge,
    "less": torch.lt,
    "less_equal": torch.le,
    "logical_and": torch.logical_and,
    "logical_or": torch.logical_or,
    "logical_xor": torch.logical_xor,
    "logical_not": torch.logical_not,
    "isnan": torch.isnan,
    "isfinite": torch.isfinite,
    "cast": cast,
    "identity": lambda x: x,
    "stop_gradient": lambda x: x.detach(),
}
