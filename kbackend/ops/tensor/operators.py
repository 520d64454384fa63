"""Operators of symbolic tensors; importing this module installs them and the methods of methods.py."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kbackend.graph.tensor import install_operators
from kbackend.ground import hooks
from kbackend.ops.elementwise.arithmetic import (
    abs_,
    add,
    divide,
    floor_divide,
    mod,
    multiply,
    negative,
    subtract,
)
from kbackend.ops.elementwise.bitwise import bitwise_left_shift, bitwise_right_shift
from kbackend.ops.elementwise.comparison import equal, greater, greater_equal, less, less_equal, not_equal
from kbackend.ops.elementwise.logical import and_, invert, or_, xor
from kbackend.ops.elementwise.power import pow_
from kbackend.ops.indexing.getitem import getitem
from kbackend.ops.linalg.matmul import matrix_product
from kbackend.ops.tensor.methods import METHODS, REFUSED, round_
from kbackend.ops.tensor.protocols import PROTOCOLS


def _comparing(function: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """``==`` and ``!=``; operands that can never be tensors are left to Python, so that ``x == None`` is False."""

    def compare(x: Any, y: Any) -> Any:
        if any(v is None or isinstance(v, (str, bytes, type, dict, set)) for v in (x, y)):
            return NotImplemented
        return function(x, y)

    return compare


def _power(x: Any, y: Any, modulus: Any = None) -> Any:
    if modulus is not None:
        raise TypeError(f"pow of tensors takes no modulus, not {modulus!r}; use (x ** y) % modulus")
    return pow_(x, y)


def _rounded(x: Any, ndigits: Any = None) -> Any:
    return round_(x, 0 if ndigits is None else ndigits)


_OPERATORS: dict[str, Callable[..., Any]] = {
    "add": add,
    "sub": subtract,
    "mul": multiply,
    "truediv": divide,
    "floordiv": floor_divide,
    "mod": mod,
    "matmul": matrix_product,
    "and": and_,
    "or": or_,
    "xor": xor,
    "lt": less,
    "le": less_equal,
    "gt": greater,
    "ge": greater_equal,
    "eq": _comparing(equal),
    "ne": _comparing(not_equal),
    "neg": negative,
    "pos": lambda x: x,
    "abs": abs_,
    "invert": invert,
    "getitem": getitem,
    "evaluate": hooks.evaluate,
    "pow": _power,
    "divmod": lambda x, y: (floor_divide(x, y), mod(x, y)),
    "lshift": bitwise_left_shift,
    "rshift": bitwise_right_shift,
    "round": _rounded,
    "truth": hooks.truth,
}


install_operators(_OPERATORS, METHODS | PROTOCOLS, REFUSED)
