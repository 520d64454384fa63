"""Elementwise kernels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch


class _Sqrt(torch.autograd.Function):
    """The square root with gradient 0 at 0 where the incoming gradient is 0; that of torch.sqrt is 0 * inf = NaN."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x: Any) -> Any:
        return torch.sqrt(x)

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        ctx.save_for_backward(output)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        (root,) = ctx.saved_tensors
        nothing = (g == 0) & (root == 0)
        return g * 0.5 / torch.where(nothing, 1.0, root).conj()


def sqrt(x: Any) -> Any:
    return _Sqrt.apply(x) if x.requires_grad and torch.is_grad_enabled() else torch.sqrt(x)


def _dividing(function: Callable[..., Any]) -> Callable[..., Any]:
    """With ZeroDivisionError for torch's RuntimeError of integers on the CPU; a check on CUDA would synchronize."""

    def kernel(x: Any, y: Any) -> Any:
        try:
            return function(x, y)
        except RuntimeError as error:
            if "ZeroDivisionError" in str(error):
                raise ZeroDivisionError("an integer is divided by zero") from None
            raise

    return kernel


def _floored(x: Any, y: Any) -> Any:
    return torch.div(x, y, rounding_mode="floor")


def power(x: Any, y: Any) -> Any:
    if not (x.is_floating_point() or x.is_complex()) and y.device.type == "cpu" and bool((y < 0).any()):
        raise ValueError("integers cannot be raised to negative powers; cast them first")
    return torch.pow(x, y)


def power_number(x: Any, exponent: float) -> Any:
    return torch.pow(x, exponent)


def sign(x: Any) -> Any:
    """torch.sign of NaN is 0."""
    return torch.where(torch.isnan(x), x.detach(), torch.sign(x)) if x.is_floating_point() else torch.sign(x)


def _whole(function: Callable[..., Any]) -> Callable[..., Any]:
    """A rounding function, which leaves integers unchanged."""

    def kernel(x: Any) -> Any:
        return function(x) if x.is_floating_point() else x

    return kernel


def clip_range(x: Any, low: float | None, high: float | None) -> Any:
    return x.clone() if low is None and high is None else torch.clamp(x, low, high)


KERNELS = {
    "abs": torch.abs,
    "acos": torch.acos,
    "add": torch.add,
    "asin": torch.asin,
    "atan": torch.atan,
    "atan2": torch.atan2,
    "bitwise_and": torch.bitwise_and,
    "bitwise_not": torch.bitwise_not,
    "bitwise_or": torch.bitwise_or,
    "bitwise_xor": torch.bitwise_xor,
    "ceil": _whole(torch.ceil),
    "clip_range": clip_range,
    "cos": torch.cos,
    "cosh": torch.cosh,
    "divide": torch.div,
    "equal": torch.eq,
    "erf": torch.erf,
    "exp": torch.exp,
    "expm1": torch.expm1,
    "floor": _whole(torch.floor),
    "floor_divide": _dividing(_floored),
    "greater": torch.gt,
    "greater_equal": torch.ge,
    "isfinite": torch.isfinite,
    "isinf": torch.isinf,
    "isnan": torch.isnan,
    "less": torch.lt,
    "less_equal": torch.le,
    "log": torch.log,
    "log1p": torch.log1p,
    "logical_and": torch.logical_and,
    "logical_not": torch.logical_not,
    "logical_or": torch.logical_or,
    "logical_xor": torch.logical_xor,
    "maximum": torch.maximum,
    "minimum": torch.minimum,
    "mod": _dividing(torch.remainder),
    "multiply": torch.mul,
    "negative": torch.neg,
    "not_equal": torch.ne,
    "pow": power,
    "power_number": power_number,
    "reciprocal": torch.reciprocal,
    "round": _whole(torch.round),
    "rsqrt": torch.rsqrt,
    "sign": sign,
    "sin": torch.sin,
    "sinh": torch.sinh,
    "sqrt": sqrt,
    "square": torch.square,
    "subtract": torch.sub,
    "tan": torch.tan,
    "tanh": torch.tanh,
    "where": torch.where,
}
