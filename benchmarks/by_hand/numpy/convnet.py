"""The convnet in NumPy: windows laid side by side, so that a convolution is one product."""

from __future__ import annotations

from types import ModuleType

import autograd.numpy as np

from benchmarks.by_hand.numpy.loop import (
    Array,
    Generator,
    NumpyProgram,
    Weights,
    softmax,
    sparse_crossentropy,
)
from benchmarks.workloads.data import Data


def conv(maps: Array, kernel: Array, bias: Array) -> Array:
    """Valid convolution, stride 1: maps (batch, h, w, in), kernel (k, k, in, out)."""
    size, _, channels, filters = kernel.shape
    batch, height, width = maps.shape[0], maps.shape[1] - size + 1, maps.shape[2] - size + 1
    windows = [maps[:, i : i + height, j : j + width] for i in range(size) for j in range(size)]
    flat = np.reshape(np.concatenate(windows, -1), (-1, size * size * channels))
    product = np.dot(flat, np.reshape(kernel, (-1, filters))) + bias
    return np.reshape(product, (batch, height, width, filters))


def pool(maps: Array) -> Array:
    """Maximum of each 2x2 window; an odd last row or column is left out."""
    height, width = maps.shape[1] // 2 * 2, maps.shape[2] // 2 * 2
    corners = [maps[:, i:height:2, j:width:2] for i in (0, 1) for j in (0, 1)]
    return np.maximum(np.maximum(corners[0], corners[1]), np.maximum(corners[2], corners[3]))


def build(workload: ModuleType, data: Data, batch: int, variant: str) -> NumpyProgram:
    def network(weights: Weights, inputs: list[Array], training: bool, random: Generator) -> Array:
        (maps,) = inputs
        for name in ("first", "second"):
            # The pool comes before relu: the two commute, and relu then sees a quarter of the numbers.
            maps = np.maximum(pool(conv(maps, weights[f"{name}/kernel"], weights[f"{name}/bias"])), 0)
        flat = np.reshape(maps, (-1, workload.FLAT))
        return np.dot(flat, weights["classes/kernel"]) + weights["classes/bias"]

    return NumpyProgram(network, sparse_crossentropy, softmax, workload.initial_weights(), data, batch)
