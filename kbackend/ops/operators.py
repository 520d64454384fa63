"""Operators and NumPy-style methods of symbolic tensors."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

from kbackend.graph.tensor import Tensor, install_operators
from kbackend.ops import batched, creation, elementwise, indexing, linear, reduction, shaping
from kbackend.ops.evaluate import evaluate


def _op(module: ModuleType, name: str) -> Callable[..., Any]:
    """A function of a family by its name in K, with an underscore where that is a builtin's."""
    return getattr(module, f"{name}_", None) or getattr(module, name)


_BINARY = {
    "add": "add",
    "sub": "subtract",
    "mul": "multiply",
    "truediv": "divide",
    "floordiv": "floor_divide",
    "mod": "mod",
    "pow": "pow",
    "and": "logical_and",
    "or": "logical_or",
    "xor": "logical_xor",
    "lt": "less",
    "le": "less_equal",
    "gt": "greater",
    "ge": "greater_equal",
    "eq": "equal",
    "ne": "not_equal",
}
_UNARY = {"neg": "negative", "abs": "abs", "invert": "logical_not", "round": "round"}
_ALTERNATIVES = {"logical_and": "and_", "logical_or": "or_", "logical_xor": "xor", "logical_not": "invert"}


def _operators() -> dict[str, Callable[..., Any]]:
    table: dict[str, Callable[..., Any]] = {}
    for symbol, name in {**_BINARY, **_UNARY}.items():
        for candidate in (f"{name}_", name, _ALTERNATIVES.get(name, "")):
            if candidate and hasattr(elementwise, candidate):
                table[symbol] = getattr(elementwise, candidate)
                break
    table["matmul"] = linear.matrix_product
    table["getitem"] = indexing.getitem
    table["evaluate"] = evaluate
    table["pos"] = lambda x: x
    return table


# ---------------------------------------------------------------------- methods


def _reshape(self: Tensor, *shape: Any) -> Tensor:
    return shaping.reshape(self, shape[0] if len(shape) == 1 else shape)


def _transpose(self: Tensor, *axes: Any) -> Tensor:
    if not axes or axes == (None,):
        return shaping.transpose(self)
    return shaping.permute_dimensions(
        self, axes[0] if len(axes) == 1 and not isinstance(axes[0], int) else axes
    )


def _squeeze(self: Tensor, axis: Any = None) -> Tensor:
    """NumPy's: all dimensions known to be 1 when no axis is given."""
    if axis is None:
        axis = tuple(i for i, d in enumerate(self.shape) if d == 1)
    axes = (
        sorted((a % max(self.ndim, 1) for a in axis), reverse=True)
        if isinstance(axis, (tuple, list))
        else [axis]
    )
    result = self
    for a in axes:
        result = shaping.squeeze(result, a)
    return result


def _reduction(name: str) -> Callable[..., Tensor]:
    def method(self: Tensor, axis: Any = None, keepdims: bool = False) -> Tensor:
        return _op(reduction, name)(self, axis, keepdims)

    method.__name__ = name
    return method


def _position(name: str) -> Callable[..., Tensor]:
    def method(self: Tensor, axis: Any = None) -> Tensor:
        x, axis = (shaping.flatten(self), 0) if axis is None else (self, axis)
        return _op(reduction, name)(x, axis)

    method.__name__ = name
    return method


def _cumulated(name: str) -> Callable[..., Tensor]:
    def method(self: Tensor, axis: Any = None) -> Tensor:
        x, axis = (shaping.flatten(self), 0) if axis is None else (self, axis)
        return _op(reduction, name)(x, axis)

    method.__name__ = name
    return method


def _clip(self: Tensor, min: Any = None, max: Any = None) -> Tensor:
    return _op(elementwise, "clip")(self, min, max)


def _methods() -> dict[str, Any]:
    table: dict[str, Any] = {
        name: _reduction(name) for name in ("sum", "mean", "max", "min", "prod", "any", "all", "std", "var")
    }
    table |= {name: _position(name) for name in ("argmax", "argmin")}
    table |= {name: _cumulated(name) for name in ("cumsum", "cumprod")}
    table |= {
        "astype": elementwise.cast,
        "reshape": _reshape,
        "transpose": _transpose,
        "flatten": shaping.flatten,
        "ravel": shaping.flatten,
        "squeeze": _squeeze,
        "clip": _clip,
        "dot": linear.dot,
        "T": property(shaping.transpose),
        "size": property(shaping.size),
    }
    return table


install_operators(_operators(), _methods())

__all__ = ["batched", "creation"]
