"""Rows of ten numbers in NumPy."""

from __future__ import annotations

from types import ModuleType

import autograd.numpy as np

from benchmarks.by_hand.numpy.autoencoder import loss
from benchmarks.by_hand.numpy.loop import Array, Generator, NumpyProgram, Weights, sigmoid
from benchmarks.workloads.data import Data


def build(workload: ModuleType, data: Data, batch: int, variant: str) -> NumpyProgram:
    def network(weights: Weights, inputs: list[Array], training: bool, random: Generator) -> Array:
        hidden = np.maximum(np.dot(inputs[0], weights["hidden/kernel"]) + weights["hidden/bias"], 0)
        return np.dot(hidden, weights["score/kernel"]) + weights["score/bias"]

    return NumpyProgram(network, loss, sigmoid, workload.initial_weights(), data, batch)
