"""The values of tensors and variables as NumPy arrays: ``K.eval``, ``K.get_value``, ``K.set_value``."""

from __future__ import annotations

from typing import Any

import numpy as np

from kbackend.classic.function import function
from kbackend.declare.call import to_numpy
from kbackend.graph.tensor import Tensor
from kbackend.graph.variable import Variable, assign_all, values_of
from kbackend.graph.walk import ancestors
from kbackend.ops.indexing.sparse import SparseTensor, is_scipy
from kbackend.runtime.evaluate import evaluate


def eval(x: Any) -> np.ndarray:
    """The value as a NumPy array of a symbolic tensor that depends on no placeholder, or of any concrete tensor.

    Raises:
        ValueError: it depends on placeholders; the message names them.
    """
    if isinstance(x, SparseTensor):
        x = x.to_dense()
    if not isinstance(x, Tensor):
        return np.array(to_numpy(x.toarray() if is_scipy(x) else x))
    updates = [n for n in ancestors([x]) if n.op.name == "update"]
    return function([], [x])([])[0] if updates else evaluate(x)


def get_value(x: Any) -> np.ndarray:
    """A copy of a variable's value as a NumPy array."""
    return x.numpy() if isinstance(x, Variable) else eval(x)


def batch_get_value(ops: Any) -> list[np.ndarray]:
    """The values of several variables at one moment: no update falls between them."""
    tensors = list(ops)
    found = iter(values_of([x for x in tensors if isinstance(x, Variable)]))
    return [next(found) if isinstance(x, Variable) else eval(x) for x in tensors]


def set_value(x: Variable, value: Any) -> None:
    """Set a variable's value; shape and dtype stay, and no program is made again.

    Raises:
        TypeError: not a variable.
        ValueError: another shape.
    """
    _variable("K.set_value", x).assign(to_numpy(value))


def batch_set_value(tuples: Any) -> None:
    """Set several variables: a list of pairs (variable, value).

    All values are checked before any is set, and programs in other threads see all of the new values or none.

    Raises:
        TypeError: not a variable, or complex numbers for one of real numbers.
        ValueError: another shape.
    """
    pairs = [(_variable("K.batch_set_value", x), to_numpy(value)) for x, value in tuples]
    assign_all([x for x, _ in pairs], [value for _, value in pairs])


def _variable(function: str, x: Any) -> Variable:
    if not isinstance(x, Variable):
        raise TypeError(f"{function} needs variables, it was given {x!r}")
    return x
