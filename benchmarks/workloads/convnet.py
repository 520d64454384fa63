"""Convnet on 28x28 digits: 3x3 convolutions of 32 and 64 filters, each relu and 2x2 max pool, ten classes."""

from __future__ import annotations

import numpy as np

from benchmarks.workloads.data import Data, digits
from benchmarks.workloads.initial import Weights

SIZE, KERNEL, FILTERS, CLASSES = 28, 3, (32, 64), 10
FLAT = 5 * 5 * FILTERS[1]
LOSS = "sparse_categorical_crossentropy"


def data(samples: int) -> Data:
    images, labels = digits(samples)
    return Data((images[..., None],), labels)


def initial_weights() -> dict[str, np.ndarray]:
    weights = Weights()
    weights.conv("first", KERNEL, 1, FILTERS[0])
    weights.conv("second", KERNEL, FILTERS[0], FILTERS[1])
    weights.dense("classes", FLAT, CLASSES)
    return weights.arrays
