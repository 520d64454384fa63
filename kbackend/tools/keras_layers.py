"""Each layer of a ``.keras`` file in kbackend against the same layer in Keras 3, with the same inputs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from kbackend.declare.tolerances import tolerance
from kbackend.divergence.errors import compare, dtype_of
from kbackend.divergence.report import Report, Row
from kbackend.ground.tree import tree_leaves, tree_map
from kbackend.plugin.select import active_target


def against_keras(model: Any, path: Path, inputs: list[np.ndarray]) -> Report:
    """Compare every call of a layer in the model: a shared layer has several.

    Raises:
        ValueError: the file is none of Keras's.
        RuntimeError: Keras is not installed.
    """
    if path.suffix not in (".keras", ".h5", ".hdf5"):
        raise ValueError(f"--keras compares with Keras, which reads .keras and .h5 files, not {path.name}")
    try:
        import keras
    except ImportError as error:
        raise RuntimeError("--keras needs Keras 3 and an engine of it: pip install keras") from error
    theirs = keras.models.load_model(path)
    names = (active_target().key, f"Keras {keras.__version__} on {keras.config.backend()}")
    calls = [node for node in _calls(theirs) if not node.is_input]
    values = _values(keras, theirs, inputs, calls)
    rows = []
    for number, node in enumerate(calls):
        layer = node.operation
        if not isinstance(layer, keras.layers.Layer):
            continue
        found = _called(model.get_layer(layer.name), node.arguments, values)
        given = [values[id(t)] for t in node.input_tensors]
        for a, theirs_tensor in zip(tree_leaves(found), node.outputs):
            rows.append(_row(number, layer, np.asarray(a), values[id(theirs_tensor)], names, given))
    return Report(path.name, names, rows)


def _calls(model: Any) -> list[Any]:
    """The calls that a model of Keras is made of, each after those whose results it takes."""
    found: dict[int, Any] = {}
    waiting = [(t, False) for t in reversed(model.outputs)]
    while waiting:
        tensor, ready = waiting.pop()
        layer, index, _ = tensor._keras_history
        node = layer._inbound_nodes[index]
        if id(node) in found:
            continue
        if ready or node.is_input:
            found[id(node)] = node
        else:
            waiting += [(tensor, True), *((t, False) for t in reversed(node.input_tensors))]
    return list(found.values())


def _values(keras: Any, model: Any, inputs: list[np.ndarray], calls: list[Any]) -> dict[int, np.ndarray]:
    """The values of all tensors of the calls, by id."""
    tensors = list({id(t): t for t in (*model.inputs, *(t for node in calls for t in node.outputs))}.values())
    whole = keras.Model(model.inputs, tensors)
    found = whole([keras.ops.convert_to_tensor(x) for x in inputs], training=False)
    return {id(t): np.asarray(keras.ops.convert_to_numpy(v)) for t, v in zip(tensors, found)}


def _called(layer: Any, arguments: Any, values: dict[int, np.ndarray]) -> Any:
    """The result of a layer alone, with the arguments that it has in the model, masks among them."""
    args, kwargs = tree_map(lambda v: values.get(id(v), v), [list(arguments.args), dict(arguments.kwargs)])
    return layer(*args, **{k: v for k, v in kwargs.items() if k != "training" and v is not None})


def _row(number: int, layer: Any, a: np.ndarray, b: np.ndarray, names: tuple[str, str], given: list[Any]) -> Row:
    bound = tolerance("model", dtype_of(b))
    found = compare(a, b, names, bound)
    shapes = tuple(g.shape for g in given)
    return Row("value", number, layer.name, "", type(layer).__name__, None, names, shapes, b.shape, found.error, bound,
               None, found.place, found.values)
