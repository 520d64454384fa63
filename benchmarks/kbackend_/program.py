"""A kbackend model behind the worker's interface: compile, fit, predict_on_batch."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np

from benchmarks.kbackend_ import models
from benchmarks.workloads.data import Data
from benchmarks.workloads.initial import by_layer
from kbackend import K
from kbackend.callbacks import Callback
from kbackend.optimizers import Adam


class LossReader(Callback):
    """Reads the loss of every step, as the programs by hand do."""

    def __init__(self) -> None:
        super().__init__()
        self.losses: list[float] = []

    def on_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        assert logs is not None
        self.losses.append(float(logs["loss"]))


class KbackendProgram:
    def __init__(self, workload: ModuleType, data: Data, batch: int, variant: str) -> None:
        self.data, self.batch = data, batch
        self.model = getattr(models, workload.__name__.rpartition(".")[2])(workload)
        set_weights(self.model, workload.initial_weights())
        self.model.compile(optimizer=Adam(1e-3), loss=workload.LOSS, jit="auto" if variant == "auto" else None)

    def train(self, epochs: int, rows: int | None = None) -> list[float]:
        reader = LossReader()
        self.model.fit(
            several(tuple(array[:rows] for array in self.data.inputs)),
            self.data.targets[:rows],
            batch_size=self.batch,
            epochs=epochs,
            shuffle=True,
            verbose=0,
            callbacks=[reader],
        )
        return reader.losses

    def predict(self, inputs: tuple[np.ndarray, ...]) -> np.ndarray:
        return self.model.predict_on_batch(several(inputs))

    def parameter_count(self) -> int:
        return sum(K.get_value(w).size for w in self.model.trainable_weights)


def set_weights(model: Any, weights: dict[str, np.ndarray]) -> None:
    """By the names of the layers, where the weights have those; moving averages stay as they are."""
    arrays = by_layer(weights)
    if not arrays.keys() <= {layer.name for layer in model.layers}:
        model.set_weights(list(weights.values()))
        return
    for name, own in arrays.items():
        layer = model.get_layer(name)
        layer.set_weights([*own, *layer.get_weights()[len(own) :]])


def several(arrays: tuple[np.ndarray, ...]) -> Any:
    """One array for a model with one input, a list else."""
    return arrays[0] if len(arrays) == 1 else list(arrays)


def build(workload: ModuleType, data: Data, batch: int, variant: str) -> KbackendProgram:
    return KbackendProgram(workload, data, batch, variant)
