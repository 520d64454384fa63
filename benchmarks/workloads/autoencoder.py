"""Denoising autoencoder 784-128-784: dropout on the input, relu inside, sigmoid out."""

from __future__ import annotations

import numpy as np

from benchmarks.workloads.data import Data, digits
from benchmarks.workloads.initial import Weights

PIXELS, HIDDEN, RATE = 784, 128, 0.2
LOSS = "binary_crossentropy"


def data(samples: int) -> Data:
    images, _ = digits(samples)
    flat = images.reshape(samples, PIXELS)
    return Data((flat,), flat)


def initial_weights() -> dict[str, np.ndarray]:
    weights = Weights()
    weights.dense("encoder", PIXELS, HIDDEN)
    weights.dense("decoder", HIDDEN, PIXELS)
    return weights.arrays
