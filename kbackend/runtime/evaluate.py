"""Values of symbolic tensors that depend on no placeholder."""

from __future__ import annotations

from typing import Any

import numpy as np

from kbackend.graph.node import Role
from kbackend.graph.tensor import Tensor
from kbackend.graph.variable import Variable
from kbackend.graph.walk import Graph, ancestors
from kbackend.lowering.rewrite import feeds_of
from kbackend.plugin.discover import reference
from kbackend.plugin.select import use_backend
from kbackend.runtime.function import Function

_SETTLED_LATER = (Role.PLACEHOLDER, Role.PHASE, Role.VARIABLE)


def evaluate(tensor: Tensor) -> np.ndarray:
    """The value of a tensor on the active engine.

    Raises:
        ValueError: the tensor depends on placeholders; the message names them.
    """
    if isinstance(tensor, Variable):
        return tensor.numpy()
    return _function(tensor)([])[0]


def on_engine(tensor: Tensor) -> Any:
    """The value as a tensor of the active engine.

    Raises:
        ValueError: as :func:`evaluate`.
    """
    return _function(tensor)([], as_numpy=False)[0]


def truth(tensor: Tensor) -> bool | None:
    """The truth value of a constant with one element; None if the value is not constant.

    A tensor that depends on a variable, a placeholder or a random stream may have another value at each run, and an
    ``if`` on its present value would fix that in the graph.
    """
    if any(not node.op.pure or node.op.role in _SETTLED_LATER for node in ancestors([tensor])):
        return None
    return bool(evaluate(tensor))


def evaluate_on_reference(tensor: Tensor) -> np.ndarray:
    """The value on the NumPy engine, for initial values that are bitwise equal on every engine."""
    with use_backend(reference()):
        return _function(tensor, rng="portable")([])[0]


def _function(tensor: Tensor, rng: str | None = None) -> Any:
    unfed = feeds_of(Graph([], [tensor]))
    if unfed:
        names = ", ".join(repr(t.name) for t in unfed)
        raise ValueError(
            f"{tensor!r} has no value of its own: it depends on the placeholders {names}; "
            "make a K.function and feed them"
        )
    return Function([], [tensor], name="eval", rng=rng)
