"""Models of the kinds that people train, small enough to be timed in seconds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kbackend import Input, Model, layers


def dense() -> Model:
    """An autoencoder 784-128-784 with dropout."""
    x = Input((784,))
    code = layers.Dense(128, activation="relu")(layers.Dropout(0.2)(x))
    return _compiled(x, layers.Dense(784, activation="sigmoid")(code), "binary_crossentropy")


def convnet() -> Model:
    """Two convolutions of 16 and 32 filters on images of 28 by 28."""
    x = Input((28, 28, 1))
    h = layers.MaxPooling2D()(layers.Conv2D(16, 3, activation="relu")(x))
    h = layers.Flatten()(layers.MaxPooling2D()(layers.Conv2D(32, 3, activation="relu")(h)))
    return _compiled(x, layers.Dense(10, activation="softmax")(h), "sparse_categorical_crossentropy")


def lstm() -> Model:
    """An LSTM of 64 units over 20 embedded words."""
    x = Input((20,), dtype="int32")
    h = layers.LSTM(64)(layers.Embedding(1000, 32)(x))
    return _compiled(x, layers.Dense(1, activation="sigmoid")(h), "binary_crossentropy")


def transformer() -> Model:
    """A block of attention with 4 heads over 32 tokens of 64 features."""
    x = Input((32, 64))
    h = layers.LayerNormalization()(x + layers.MultiHeadAttention(4, 16)(x, x))
    inner = layers.Dense(64)(layers.Dense(128, activation="gelu")(h))
    h = layers.GlobalAveragePooling1D()(layers.LayerNormalization()(h + inner))
    return _compiled(x, layers.Dense(10, activation="softmax")(h), "sparse_categorical_crossentropy")


def _compiled(x: Any, y: Any, loss: str) -> Model:
    model = Model(x, y)
    model.compile("adam", loss)
    return model


WORKLOADS: dict[str, Callable[[], Model]] = {f.__name__: f for f in (dense, convnet, lstm, transformer)}
