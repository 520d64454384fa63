"""Weights in files of Keras: by layers and names (Keras 1, 2 and 3), and by the structure of the model (Keras 3)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from kbackend import dtypes
from kbackend.graph.variable import Variable, values_of
from kbackend.layers import InputLayer, MultiHeadAttention, SpectralNormalization
from kbackend.saving.errors import FormatError
from kbackend.saving.keras.hdf5 import Group, put, put_texts
from kbackend.saving.keras.table import GROUPS, INNER, RENAMED, groups_of, written_name
from kbackend.saving.layer_weights import Held, Merged
from kbackend.saving.structure import is_model

VARS, LAYERS = "vars", "layers"


# ------------------------------------------------------------------------------------- by structure


def places_of(layers: Sequence[Any], path: str) -> Iterator[tuple[str, Any]]:
    """The groups of a file of Keras 3 for layers, and for those inside them, each with its layer.

    Groups are named by the classes of the layers, with numbers from the second on.
    """
    counts: dict[str, int] = {}
    for layer in layers:
        kind = _group_name(keras_class(layer))
        count = counts.get(kind, 0)
        counts[kind] = count + 1
        yield from _places_in(layer, f"{path}/{kind}_{count}" if count else f"{path}/{kind}")


def _places_in(layer: Any, path: str) -> Iterator[tuple[str, Any]]:
    if is_model(layer):
        yield from places_of(_with_input(layer), f"{path}/{LAYERS}")
        return
    yield path, layer
    for name in _inner_names(layer):
        inner = getattr(layer, name)
        if isinstance(inner, (list, tuple)):
            yield from places_of(inner, f"{path}/{name}")
        else:
            yield from _places_in(inner, f"{path}/{name}")


def _inner_names(layer: Any) -> tuple[str, ...]:
    """The attributes of a layer that hold layers whose weights have groups of their own."""
    if type(layer).__name__ in GROUPS:
        return ()
    found = tuple(name for name in INNER if getattr(layer, name, None) is not None)
    return found[:2] if "forward_layer" in found else found


def _own_weights(layer: Any) -> list[Variable]:
    """The weights of a layer without those of layers inside that have groups of their own."""
    inner = [getattr(layer, name) for name in _inner_names(layer)]
    held = [part for found in inner for part in (found if isinstance(found, (list, tuple)) else [found])]
    apart = {id(v) for part in held for v in getattr(part, "weights", ())}
    own = [v for v in _in_order(layer) if id(v) not in apart]
    # Keras has the kernel twice: in the layer that is normalized, and beside the vector
    return [held[0].weights[0], *own] if isinstance(layer, SpectralNormalization) else own


def _in_order(layer: Any) -> list[Variable]:
    """The weights of a layer in Keras's order: of one that is quantized the integers, others, and what scales them."""
    adapter = quantized_adapter(layer)
    left = [v for v in layer.weights if not any(v is part for part in adapter)]
    if getattr(layer, "quantization_mode", None) is None:
        return left
    first, *last = layer._stored()
    return [first, *(v for v in left if all(v is not each for each in (first, *last))), *last]


def quantized_adapter(layer: Any) -> tuple[Any, ...]:
    """The two parts of the adapter of a quantized layer, which Keras 3 merges by quantizing anew."""
    if getattr(layer, "quantization_mode", None) is None or not layer.lora_enabled:
        return ()
    one, other = layer._factors()
    return one, other


def _group_name(class_name: str) -> str:
    """A class's name in files of Keras 3: conv_lstm2d, where names of layers have Keras 2's conv_lst_m2d."""
    return re.sub(r"(?<=.)(?=[A-Z][a-z])|(?<=[a-z])(?=[A-Z])", "_", class_name).lower()


def keras_class(layer: Any) -> str:
    """The name of the class that Keras has for a layer."""
    name = written_name(layer)
    return RENAMED.get(name, name)


def refuse_own_call(model: Any) -> None:
    """Refuse models whose structure is code: Keras's files name their layers by attributes of a class of Keras.

    Raises:
        FormatError: the model defines ``call``.
    """
    if model.has_own_call:
        raise FormatError(
            f"the model {model.name} ({type(model).__name__}) defines call, so that its structure is code; files of "
            "Keras hold such models only by a class of Keras. Use .kb for the model and .safetensors for its weights"
        )


def _with_input(model: Any) -> list[Any]:
    refuse_own_call(model)
    found = list(model.layers)
    has_input = any(isinstance(layer, InputLayer) for layer in found)
    return found if has_input or not model.built else [model._tensors[0].history.layer, *found]


