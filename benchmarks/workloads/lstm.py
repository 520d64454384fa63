"""Two LSTM branches: one reads ten upper rows of a digit, the other ten lower rows, ten classes."""

from __future__ import annotations

import numpy as np

from benchmarks.workloads.data import Data, digits
from benchmarks.workloads.initial import Weights

STEPS, FEATURES, UNITS, CLASSES = 10, 28, 64, 10
FIRST_ROW = 4
LOSS = "sparse_categorical_crossentropy"


def data(samples: int) -> Data:
    images, labels = digits(samples)
    middle = FIRST_ROW + STEPS
    upper, lower = images[:, FIRST_ROW:middle], images[:, middle : middle + STEPS]
    return Data((np.ascontiguousarray(upper), np.ascontiguousarray(lower)), labels)


def initial_weights() -> dict[str, np.ndarray]:
    weights = Weights()
    weights.lstm("upper", FEATURES, UNITS)
    weights.lstm("lower", FEATURES, UNITS)
    weights.dense("classes", 2 * UNITS, CLASSES)
    return weights.arrays
