"""Rows of ten numbers in a dense network 10-16-1, sigmoid out: little to compute, so that overhead counts."""

from __future__ import annotations

import numpy as np

from benchmarks.workloads.data import Data
from benchmarks.workloads.initial import Weights

FEATURES, HIDDEN = 10, 16
LOSS = "binary_crossentropy"
LEARN = {"epochs": 20}


def data(samples: int) -> Data:
    """Normal features; the label is whether their sum is above 0."""
    features = np.random.default_rng(21).standard_normal((samples, FEATURES), dtype=np.float32)
    return Data((features,), (features.sum(axis=1, keepdims=True) > 0).astype(np.float32))


def initial_weights() -> dict[str, np.ndarray]:
    weights = Weights()
    weights.dense("hidden", FEATURES, HIDDEN)
    weights.dense("score", HIDDEN, 1)
    return weights.arrays