def arrays_by_structure(
    root: Group, model: Any, skipped: list[str] | None = None
) -> list[tuple[Variable, np.ndarray]]:
    """The weights of a model with their arrays in a file of Keras 3.

    Args:
        root: of the file.
        model: the model.
        skipped: takes the names of layers that do not fit, which are left out; None to refuse them.

    Raises:
        FormatError: a layer is missing, or has other weights than the model's.
    """
    found: list[tuple[Variable, np.ndarray]] = []
    taken: set[int] = set()
    adapters: list[Any] = []
    merged = Merged(model)
    for path, layer in places_of(_with_input(model), LAYERS):
        own = merged.kept(_own_weights(layer))
        if not own or id(layer) in taken:
            continue
        taken.add(id(layer))
        parts = groups_of(layer)
        adapters += quantized_adapter(layer)[1:]
        try:
            arrays = [a for part in _named(root, path, parts) for a in _vars(root, f"{path}/{part}".rstrip("/"))]
            found += _paired(own, arrays, root.where(path))
        except FormatError:
            if skipped is None:
                raise
            skipped.append(layer.name)
    found += [(v, np.zeros(v.shape, dtypes.numpy_dtype(v.dtype))) for v in adapters]
    return found + merged.with_nothing_added([variable for variable, _ in found])


def _named(root: Group, path: str, parts: Sequence[str]) -> list[str]:
    """The groups of a layer as the file names them: some of tf-keras begin with a line, and that of Keras 3's gate."""
    return [f"_{part}" if part and root.has(f"{path}/_{part}") else part for part in parts]


def _vars(root: Group, path: str) -> list[np.ndarray]:
    group = root.group(f"{path}/{VARS}")
    names = group.names()
    if not all(n.isdigit() for n in names):
        raise FormatError(f"the names of weights must be numbers, they are {names[:5]}", group.where())
    return [group.array(name) for name in sorted(names, key=int)]


def _paired(variables: Sequence[Variable], arrays: Sequence[np.ndarray], where: str) -> list[tuple[Variable, Any]]:
    arrays = [a for a in arrays if a.dtype != np.uint32]  # the states of Keras's random generators
    if len(arrays) != len(variables):
        raise FormatError(f"the file has {len(arrays)} weights, the layer {len(variables)}", where)
    for variable, array in zip(variables, arrays):
        if array.shape != variable.shape:
            raise FormatError(f"{variable.name} has shape {variable.shape}, the file has {array.shape}", where)
    return list(zip(variables, arrays))


def write_by_structure(root: Any, model: Any) -> None:
    """Write the weights of a model as Keras 3 and tf-keras do.

    Raises:
        FormatError: a layer that is quantized and adapted: Keras would change what it computes.
    """
    root.create_group(VARS)
    done: set[int] = set()
    merged = Merged(model)
    for path, layer in places_of(_with_input(model), LAYERS):
        parts = groups_of(layer)
        if quantized_adapter(layer):
            raise FormatError("it is quantized and has an adapter, which files of Keras 3 merge with a loss; .kb and "
                              ".h5 hold both", layer.name)
        values = merged.values(merged.kept(_own_weights(layer))) if id(layer) not in done else []
        done.add(id(layer))
        root.require_group(f"{path}/{VARS}").attrs["name"] = layer.name
        for part, held in zip(parts, _cut(values, len(parts))):
            group = root.require_group(f"{path}/{part}/{VARS}" if part else f"{path}/{VARS}")
            for number, value in enumerate(held):
                put(group, str(number), value)
            if isinstance(layer, MultiHeadAttention):  # the same group by the name of tf-keras, and of Keras 3's gate
                root[f"{path}/_{part}"] = root[f"{path}/{part}"]


def _cut(values: list[np.ndarray], count: int) -> list[list[np.ndarray]]:
    size = -(-len(values) // count)
    return [values[i * size : (i + 1) * size] for i in range(count)]


# ------------------------------------------------------------------------------------- by layers


def legacy_weights(layer: Any) -> list[Variable]:
    """The weights of a layer in the order of Keras's older files."""
    return [*layer.trainable_weights, *layer.non_trainable_weights]


def by_layers(root: Group) -> list[Held]:
    """The weights in a file of Keras 1 or 2, or an ``.h5`` of Keras 3, by layer; layers without weights are left out.

    Raises:
        FormatError: a name that leads nowhere or out of the file.
    """
    found = []
    for name in root.texts("layer_names"):
        group = root.group(name)
        arrays = [group.array(_inside(path, group)) for path in group.texts("weight_names")]
        if arrays:
            found.append(Held(name, arrays))
    return found


def _inside(path: str, group: Group) -> str:
    if path.startswith("/") or any(part in ("", ".", "..") for part in path.split("/")):
        raise FormatError(f"the name {path[:80]!r} of a weight is no path inside the group", group.where())
    return path


def write_by_layers(root: Any, model: Any, merged: Merged | None = None) -> None:
    """Write the weights of a model as Keras 2 does, and Keras 3 into an ``.h5``; ``merged`` merges adapters."""
    layers = _with_input(model)
    put_texts(root, "layer_names", [layer.name for layer in layers])
    for layer in layers:
        group = root.create_group(layer.name)
        weights = legacy_weights(layer)
        if merged is not None:
            weights = merged.kept(weights)
        names = _unique([v.name for v in weights])
        put_texts(group, "weight_names", names)
        for name, value in zip(names, values_of(weights) if merged is None else merged.values(weights)):
            put(group, name, value)


def _unique(names: Sequence[str]) -> list[str]:
    counts: dict[str, int] = {}
    found = []
    for name in names:
        counts[name] = counts.get(name, 0) + 1
        found.append(name if counts[name] == 1 else f"{name}_{counts[name]}")
    return found
