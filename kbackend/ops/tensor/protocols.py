"""What functions of NumPy and of engines find on symbolic tensors: operators go to ours, all else names K's function.

The names are those of the protocols by which the libraries ask other kinds of tensors: NumPy's ``__array_ufunc__``
(NEP 13) and PyTorch's ``__torch_function__``.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import numpy as np

from kbackend.graph.tensor import Tensor
from kbackend.ground.suggest import counterpart

#: NumPy's functions behind Python's operators
_OPERATORS = {
    "add": "__add__",
    "subtract": "__sub__",
    "multiply": "__mul__",
    "divide": "__truediv__",
    "floor_divide": "__floordiv__",
    "remainder": "__mod__",
    "divmod": "__divmod__",
    "power": "__pow__",
    "matmul": "__matmul__",
    "bitwise_and": "__and__",
    "bitwise_or": "__or__",
    "bitwise_xor": "__xor__",
    "left_shift": "__lshift__",
    "right_shift": "__rshift__",
    "less": "__lt__",
    "less_equal": "__le__",
    "greater": "__gt__",
    "greater_equal": "__ge__",
    "equal": "__eq__",
    "not_equal": "__ne__",
}
#: the names under which libraries are imported
_USUAL = {"numpy": "np"}
_SWAPPED = {
    "__eq__": "__eq__",
    "__ne__": "__ne__",
    "__lt__": "__gt__",
    "__le__": "__ge__",
    "__gt__": "__lt__",
    "__ge__": "__le__",
}


def refusal(name: str, tensor: Tensor) -> TypeError:
    """The error of another library's function that was given a symbolic tensor.

    Args:
        name: what was called, such as "np.tanh".
    """
    ours = counterpart(name.partition(" of ")[0].rpartition(".")[2], vars(sys.modules["kbackend.ops"]))
    advice = "use K's functions" if ours is None else f"use K.{ours}"
    return TypeError(
        f"{name} takes values, not symbolic tensors such as {tensor!r}: {advice} to make part of the graph; "
        "K.eval(tensor) gives the value of one that depends on no placeholder"
    )


def _array_ufunc(self: Tensor, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
    """What an operator of an array and a symbolic tensor calls."""
    dunder = _OPERATORS.get(ufunc.__name__)
    if dunder is None or method != "__call__" or options:
        raise refusal(f"np.{ufunc.__name__}" + ("" if method == "__call__" else f".{method}"), self)
    left, right = inputs
    if isinstance(left, Tensor):
        return getattr(left, dunder)(right)
    return getattr(right, _SWAPPED.get(dunder, f"__r{dunder[2:]}"))(left)


def _torch_function(cls: type, function: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None) -> Any:
    given = [v for a in (*args, *(kwargs or {}).values()) for v in (a if isinstance(a, (list, tuple)) else [a])]
    tensor = next((v for v in given if isinstance(v, Tensor)), None)
    if tensor is None:
        return NotImplemented
    module = getattr(function, "__module__", None)
    raise refusal(f"{module}.{function.__name__}" if module else f"the method {function.__name__}", tensor)


def _no_array(self: Tensor, error: ValueError) -> Exception:
    """The error of the conversion of a tensor without a value to an array."""
    name = _library_function(sys._getframe(2))
    if name is not None:
        return refusal(name, self)
    return ValueError(f"{error}, or use K's functions in place of those of another library")


def _library_function(frame: FrameType | None) -> str | None:
    """The function of an installed library that the frames from this one outward are in, as a user calls it; None where
    K has no function for it."""
    library, found = None, None
    while frame is not None:
        package = frame.f_globals.get("__name__", "").partition(".")[0]
        library = library or package
        if package != library or library == "__main__":
            break
        name = frame.f_code.co_name
        if counterpart(name, vars(sys.modules["kbackend.ops"])) and "site-packages" in frame.f_code.co_filename:
            at_the_top = name in vars(sys.modules[library])
            found = f"{_USUAL.get(library, library)}.{name}" if at_the_top else f"{name} of {library}"
        frame = frame.f_back
    return found


PROTOCOLS: dict[str, Any] = {
    "_no_array": _no_array,
    "__array_ufunc__": _array_ufunc,
    "__torch_function__": classmethod(_torch_function),
}
