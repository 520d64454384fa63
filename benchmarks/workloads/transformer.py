"""Transformer encoder, 2 blocks, 64 tokens: a digit as 8x8 patches, ten classes.

A token is (position, brightness of the patch in 16 levels), so the one embedding table holds the places too.
Blocks are post-norm: attention, add, norm, relu feed-forward, add, norm; then the mean over tokens.
"""

from __future__ import annotations

import numpy as np

from benchmarks.workloads.data import Data, digits
from benchmarks.workloads.initial import Weights

TOKENS, LEVELS, WIDTH, HEADS, INNER, BLOCKS, CLASSES = 64, 16, 64, 4, 128, 2, 10
VOCABULARY = TOKENS * LEVELS
EPSILON = 1e-6
LOSS = "sparse_categorical_crossentropy"


def data(samples: int) -> Data:
    images, labels = digits(samples)
    padded = np.pad(images, ((0, 0), (2, 2), (2, 2)))
    brightness = padded.reshape(samples, 8, 4, 8, 4).mean(axis=(2, 4)).reshape(samples, TOKENS)
    levels = np.minimum(brightness * LEVELS, LEVELS - 1).astype(np.int32)
    return Data((levels + np.arange(TOKENS, dtype=np.int32) * LEVELS,), labels)


def initial_weights() -> dict[str, np.ndarray]:
    weights = Weights()
    weights.embedding("tokens", VOCABULARY, WIDTH)
    for block in range(BLOCKS):
        weights.attention(f"block{block}/attention", WIDTH, HEADS)
        weights.layer_norm(f"block{block}/norm1", WIDTH)
        weights.dense(f"block{block}/inner", WIDTH, INNER)
        weights.dense(f"block{block}/outer", INNER, WIDTH)
        weights.layer_norm(f"block{block}/norm2", WIDTH)
    weights.dense("classes", WIDTH, CLASSES)
    return weights.arrays
