"""Each layer of a ``.keras`` file in kbackend against the same layer in Keras 3, with the same inputs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from kbackend.declare.tolerances import tolerance
from kbackend.divergence.errors import compare, dtype_of
from kbackend.divergence.report import Report, Row
from kbackend.ground.tree import tree_leaves
from kbackend.plugin.select import active_target


def against_keras(model: Any, path: Path, inputs: list[np.ndarray]) -> Report:
    """Compare every layer that has a call of its own in the model.

    Raises:
        RuntimeError: Keras is not installed.
    """
    try:
        import keras
    except ImportError as error:
        raise RuntimeError("--keras needs Keras 3 and an engine of it: pip install keras") from error
    theirs = keras.models.load_model(path)
    names = (active_target().key, f"Keras {keras.__version__} on {keras.config.backend()}")
    values = _values(keras, theirs, inputs)
    rows = []
    for number, layer in enumerate(theirs.layers):
        if isinstance(layer, keras.layers.InputLayer):
            continue
        given = [values[id(t)] for t in tree_leaves(layer.input)]
        found = model.get_layer(layer.name)(given[0] if len(given) == 1 else given)
        for a, theirs_tensor in zip(tree_leaves(found), tree_leaves(layer.output)):
            rows.append(_row(number, layer, np.asarray(a), values[id(theirs_tensor)], names, given))
    return Report(path.name, names, rows)


def _values(keras: Any, model: Any, inputs: list[np.ndarray]) -> dict[int, np.ndarray]:
    """The values of all tensors between the layers, by id."""
    tensors = list({id(t): t for layer in model.layers for t in tree_leaves(layer.output)}.values())
    whole = keras.Model(model.inputs, tensors)
    found = whole([keras.ops.convert_to_tensor(x) for x in inputs], training=False)
    return {id(t): np.asarray(keras.ops.convert_to_numpy(v)) for t, v in zip(tensors, found)}


def _row(number: int, layer: Any, a: np.ndarray, b: np.ndarray, names: tuple[str, str], given: list[Any]) -> Row:
    bound = tolerance("model", dtype_of(b))
    found = compare(a, b, names, bound)
    shapes = tuple(g.shape for g in given)
    return Row("value", number, layer.name, "", type(layer).__name__, None, names, shapes, b.shape, found.error, bound,
               None, found.place, found.values)
