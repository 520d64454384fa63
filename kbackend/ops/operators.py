"""Operators and NumPy-style methods of symbolic tensors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kbackend.graph.tensor import Tensor, install_operators
from kbackend.ops import batched, creation, elementwise, indexing, linear, reduction, shaping
from kbackend.ops.evaluate import evaluate


def _comparing(function: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """``==`` and ``!=``; what can never be a tensor is left to Python, so that ``x == None`` is False."""

    def compare(x: Any, y: Any) -> Any:
        if any(v is None or isinstance(v, (str, bytes, type, dict, set)) for v in (x, y)):
            return NotImplemented
        return function(x, y)

    return compare


_OPERATORS: dict[str, Callable[..., Any]] = {
    "add": elementwise.add,
    "sub": elementwise.subtract,
    "mul": elementwise.multiply,
    "truediv": elementwise.divide,
    "floordiv": elementwise.floor_divide,
    "mod": elementwise.mod,
    "pow": elementwise.pow_,
    "matmul": linear.matrix_product,
    "and": elementwise.and_,
    "or": elementwise.or_,
    "xor": elementwise.xor,
    "lt": elementwise.less,
    "le": elementwise.less_equal,
    "gt": elementwise.greater,
    "ge": elementwise.greater_equal,
    "eq": _comparing(elementwise.equal),
    "ne": _comparing(elementwise.not_equal),
    "neg": elementwise.negative,
    "pos": lambda x: x,
    "abs": elementwise.abs_,
    "invert": elementwise.invert,
    "round": elementwise.round_,
    "getitem": indexing.getitem,
    "evaluate": evaluate,
}

# ---------------------------------------------------------------------- methods


def _reshape(self: Tensor, *shape: Any) -> Tensor:
    return shaping.reshape(self, shape[0] if len(shape) == 1 else shape)


def _transpose(self: Tensor, *axes: Any) -> Tensor:
    if not axes or axes == (None,):
        return shaping.transpose(self)
    one_list = len(axes) == 1 and not isinstance(axes[0], int)
    return shaping.permute_dimensions(self, axes[0] if one_list else axes)


def _squeeze(self: Tensor, axis: Any = None) -> Tensor:
    """NumPy's: all dimensions known to be 1 when no axis is given."""
    if axis is None:
        axis = tuple(i for i, d in enumerate(self.shape) if d == 1)
    axes = axis if isinstance(axis, (tuple, list)) else (axis,)
    result = self
    for a in sorted((a + self.ndim if a < 0 else a for a in axes), reverse=True):
        result = shaping.squeeze(result, a)
    return result


def _reduction(function: Callable[..., Any]) -> Callable[..., Tensor]:
    def method(self: Tensor, axis: Any = None, keepdims: bool = False) -> Tensor:
        return function(self, axis, keepdims)

    return method


def _along(function: Callable[..., Any]) -> Callable[..., Tensor]:
    """Without an axis NumPy looks at all elements in a row."""

    def method(self: Tensor, axis: Any = None) -> Tensor:
        return function(shaping.flatten(self), 0) if axis is None else function(self, axis)

    return method


def _clip(self: Tensor, min: Any = None, max: Any = None) -> Tensor:
    return elementwise.clip(self, min, max)


_METHODS: dict[str, Any] = {
    "sum": _reduction(reduction.sum_),
    "mean": _reduction(reduction.mean),
    "max": _reduction(reduction.max_),
    "min": _reduction(reduction.min_),
    "prod": _reduction(reduction.prod),
    "any": _reduction(reduction.any_),
    "all": _reduction(reduction.all_),
    "std": _reduction(reduction.std),
    "var": _reduction(reduction.var),
    "argmax": _along(reduction.argmax),
    "argmin": _along(reduction.argmin),
    "astype": elementwise.cast,
    "reshape": _reshape,
    "transpose": _transpose,
    "T": property(shaping.transpose),
    "flatten": shaping.flatten,
    "ravel": shaping.flatten,
    "squeeze": _squeeze,
    "clip": _clip,
    "dot": linear.dot,
    "size": property(shaping.size),
}
_METHODS |= {
    name: _along(getattr(reduction, name)) for name in ("cumsum", "cumprod") if hasattr(reduction, name)
}

install_operators(_OPERATORS, _METHODS)

__all__ = ["batched", "creation"]
