"""The values of tensors and variables as NumPy arrays: ``K.eval``, ``K.get_value``, ``K.set_value``."""

from __future__ import annotations

from typing import Any

import numpy as np

from kbackend.classic.function import function
from kbackend.declare.call import to_numpy
from kbackend.graph.node import Role
from kbackend.graph.tensor import Tensor
from kbackend.graph.variable import Variable
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
    updates = [n for n in ancestors([x]) if n.op.role is Role.UPDATE]
    return function([], [x])([])[0] if updates else evaluate(x)


def get_value(x: Any) -> np.ndarray:
    """A copy of a variable's value as a NumPy array."""
    return x.numpy() if isinstance(x, Variable) else eval(x)


def batch_get_value(ops: Any) -> list[np.ndarray]:
    """The values of several variables."""
    return [get_value(x) for x in ops]


def set_value(x: Variable, value: Any) -> None:
    """Set a variable's value; shape and dtype stay, and no program is made again.

    Raises:
        TypeError: not a variable.
        ValueError: another shape.
    """
    if not isinstance(x, Variable):
        raise TypeError(f"K.set_value needs a variable, it was given {x!r}")
    x.assign(to_numpy(value))


def batch_set_value(tuples: Any) -> None:
    """Set several variables: a list of pairs (variable, value). All shapes are checked before any is set."""
    pairs = [(x, to_numpy(value)) for x, value in tuples]
    for x, value in pairs:
        if not isinstance(x, Variable) or value.shape != x.shape:
            raise ValueError(f"{x!r} cannot take a value of shape {value.shape}")
    for x, value in pairs:
        x.assign(value)
