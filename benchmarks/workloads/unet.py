"""U-Net at 64 by 64 pixels: finds the pixels of a digit under noise; transposed convolutions on the way up."""

from __future__ import annotations

import numpy as np

from benchmarks.workloads.data import Data, large_digits
from benchmarks.workloads.initial import Weights

SIZE, FILTERS, BOTTOM = 64, (16, 32), 64
NOISE = 0.3
SMALL = {"FILTERS": (4, 8), "BOTTOM": 8}
LOSS = "binary_crossentropy"


def data(samples: int) -> Data:
    images, _ = large_digits(samples, 1)
    noise = np.random.default_rng(21).standard_normal(images.shape, dtype=np.float32)
    return Data((images + np.float32(NOISE) * noise,), (images > 0.5).astype(np.float32))


def initial_weights() -> dict[str, np.ndarray]:
    weights = Weights()
    width = 1
    for level, filters in enumerate(FILTERS):
        weights.conv(f"down{level}_first", 3, width, filters)
        weights.conv(f"down{level}_second", 3, filters, filters)
        width = filters
    weights.conv("bottom_first", 3, width, BOTTOM)
    weights.conv("bottom_second", 3, BOTTOM, BOTTOM)
    width = BOTTOM
    for level, filters in reversed(list(enumerate(FILTERS))):
        weights.conv_transpose(f"up{level}_wide", 2, width, filters)
        weights.conv(f"up{level}_first", 3, 2 * filters, filters)
        weights.conv(f"up{level}_second", 3, filters, filters)
        width = filters
    weights.conv("pixels", 1, width, 1)
    return weights.arrays
