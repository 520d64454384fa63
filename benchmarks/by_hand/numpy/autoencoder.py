"""The autoencoder in NumPy."""

from __future__ import annotations

from types import ModuleType

import autograd.numpy as np
import numpy

from benchmarks.by_hand.numpy.loop import Array, Generator, NumpyProgram, Weights, sigmoid
from benchmarks.workloads.data import Data


def loss(images: Array, logits: Array) -> float:
    return np.mean(np.maximum(logits, 0) - logits * images + np.log1p(np.exp(-np.abs(logits))))


def build(workload: ModuleType, data: Data, batch: int, variant: str) -> NumpyProgram:
    kept_part = numpy.float32(1 - workload.RATE)

    def network(weights: Weights, inputs: list[Array], training: bool, random: Generator) -> Array:
        (images,) = inputs
        if training:
            images = images * (random.random(images.shape, numpy.float32) < kept_part) / kept_part
        hidden = np.maximum(np.dot(images, weights["encoder/kernel"]) + weights["encoder/bias"], 0)
        return np.dot(hidden, weights["decoder/kernel"]) + weights["decoder/bias"]

    return NumpyProgram(network, loss, sigmoid, workload.initial_weights(), data, batch)
