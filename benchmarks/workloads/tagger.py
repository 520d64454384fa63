"""Bidirectional LSTM over sequences of unequal lengths: whether the next column of a digit is brighter."""

from __future__ import annotations

import numpy as np

from benchmarks.workloads.data import Data, columns
from benchmarks.workloads.initial import Weights

STEPS, LEVELS, WIDTH, UNITS, TAGS = 28, 16, 32, 64, 3
LEARN = {"epochs": 4}
#: kbackend's mean counts the steps that the mask leaves out, as Keras 2.3's; its gradients are smaller, and Adam's
#: epsilon counts for more
STEPS_TOLERANCE = 3e-3
LOSS = "sparse_categorical_crossentropy"


def data(samples: int) -> Data:
    tokens, _ = columns(samples, LEVELS)
    following = np.pad(tokens[:, 1:], ((0, 0), (0, 1)))
    return Data((tokens,), (np.sign(following - tokens) + 1).astype(np.int32))


def counted(inputs: tuple[np.ndarray, ...]) -> np.ndarray:
    """Steps that are no filling, (samples, steps)."""
    return inputs[0] != 0


def initial_weights() -> dict[str, np.ndarray]:
    weights = Weights()
    weights.embedding("tokens", LEVELS + 1, WIDTH)
    for way in ("forward", "backward"):
        weights.lstm(f"both/{way}", WIDTH, UNITS)
    weights.dense("tags", 2 * UNITS, TAGS)
    return weights.arrays
