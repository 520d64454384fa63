"""Updates of variables, which functions apply after their outputs are computed."""

from __future__ import annotations

from typing import Any

from kbackend.declare.call import lift, make_node
from kbackend.declare.decorate import derived
from kbackend.declare.op import REGISTRY
from kbackend.graph.node import Role
from kbackend.graph.tensor import Tensor
from kbackend.graph.variable import Variable


def as_updates(updates: Any) -> list[tuple[Variable, Tensor]]:
    """Pairs (variable, new value) from K.update tensors and pairs."""
    pairs = []
    for item in updates or ():
        if isinstance(item, Tensor) and item.node.op.role is Role.UPDATE:
            pairs.append((item.node.args[0], item.node.args[1]))
        elif isinstance(item, (tuple, list)) and len(item) == 2:
            pairs.append((item[0], item[1]))
        else:
            raise TypeError(f"an update is K.update(...) or a pair (variable, new value), not {item!r}")
    return [_checked_update(variable, value) for variable, value in pairs]


def _checked_update(variable: Any, value: Any) -> tuple[Variable, Tensor]:
    if not isinstance(variable, Variable):
        raise TypeError(f"only variables can be updated, not {variable!r}")
    tensor = lift(value, variable.dtype)
    if len(tensor.shape) != len(variable.shape) or any(
        d is not None and d != wanted for d, wanted in zip(tensor.shape, variable.shape)
    ):
        raise ValueError(
            f"{variable.name} has shape {variable.shape}; its new value has shape {tensor.shape}"
        )
    return variable, tensor


@derived
def update(x: Variable, new_x: Any) -> Tensor:
    """An update that sets ``x`` to ``new_x`` when a function runs it; its value is the new value."""
    variable, value = _checked_update(x, new_x)
    return make_node(REGISTRY["update"], (variable, value), {})


@derived
def update_add(x: Variable, increment: Any) -> Tensor:
    """An update that adds ``increment`` to ``x``."""
    return update(x, x + increment)


@derived
def update_sub(x: Variable, decrement: Any) -> Tensor:
    """An update that subtracts ``decrement`` from ``x``."""
    return update(x, x - decrement)


@derived
def moving_average_update(x: Variable, value: Any, momentum: Any) -> Tensor:
    """An update of a moving average: ``x * momentum + value * (1 - momentum)``."""
    return update(x, x * momentum + value * (1 - momentum))


__all__: list[str] = []
