"""Graphs and models that run once."""

from collections.abc import Callable
from typing import Any

import numpy as np

from kbackend import Input, K, Model, layers


def run(function: Callable[..., Any], *arrays: np.ndarray, dynamic: bool = False) -> tuple[Any, np.ndarray]:
    """``function`` of placeholders, and its value; with unknown first dimensions where ``dynamic``."""
    shapes = [(None, *a.shape[1:]) if dynamic and a.ndim else a.shape for a in arrays]
    symbols = [K.placeholder(s, dtype=str(a.dtype)) for s, a in zip(shapes, arrays, strict=True)]
    result = function(*symbols)
    return result, K.function(symbols, [result])(list(arrays))[0]


def run_model(model: Any, *values: np.ndarray, phase: int = 0) -> Any:
    """The outputs of a model, a list where it has several."""
    function = K.function([*model.inputs, K.learning_phase()], model.outputs)
    found = function([*values, phase])
    return found[0] if len(found) == 1 else found


def two_layers() -> Model:
    """A model of two dense layers, from four features to two."""
    x = Input((4,))
    hidden = layers.Dense(3, activation="tanh", name="hidden")(x)
    return Model(x, layers.Dense(2, name="out")(hidden), name="inner")
