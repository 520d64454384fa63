"""The weights of a model by layer, set from what a file has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from kbackend import dtypes
from kbackend.graph.variable import Variable, assign_all
from kbackend.saving.errors import FormatError


class Held(NamedTuple):
    """The weights that a file has for a layer."""

    layer: str
    arrays: Sequence[np.ndarray]


def weights_by_layer(model: Any) -> list[tuple[str, list[Variable]]]:
    """The weights of each layer of a model, each weight once, and then those of no layer."""
    left = {id(v): v for v in model.weights}
    found = []
    for layer in model.layers:
        held = [v for v in layer.weights if id(v) in left]
        for variable in held:
            del left[id(variable)]
        if held:
            found.append((layer.name, held))
    return [*found, ("", list(left.values()))] if left else found


def put_weights(
    own: Sequence[tuple[str, Sequence[Variable]]], found: Sequence[Held], by_name: bool, skip_mismatch: bool
) -> list[str]:
    """Set the weights of the layers of a model.

    Args:
        own: the names and weights of the layers.
        found: what a file has.
        by_name: whether layers are matched by their names; else by their order.
        skip_mismatch: whether layers whose weights do not fit are left as they are.

    Returns:
        The names of layers of the model that were left as they are.

    Raises:
        FormatError: another number of layers with weights, or of weights of a layer, or another shape; nothing has
            changed then.
    """
    if by_name:
        known = {held.layer: held for held in found}
        pairs = [(name, variables, known.get(name)) for name, variables in own]
    elif len(found) == len(own):
        pairs = [(name, variables, held) for (name, variables), held in zip(own, found)]
    else:
        raise FormatError(
            f"it has the weights of {len(found)} layers, the model has {len(own)} layers with weights "
            f"({', '.join(name for name, _ in own)})"
        )
    taken: list[Variable] = []
    values: list[np.ndarray] = []
    left = []
    for name, variables, held in pairs:
        fault = "" if held is None else _fault(variables, held)
        if fault and not skip_mismatch:
            raise FormatError(f"{fault}; skip_mismatch=True leaves such layers as they are", name or None)
        if held is None or fault:
            left.append(name)
        else:
            taken += variables
            values += held.arrays
    assign_all(taken, values)
    return left


def _fault(variables: Sequence[Variable], held: Held) -> str:
    if len(variables) != len(held.arrays):
        return f"the layer has {len(variables)} weights, the file has {len(held.arrays)}"
    for variable, array in zip(variables, held.arrays):
        if variable.shape != array.shape:
            return f"{variable.name} has shape {variable.shape}, the file has {array.shape}"
        if array.dtype.kind == "c" and not dtypes.is_complex(variable.dtype):
            return f"{variable.name} is {variable.dtype}, the file has {array.dtype}"
    return ""
