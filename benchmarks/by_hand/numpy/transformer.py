"""The transformer encoder in NumPy."""

from __future__ import annotations

from types import ModuleType

import autograd.numpy as np
import numpy

from benchmarks.by_hand.numpy.loop import (
    Array,
    Generator,
    NumpyProgram,
    Weights,
    softmax,
    sparse_crossentropy,
)
from benchmarks.workloads.data import Data


def dense(x: Array, weights: Weights, name: str) -> Array:
    return np.dot(x, weights[f"{name}/kernel"]) + weights[f"{name}/bias"]


def layer_norm(x: Array, weights: Weights, name: str, epsilon: float) -> Array:
    centred = x - np.mean(x, -1, keepdims=True)
    deviation = np.sqrt(np.mean(centred * centred, -1, keepdims=True) + epsilon)
    return centred / deviation * weights[f"{name}/gamma"] + weights[f"{name}/beta"]


def attention(flat: Array, weights: Weights, name: str, tokens: int, heads: int) -> Array:
    """Self-attention over flat (batch * tokens, width)."""
    width = flat.shape[1]
    size = width // heads

    def part(which: str) -> Array:
        kernel = np.reshape(weights[f"{name}/{which}/kernel"], (width, width))
        product = np.dot(flat, kernel) + np.reshape(weights[f"{name}/{which}/bias"], (width,))
        return np.transpose(np.reshape(product, (-1, tokens, heads, size)), (0, 2, 1, 3))

    scores = softmax(np.matmul(part("query") * size**-0.5, np.transpose(part("key"), (0, 1, 3, 2))))
    mixed = np.reshape(np.transpose(np.matmul(scores, part("value")), (0, 2, 1, 3)), (-1, width))
    output = np.dot(mixed, np.reshape(weights[f"{name}/output/kernel"], (width, width)))
    return output + weights[f"{name}/output/bias"]


def build(workload: ModuleType, data: Data, batch: int, variant: str) -> NumpyProgram:
    places = numpy.arange(workload.VOCABULARY, dtype=numpy.int32)

    def network(weights: Weights, inputs: list[Array], training: bool, random: Generator) -> Array:
        tokens = inputs[0].reshape(-1)
        # A product with one-hot rows: autograd's gradient of indexing is np.add.at, which is slower.
        flat = np.dot((tokens[:, None] == places).astype(numpy.float32), weights["tokens/table"])
        for number in range(workload.BLOCKS):
            block = f"block{number}"
            mixed = attention(flat, weights, f"{block}/attention", workload.TOKENS, workload.HEADS)
            flat = layer_norm(flat + mixed, weights, f"{block}/norm1", workload.EPSILON)
            inner = np.maximum(dense(flat, weights, f"{block}/inner"), 0)
            flat = flat + dense(inner, weights, f"{block}/outer")
            flat = layer_norm(flat, weights, f"{block}/norm2", workload.EPSILON)
        pooled = np.mean(np.reshape(flat, (-1, workload.TOKENS, workload.WIDTH)), 1)
        return dense(pooled, weights, "classes")

    return NumpyProgram(network, sparse_crossentropy, softmax, workload.initial_weights(), data, batch)
