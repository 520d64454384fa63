"""Operators of symbolic tensors; their methods are those of :mod:`kbackend.ops.methods`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kbackend.graph.tensor import install_operators
from kbackend.ops import bits, elementwise, indexing, linear, methods
from kbackend.ops.evaluate import evaluate, truth


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
    "getitem": indexing.getitem,
    "evaluate": evaluate,
}


def _power(x: Any, y: Any, mod: Any = None) -> Any:
    if mod is not None:
        raise TypeError(f"pow of tensors takes no modulus, it was given {mod!r}; use (x ** y) % modulus")
    return elementwise.pow_(x, y)


def _rounded(x: Any, ndigits: Any = None) -> Any:
    return methods.round_(x, 0 if ndigits is None else ndigits)


_OPERATORS |= {
    "pow": _power,
    "divmod": lambda x, y: (elementwise.floor_divide(x, y), elementwise.mod(x, y)),
    "lshift": bits.bitwise_left_shift,
    "rshift": bits.bitwise_right_shift,
    "round": _rounded,
    "truth": truth,
}

install_operators(_OPERATORS, methods.METHODS, methods.REFUSED)

__all__: list[str] = []
