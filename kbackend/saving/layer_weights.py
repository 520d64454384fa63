"""The weights of a model by layer, set from what a file has."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from kbackend import dtypes
from kbackend.graph.variable import Variable, assign_all, values_of
from kbackend.ground.warn import warn_caller
from kbackend.layers.base.inside import Inside
from kbackend.saving.errors import FormatError


class Held(NamedTuple):
    """The weights that a file has for a layer."""

    layer: str
    arrays: Sequence[np.ndarray]


class Merged:
    """The weights of a model as files of weights have them: adapters of low rank are merged into what they adapt.

    Args:
        model: the model.
    """

    def __init__(self, model: Any) -> None:
        found = [a for a in (layer._adapter() for layer in Inside(model).layers) if a is not None]
        self._adapters = {id(a.weight): a for a in found}
        self._parts = {id(v) for a in found for v in (a.first, a.second)}

    def kept(self, weights: Sequence[Variable]) -> list[Variable]:
        """The weights without those of adapters."""
        return [v for v in weights if id(v) not in self._parts]

    def values(self, weights: Sequence[Variable]) -> list[np.ndarray]:
        """The values of weights, all of one moment, with adapters merged."""
        parts = {id(v): v for a in self._adapters.values() for v in (a.first, a.second)}
        found = values_of([*weights, *parts.values()])
        known = dict(zip(parts, found[len(weights) :]))
        return [
            value if (a := self._adapters.get(id(v))) is None
            else a.merged(value, known[id(a.first)], known[id(a.second)])
            for v, value in zip(weights, found)
        ]  # fmt: skip

    def with_nothing_added(self, weights: Sequence[Variable]) -> list[tuple[Variable, np.ndarray]]:
        """For weights that were read from a file, the parts of their adapters that become zeros, as the file has none
        of them."""
        read = {id(v) for v in weights}
        adapters = [a for key, a in self._adapters.items() if key in read and id(a.second) not in read]
        return [(a.second, np.zeros(a.second.shape, dtypes.numpy_dtype(a.second.dtype))) for a in adapters]


def weights_by_layer(model: Any) -> list[tuple[str, list[Variable]]]:
    """The weights of each layer of a model, each weight once, and then those of no layer; without adapters."""
    left = {id(v): v for v in Merged(model).kept(model.weights)}
    found = []
    for layer in model.layers:
        held = [v for v in layer.weights if id(v) in left]
        for variable in held:
            del left[id(variable)]
        if held:
            found.append((layer.name, held))
    return [*found, ("", list(left.values()))] if left else found


def put_weights(
    model: Any, own: Sequence[tuple[str, Sequence[Variable]]], found: Sequence[Held], by_name: bool,
    skip_mismatch: bool, reshape: bool = False,
) -> list[str]:  # fmt: skip
    """Set the weights of the layers of a model. Adapters of what is set add nothing then.

    Args:
        model: the model.
        own: the names and weights of the layers.
        found: what a file has.
        by_name: whether layers are matched by their names; else by their order.
        skip_mismatch: whether layers whose weights do not fit are left as they are, with a warning that names them.
        reshape: whether arrays of another shape with as many elements fit.

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
    faults = []
    for name, variables, given in pairs:
        held = _reshaped(variables, given) if reshape and given is not None else given
        fault = "" if held is None else _fault(variables, held)
        if fault:
            faults.append(f"{name}: {fault}")
        if fault and not skip_mismatch:
            raise FormatError(f"{fault}; skip_mismatch=True leaves such layers as they are", name or None)
        if held is None or fault:
            left.append(name)
        else:
            taken += variables
            values += held.arrays
    for variable, value in Merged(model).with_nothing_added(taken):
        taken.append(variable)
        values.append(value)
    assign_all(taken, values)
    if faults:
        warn_caller(f"layers keep their weights, as those in the file do not fit: {'; '.join(faults)}")
    return left


def _reshaped(variables: Sequence[Variable], held: Held) -> Held:
    """The arrays of a file in the shapes of the weights of a layer, where they have as many elements."""
    if len(variables) != len(held.arrays):
        return held
    shapes = [tuple(d for d in v.shape if d is not None) for v in variables]  # those of variables are known
    arrays = [a.reshape(shape) if a.size == math.prod(shape) else a for shape, a in zip(shapes, held.arrays)]
    return Held(held.layer, arrays)


def _fault(variables: Sequence[Variable], held: Held) -> str:
    if len(variables) != len(held.arrays):
        return f"the layer has {len(variables)} weights, the file has {len(held.arrays)}"
    for variable, array in zip(variables, held.arrays):
        if variable.shape != array.shape:
            return f"{variable.name} has shape {variable.shape}, the file has {array.shape}"
        if array.dtype.kind == "c" and not dtypes.is_complex(variable.dtype):
            return f"{variable.name} is {variable.dtype}, the file has {array.dtype}"
    return ""
