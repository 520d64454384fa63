"""The structure of a model in a file: its configuration, and what the configuration does not say.

That is the streams of the random draws in the calls of layers, and which hyperparameters are variables.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np

from kbackend import backend, dtypes
from kbackend.graph.node import Node
from kbackend.graph.tensor import Tensor
from kbackend.graph.variable import Variable
from kbackend.graph.walk import ancestors
from kbackend.ground import hooks
from kbackend.ground.tree import tree_leaves
from kbackend.layers import InputLayer, deserialize
from kbackend.layers.base.inside import Inside
from kbackend.layers.base.weights import at_most
from kbackend.registry import custom_object_scope, find, registered_name
from kbackend.saving.documents import field
from kbackend.saving.errors import FormatError, reading
from kbackend.streams import given_streams, reserve, trying

MODEL = "model.json"
#: wrappers make layers again to learn shapes, and small weights are not worth a refusal
_COPIES, _SPARE = 4, 1 << 16
#: elements of the weights of a model that is made from a document alone
LARGEST_MODEL = 1 << 30


# ------------------------------------------------------------------------------------- writing


def structure(model: Any) -> dict[str, Any]:
    """The document of a model without its weights.

    Raises:
        ValueError: the model has no plain form; a layer is in two models inside it.
    """
    _check_owners(model, {})
    config = model.get_config()
    live, places = _live(model)
    own = {} if not model.has_own_call else {
        "names": [layer.name for layer in Inside(model).layers],
        "build_config": model.get_build_config(),
    }  # fmt: skip
    return {
        "class_name": registered_name(type(model)),
        "config": config,
        **own,
        "draws": _draws(model),
        "variables": [{"name": v.name, "dtype": v.dtype, "shape": list(v.shape)} for v in live],
        "arguments": [[path, key, number] for path, key, number in places if key in _entry(config, path)],
    }


def _check_owners(model: Any, owners: dict[int, Any]) -> None:
    if model.has_own_call:  # whose constructor makes its layers
        return
    for layer in model.layers:
        if isinstance(layer, InputLayer):
            continue
        owner = owners.setdefault(id(layer), model)
        if owner is not model:
            raise ValueError(
                f"the layer {layer.name} is in the model {owner.name} and in {model.name}, which is inside the same "
                "model; a file would make two layers of it. Save the models one by one, or call one of them only"
            )
        if is_model(layer):
            _check_owners(layer, owners)


def is_model(layer: Any) -> bool:
    """Whether a layer is a model."""
    return isinstance(layer, hooks.model_classes.load()["Model"])


def calls_of(model: Any) -> Iterator[Any]:
    """The calls of the layers of a model and of the models inside it, in the order in which reading makes them."""
    if not model.built:
        return
    for layer in () if model.has_own_call else model.layers:
        for inner in _models_in(layer):
            if not inner.has_own_call:  # whose calls are inside those of the model around
                yield from calls_of(inner)
    yield from sorted(model._inner_calls(), key=lambda call: call.index)


def _models_in(layer: Any) -> Iterator[Any]:
    """The outermost models in a layer, or the layer itself."""
    if is_model(layer):
        yield layer
    else:
        for inner in layer._sublayers():
            yield from _models_in(inner)


def _draws(model: Any) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for call in calls_of(model):
        found.setdefault(call.layer.name, []).append([list(stream) for stream in call.draws])
    return {name: calls for name, calls in found.items() if any(calls)}


def _live(model: Any) -> tuple[list[Variable], list[tuple[list[int], str, int]]]:
    """The variables among the hyperparameters, and for each argument that is one its place and the variable."""
    variables: dict[int, Variable] = {}
    numbers: dict[int, int] = {}
    places = []
    for path, layer in _layers_by_path(model, []):
        for key in layer.hyperparameters:
            value = getattr(layer, key, None)
            if isinstance(value, Variable):
                variables[id(value)] = value
                places.append((path, key, numbers.setdefault(id(value), len(numbers))))
    return list(variables.values()), places


def _layers_by_path(model: Any, path: list[int]) -> Iterator[tuple[list[int], Any]]:
    for place, layer in () if model.has_own_call else enumerate(model.layers):
        inner = [*path, place]
        if is_model(layer):
            yield from _layers_by_path(layer, inner)
        else:
            yield inner, layer


def _entry(config: Any, path: list[int]) -> Any:
    """The configuration of the layer at a path."""
    for place in path:
        config = config["layers"][place]["config"]
    return config


# ------------------------------------------------------------------------------------- variables


def state_of(model: Any) -> list[Variable]:
    """The variables that the calls and ops of a model read beside its weights: counters of draws, live
    hyperparameters, states; in an order that the structure fixes."""
    if not model.built:
        return []
    left = {id(v) for v in (*model.weights, *(() if model.has_no_call else model.inputs))}
    found: dict[int, Variable] = {}
    for call in calls_of(model):
        for variable in _read_in(call):
            found.setdefault(id(variable), variable)
    for unit in () if model.has_no_call else model._topology.units:
        if isinstance(unit, Node):
            for tensor in unit.inputs:
                if isinstance(tensor, Variable):
                    found.setdefault(id(tensor), tensor)
    return [v for key, v in found.items() if key not in left]


def _read_in(call: Any) -> Iterator[Variable]:
    measured = [(*m.args, *m.kwargs.values()) for m in call.metrics]
    results = [*call.outputs, *tree_leaves([r.tensor for r in (*call.losses, *call.updates)]), *tree_leaves(measured)]
    nodes = ancestors([t for t in results if isinstance(t, Tensor)], call.sources)
    for node in nodes:
        yield from (t for t in node.inputs if isinstance(t, Variable))


def keys_of(variables: list[Variable]) -> list[str]:
    """Names for variables in a file: their own, with a number where another one has it."""
    taken: set[str] = set()
    counts: dict[str, int] = {}
    found = []
    for variable in variables:
        key = variable.name
        while key in taken:
            counts[variable.name] = counts.get(variable.name, 1) + 1
            key = f"{variable.name}#{counts[variable.name]}"
        taken.add(key)
        found.append(key)
    return found


def matched(
    variables: list[Variable], keys: Any, arrays: Mapping[str, np.ndarray], member: str, what: str
) -> list[np.ndarray]:
    """The arrays for variables, by the order of the keys.

    Raises:
        FormatError: another number of keys, a key without an array, another shape or dtype.
    """
    if not isinstance(keys, list) or not all(isinstance(k, str) for k in keys):
        raise FormatError(f"the names of {what} must be a list of texts", member)
    if len(keys) != len(variables):
        raise FormatError(f"it names {len(keys)} {what}, the model that it describes has {len(variables)}", member)
    found = []
    for key, variable in zip(keys, variables):
        array = arrays.get(key)
        if array is None:
            raise FormatError(f"no array has the name {key[:80]!r}", member)
        if array.shape != variable.shape or dtypes.canonical(array.dtype) != variable.dtype:
            raise FormatError(
                f"{key} is {array.dtype} {array.shape}, the model that it describes needs {variable.dtype} "
                f"{variable.shape}",
                member,
            )
        found.append(array)
    return found


# ------------------------------------------------------------------------------------- reading


def model_of(document: Any, custom_objects: Mapping[str, Any] | None, elements: int) -> Any:
    """The model that a document describes, with fresh weights. The streams of the process are as before.

    Args:
        document: what :func:`structure` gave.
        custom_objects: classes and functions by name.
        elements: how many the arrays of the file have.

    Raises:
        FormatError: the document describes no model.
    """
    config = field(document, "config", dict, MODEL)
    streams = streams_of(field(document, "draws", dict, MODEL), MODEL)
    with reading(MODEL), custom_object_scope(custom_objects):
        _put_variables(document, config)
        put_functions(config, custom_objects or {})
        with trying(), given_streams(streams), room_for(elements):
            made = deserialize({"class_name": field(document, "class_name", str, MODEL), "config": config})
            if not is_model(made):
                raise FormatError(f"{document['class_name']} is a layer, not a model", MODEL)
            if made.has_own_call:
                _build_own(made, document)
    reserve(op_id for calls in streams.values() for call in calls for _, _, op_id in call)
    return made


def _build_own(model: Any, document: Any) -> None:
    """Give the layers of a model with a ``call`` of its own the names that they had, and trace it as it was."""
    names, layers = field(document, "names", list, MODEL), Inside(model).layers
    if len(names) != len(layers) or not all(isinstance(name, str) and name for name in names):
        raise FormatError(
            f"{type(model).__name__} makes {len(layers) - 1} layers, the file has the names of {len(names) - 1}", MODEL
        )
    for layer, name in zip(layers, names):
        layer.name = name
    model.build_from_config(field(document, "build_config", dict, MODEL))


def room_for(elements: int) -> AbstractContextManager[None]:
    """A context in which layers may make the weights of a file whose arrays have at most so many elements."""
    return at_most(_SPARE + _COPIES * elements)


def room_for_document() -> AbstractContextManager[None]:
    """A context in which layers may make as many weights as a model without a file of weights may have."""
    return at_most(LARGEST_MODEL)


def streams_of(draws: Mapping[str, Any], member: str) -> dict[str, list[list[Any]]]:
    """The streams of the draws in the calls of layers, by layer.

    Raises:
        FormatError: they are none.
    """
    for name, calls in draws.items():
        for call in _list(calls, f"{member}: draws of {name}"):
            for stream in _list(call, f"{member}: draws of {name}"):
                match stream:
                    case [str(), int(key), int(op_id)] if 0 <= key < 1 << 64 and 0 <= op_id < 1 << 32:
                        continue
                raise FormatError("a draw is [op, seed, number]", f"{member}: draws of {name}")
    return {name: list(calls) for name, calls in draws.items()}


def _list(value: Any, where: str) -> list[Any]:
    if not isinstance(value, list):
        raise FormatError("it must be a list", where)
    return value


def _put_variables(document: Any, config: Any) -> None:
    """Make the hyperparameters variables that were variables."""
    made: list[Variable] = []
    described = field(document, "variables", list, MODEL)
    for path, key, number in field(document, "arguments", list, MODEL):
        if number > len(made) or number >= len(described) or number < 0:
            raise FormatError(f"the argument {key!r} refers to variable {number}, which is not there")
        entry = _entry(config, path)
        if number == len(made):
            name, dtype = field(described[number], "name", str, MODEL), field(described[number], "dtype", str, MODEL)
            value = np.asarray(entry[key], dtypes.numpy_dtype(dtype))
            made.append(Variable(value, value.shape, dtype, name))
        entry[key] = made[number]


def put_functions(config: Any, custom_objects: Mapping[str, Any]) -> None:
    """Give Lambda layers the function, and layers of modules the module, that ``custom_objects`` has for the name of
    the layer, where their own is unknown. What is no layer is left to those who make the layers.

    Raises:
        FormatError: neither is known; the message names the layer.
    """
    entries = config.get("layers")
    for entry in entries if isinstance(entries, list) else ():
        match entry:
            case {"class_name": str(name), "config": dict(inner)}:
                put_functions(inner, custom_objects)
                if name in _CODE:
                    _put_code(name, inner, custom_objects)


#: layers of Python code -> the argument that is code, what it is, and what may name it besides ``custom_objects``
_CODE: dict[str, tuple[str, str, Any]] = {
    "Lambda": ("function", "a Lambda of a Python function", backend),
    "TorchModule": ("module", "a module of torch", None),
    "TorchModuleWrapper": ("module", "a module of torch", None),
    "TFModule": ("module", "a module of TensorFlow", None),
    "TFSMLayer": ("filepath", "a SavedModel of TensorFlow", None),
}


def _put_code(class_name: str, config: dict[str, Any], custom_objects: Mapping[str, Any]) -> None:
    key, kind, known = _CODE[class_name]
    name, given = str(config.get("name")), config.get(key)
    if name in custom_objects:
        config[key] = custom_objects[name]
        if key == "module":
            config["arguments"] = {}
        elif key == "filepath":
            config[key] = Path(config[key])  # which says that it does not come from the file
    elif not isinstance(given, str) or not _known(given, known):
        raise FormatError(
            f"the layer {name!r} is {kind} ({str(given)[:40]}), whose code no file holds; give the {key} in "
            f"custom_objects={{{name!r}: {key}}}"
        )


def _known(name: str, names: Any) -> bool:
    try:
        find(name, {}, "function")
    except ValueError:
        return callable(getattr(names, name, None))
    return True
