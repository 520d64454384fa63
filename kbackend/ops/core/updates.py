"""Updates of variables, which a function applies together after its outputs are computed."""

from __future__ import annotations

from typing import Any

from kbackend.declare.call import lift, make_node
from kbackend.declare.decorate import derived
from kbackend.declare.op import REGISTRY
from kbackend.graph.node import Role
from kbackend.graph.tensor import Tensor
from kbackend.graph.variable import Variable, recorder


def as_updates(updates: Any) -> list[tuple[Variable, Tensor]]:
    """Pairs (variable, new value) from the updates of a function, each a ``K.update`` tensor or a pair.

    Raises:
        TypeError: an entry of another kind, or an update of something that is not a variable.
        ValueError: a new value of another shape.
    """
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
    """An update that sets a variable when a function runs it (Keras's ``K.update``).

    Args:
        x: the variable.
        new_x: a tensor or number of the shape of ``x``; it is cast to the dtype of ``x``.

    Returns:
        A tensor whose value is the new value.

    Raises:
        TypeError: ``x`` is not a variable.
        ValueError: ``new_x`` has another shape.

    >>> from kbackend import K
    >>> v = K.variable(1.0)
    >>> _ = K.function([], [], updates=[K.update(v, v * 3)])([])
    >>> float(K.get_value(v))
    3.0
    """
    variable, value = _checked_update(x, new_x)
    made = recorder.get()
    if made is not None:
        made.put(variable, value)
    return make_node(REGISTRY["update"], (variable, value), {})


@derived
def update_add(x: Variable, increment: Any) -> Tensor:
    """An update that adds ``increment`` to the variable ``x``. Errors as in :func:`update`.

    Args:
        x: the variable.
        increment: a tensor or number of the shape of ``x``, or one that broadcasts to it.

    >>> from kbackend import K
    >>> v = K.variable(1.0)
    >>> _ = K.function([], [], updates=[K.update_add(v, 2)])([])
    >>> float(K.get_value(v))
    3.0
    """
    return update(x, x + increment)


@derived
def update_sub(x: Variable, decrement: Any) -> Tensor:
    """An update that subtracts ``decrement`` from the variable ``x``. Errors as in :func:`update`.

    Args:
        x: the variable.
        decrement: a tensor or number of the shape of ``x``, or one that broadcasts to it.

    >>> from kbackend import K
    >>> v = K.variable(1.0)
    >>> _ = K.function([], [], updates=[K.update_sub(v, 2)])([])
    >>> float(K.get_value(v))
    -1.0
    """
    return update(x, x - decrement)


@derived
def moving_average_update(x: Variable, value: Any, momentum: Any) -> Tensor:
    """An update of a moving average: ``x * momentum + value * (1 - momentum)``.

    Args:
        x: the variable that holds the average.
        value: the new observation, of the shape of ``x``.
        momentum: the weight of the old average, in [0, 1]; a number or a scalar tensor.

    Raises:
        TypeError: ``x`` is not a variable.
        ValueError: ``value`` has another shape.

    >>> from kbackend import K
    >>> v = K.variable(1.0)
    >>> _ = K.function([], [], updates=[K.moving_average_update(v, 3.0, 0.5)])([])
    >>> float(K.get_value(v))
    2.0
    """
    return update(x, x * momentum + value * (1 - momentum))


__all__: list[str] = []
