"""Models as files: structure, weights, state of the optimizer and the position of the training in one archive.

A file is written whole or not at all. Reading it executes nothing that it holds, and checks all that it says.

Members, each with its SHA-256 in the manifest:

- ``model.json``: class and configuration, the streams of random draws, the names of the weights in their order.
- ``graph.json``: the graph from the inputs to the outputs, for reading without the classes of the layers; left out
  where an op calls a Python function.
- ``weights.safetensors``: weights, counters of draws, live hyperparameters.
- ``training.json``, ``optimizer.safetensors``: arguments of ``compile``, position and optimizer, of a compiled model.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from kbackend.graph.variable import Variable, assign_all, values_of
from kbackend.graph.walk import Graph
from kbackend.ground.files import check_overwrite, path_of, write_atomically
from kbackend.ground.warn import warn_caller
from kbackend.saving import archive, keras, tensors
from kbackend.saving.compiled import TRAINING, compile_as, training_of
from kbackend.saving.documents import field, parsed, written
from kbackend.saving.errors import FormatError, reading
from kbackend.saving.graph_json import GraphFormatError, from_json, to_json
from kbackend.saving.structure import MODEL, keys_of, matched, model_of, state_of, structure

#: for which Keras files are written that do not say
KERAS_VERSION = 3
HEAD = {"format": "kbackend model", "version": 1}
GRAPH, WEIGHTS, OPTIMIZER = "graph.json", "weights.safetensors", "optimizer.safetensors"
_MEMBERS = {MODEL, GRAPH, WEIGHTS, TRAINING, OPTIMIZER}


# ------------------------------------------------------------------------------------- writing


def save_model(
    model: Any, path: Any, overwrite: bool = True, include_optimizer: bool = True, keras_version: int | None = None
) -> None:
    """Write a model to a file, by convention ``.kb``, to a stream of bytes or an open HDF5 file.

    Other arguments and errors as :meth:`kbackend.Model.save`.

    Args:
        model: a Model or Sequential.

    >>> import pathlib, tempfile
    >>> from kbackend import Input, Model, layers
    >>> x = Input((3,))
    >>> model = Model(x, layers.Dense(2)(x))
    >>> from kbackend import saving
    >>> path = pathlib.Path(tempfile.mkdtemp(), "model.kb")
    >>> saving.save_model(model, path)
    >>> saving.load_model(path).count_params()
    8
    """
    if not keras.is_open(path):
        check_overwrite(path, overwrite)
    if keras.is_open(path) or is_of_keras(path_of(path)):
        keras.write(model, path, include_optimizer, KERAS_VERSION if keras_version is None else keras_version)
    elif keras_version is not None:
        raise ValueError(f"keras_version is for .keras and .h5 files, not for {os.fspath(path)}")
    else:
        write_atomically(path, model_bytes(model, include_optimizer))


def is_of_keras(name: str) -> bool:
    """Whether a file of that name is written as one of Keras."""
    return name.endswith((".keras", ".h5", ".hdf5"))


def model_bytes(model: Any, include_optimizer: bool = True) -> bytes:
    """The content of the file of a model."""
    _warn_of_added(model)
    document = structure(model)
    weights = list(model.weights) if model.built else []
    state = state_of(model)
    training = training_of(model) if include_optimizer else None
    known = {id(v) for v in (*weights, *state)}
    optimizer = [] if training is None else [v for v in model._steps.training_variables() if id(v) not in known]
    keys = keys_of([*weights, *state])
    document |= {"weights": keys[: len(weights)], "state": keys[len(weights) :]}
    values = values_of([*weights, *state, *optimizer])
    members = {MODEL: written(document)}
    graph = _graph(model, [*weights, *state], keys)
    if graph is not None:
        members[GRAPH] = graph
    members[WEIGHTS] = tensors.stored(dict(zip(keys, values)))
    if training is not None:
        own = keys_of(optimizer)
        members[TRAINING] = written({**training, "state": own})
        members[OPTIMIZER] = tensors.stored(dict(zip(own, values[len(keys) :])))
    return archive.packed(members, HEAD)


def _warn_of_added(model: Any) -> None:
    if model._losses or model._updates:
        warn_caller(
            f"the model {model.name} has losses or updates added with add_loss or add_update, which a file does not "
            "hold; add them in the call of a Layer, or use save_checkpoint and the code that builds the model"
        )


def _graph(model: Any, variables: list[Variable], keys: list[str]) -> bytes | None:
    if not model.built or model.has_no_call:
        return None
    graph = Graph(model.fed_inputs, model.outputs, name=model.name)
    try:
        return to_json(graph, {id(v): key for v, key in zip(variables, keys)}).encode()
    except GraphFormatError:
        return None


# ------------------------------------------------------------------------------------- reading


def read_model(content: memoryview, custom_objects: Mapping[str, Any] | None = None, compile: bool = True) -> Any:
    """The model of the content of a file.

    Raises:
        FormatError: whatever is wrong with the file; the message names the member and the reason.
    """
    members = archive.unpacked(content, HEAD, _MEMBERS)
    document = parsed(_member(members, MODEL), MODEL)
    arrays, _ = tensors.arrays_in(_member(members, WEIGHTS), WEIGHTS)
    model = model_of(document, custom_objects, sum(a.size for a in arrays.values()))
    weights = list(model.weights) if model.built else []
    state = state_of(model)
    values = matched(weights, document.get("weights"), arrays, WEIGHTS, "weights")
    values += matched(state, document.get("state"), arrays, WEIGHTS, "variables")
    if len(arrays) != len(values):
        raise FormatError(f"it has {len(arrays)} arrays, the model takes {len(values)}", WEIGHTS)
    assign_all([*weights, *state], values)
    if compile and TRAINING in members:
        _go_on(model, parsed(members[TRAINING], TRAINING), members, custom_objects)
    return model


def _member(members: Mapping[str, memoryview], name: str) -> memoryview:
    if name not in members:
        raise FormatError("it is missing in the archive", name)
    return members[name]


def _go_on(
    model: Any, document: Any, members: Mapping[str, memoryview], custom_objects: Mapping[str, Any] | None
) -> None:
    """Compile the model and give its optimizer the state in the file."""
    arrays, _ = tensors.arrays_in(_member(members, OPTIMIZER), OPTIMIZER)
    keys = field(document, "state", list, TRAINING)
    with reading(TRAINING):
        compile_as(model, document, custom_objects)
        known = {id(v) for v in [*model.weights, *state_of(model)]} if model.built else set()
        own = [v for v in model._steps.training_variables() if id(v) not in known]
        if len(own) < len(keys) and model.built and not model.own_fit:
            model.training_graph()  # which makes the state of the optimizer
            own = [v for v in model._steps.training_variables() if id(v) not in known]
    values = matched(own, keys, arrays, OPTIMIZER, "variables of the optimizer")
    assign_all(own, values)


def load_graph(path: str | os.PathLike[str]) -> Any:
    """The function from inputs to outputs of a model in a file, made without the classes of its layers.

    Args:
        path: a file that ``model.save`` wrote.

    Returns:
        What ``K.function`` returns.

    Raises:
        FormatError: no such file, or one without a graph.

    >>> import pathlib, tempfile
    >>> from kbackend import Input, Model, layers
    >>> x = Input((3,))
    >>> model = Model(x, layers.Dense(2)(x))
    >>> from kbackend import saving
    >>> path = pathlib.Path(tempfile.mkdtemp(), "model.kb")
    >>> model.save(path)
    >>> saving.load_graph(path)([[[0.0, 0.0, 0.0]]])[0].tolist()
    [[0.0, 0.0]]
    """
    from kbackend.runtime.function import Function

    with archive.mapped(path) as content, reading(os.fspath(path)):
        members = archive.unpacked(content, HEAD, _MEMBERS)
        if GRAPH not in members:
            raise FormatError("the model has no graph that can be read without its layers", GRAPH)
        arrays, _ = tensors.arrays_in(_member(members, WEIGHTS), WEIGHTS)
        variables = {k: Variable(np.array(v), v.shape, v.dtype.name, k) for k, v in arrays.items()}
        counters = {k for k, v in arrays.items() if v.dtype == np.int64 and not v.shape}
        for name in counters:
            variables[name].counter = True
        graph = from_json(bytes(members[GRAPH]), variables)
    return Function(graph.inputs, graph.outputs, (), graph.name)
