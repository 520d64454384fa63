"""Weights alone, in a safetensors file: arrays by name, and which layer each belongs to."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from kbackend import dtypes
from kbackend.graph.variable import Variable, assign_all, values_of
from kbackend.ground.files import write_atomically
from kbackend.saving import archive, tensors
from kbackend.saving.documents import parsed
from kbackend.saving.errors import FormatError
from kbackend.saving.structure import keys_of

_LAYERS = "kbackend layers"


class Held(NamedTuple):
    """The weights that a file has for a layer."""

    layer: str
    arrays: Sequence[np.ndarray]


def save_weights(model: Any, path: str | os.PathLike[str], overwrite: bool = True) -> None:
    """Write the weights of a model to a file. See :meth:`kbackend.Model.save_weights`."""
    if not overwrite and os.path.exists(path):
        raise FileExistsError(f"{os.fspath(path)} exists; pass overwrite=True to replace it")
    weights = list(model.weights)
    keys = keys_of(weights)
    places = {id(v): key for v, key in zip(weights, keys)}
    layers = [[name, [places[id(v)] for v in held]] for name, held in weights_by_layer(model)]
    content = tensors.stored(dict(zip(keys, values_of(weights))), {_LAYERS: json.dumps(layers)})
    write_atomically(path, content)


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


def read_weights(content: memoryview) -> list[Held]:
    """The weights in the content of a file, by layer.

    Raises:
        FormatError: no safetensors file, or one that does not say to which layers its arrays belong.
    """
    arrays, metadata = tensors.arrays_in(content, "safetensors")
    if _LAYERS not in metadata:
        raise FormatError("it does not say which layers its arrays belong to; save_weights of kbackend does", _LAYERS)
    layers = parsed(metadata[_LAYERS].encode(), _LAYERS)
    try:
        found = [Held(name, [arrays[key] for key in keys]) for name, keys in layers]
    except (TypeError, ValueError, KeyError) as error:
        raise FormatError(f"it must list names of layers and of their arrays: {error}", _LAYERS) from None
    if not all(isinstance(held.layer, str) for held in found):
        raise FormatError("the names of layers must be texts", _LAYERS)
    return found


def load_weights(
    model: Any, path: str | os.PathLike[str], by_name: bool = False, skip_mismatch: bool = False
) -> list[str]:
    """Set the weights of a model to those in a file. See :meth:`kbackend.Model.load_weights`."""
    try:
        with archive.mapped(path) as content:
            return put_weights(model, read_weights(content), by_name, skip_mismatch)
    except FormatError as error:
        raise error.inside(os.fspath(path)) from error.__cause__


def put_weights(model: Any, found: Sequence[Held], by_name: bool, skip_mismatch: bool) -> list[str]:
    """Set the weights of the layers of a model.

    Args:
        found: what a file has.
        by_name: whether layers are matched by their names; else by their order.
        skip_mismatch: whether layers whose weights do not fit are left as they are.

    Returns:
        The names of layers of the model that were left as they are.

    Raises:
        FormatError: another number of layers with weights, or of weights of a layer, or another shape; nothing has
            changed then.
    """
    own = weights_by_layer(model)
    if by_name:
        known = {held.layer: held for held in found}
        pairs = [(name, variables, known.get(name)) for name, variables in own]
    elif len(found) == len(own):
        pairs = [(name, variables, held) for (name, variables), held in zip(own, found)]
    else:
        raise FormatError(
            f"it has the weights of {len(found)} layers, the model {model.name} has {len(own)} layers with weights "
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

