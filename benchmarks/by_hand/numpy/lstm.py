"""The two LSTM branches in NumPy: the product of the inputs hoisted out of the loop over steps."""

from __future__ import annotations

from types import ModuleType

import autograd.numpy as np
import numpy

from benchmarks.by_hand.numpy.loop import (
    Array,
    Generator,
    NumpyProgram,
    Weights,
    sigmoid,
    softmax,
    sparse_crossentropy,
)
from benchmarks.workloads.data import Data


def last_state(rows: Array, weights: Weights, name: str) -> Array:
    """Hidden state (batch, units) after all steps of rows (batch, steps, features)."""
    batch, steps, features = rows.shape
    units = weights[f"{name}/recurrent"].shape[0]
    flat = numpy.ascontiguousarray(rows.transpose(1, 0, 2)).reshape(-1, features)
    projected = np.dot(flat, weights[f"{name}/kernel"]) + weights[f"{name}/bias"]
    hidden = cell = None
    for gates in np.split(projected, steps):
        if hidden is not None:
            gates = gates + np.dot(hidden, weights[f"{name}/recurrent"])
        enter, forget, new, out = np.split(gates, 4, 1)
        fresh = sigmoid(enter) * np.tanh(new)
        cell = fresh if cell is None else sigmoid(forget) * cell + fresh
        hidden = sigmoid(out) * np.tanh(cell)
    assert hidden is not None and hidden.shape == (batch, units)
    return hidden


def build(workload: ModuleType, data: Data, batch: int, variant: str) -> NumpyProgram:
    def network(weights: Weights, inputs: list[Array], training: bool, random: Generator) -> Array:
        upper, lower = inputs
        last = np.concatenate((last_state(upper, weights, "upper"), last_state(lower, weights, "lower")), 1)
        return np.dot(last, weights["classes/kernel"]) + weights["classes/bias"]

    return NumpyProgram(network, sparse_crossentropy, softmax, workload.initial_weights(), data, batch)
