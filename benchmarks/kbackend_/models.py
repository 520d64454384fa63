"""The networks as a user of kbackend writes them; one definition serves every engine."""

from __future__ import annotations

from types import ModuleType

from benchmarks.kbackend_.images import depthwise, resnet, unet
from benchmarks.kbackend_.sequences import tagger, translator
from kbackend import Input, Model, layers


def autoencoder(workload: ModuleType) -> Model:
    images = Input((workload.PIXELS,))
    x = layers.Dropout(workload.RATE)(images)
    x = layers.Dense(workload.HIDDEN, activation="relu")(x)
    return Model(images, layers.Dense(workload.PIXELS, activation="sigmoid")(x))


def lstm(workload: ModuleType) -> Model:
    upper = Input((workload.STEPS, workload.FEATURES))
    lower = Input((workload.STEPS, workload.FEATURES))
    both = [layers.LSTM(workload.UNITS)(upper), layers.LSTM(workload.UNITS)(lower)]
    x = layers.Concatenate()(both)
    return Model([upper, lower], layers.Dense(workload.CLASSES, activation="softmax")(x))


def convnet(workload: ModuleType) -> Model:
    images = Input((workload.SIZE, workload.SIZE, 1))
    x = images
    for filters in workload.FILTERS:
        x = layers.Conv2D(filters, workload.KERNEL, activation="relu")(x)
        x = layers.MaxPooling2D(2)(x)
    x = layers.Flatten()(x)
    return Model(images, layers.Dense(workload.CLASSES, activation="softmax")(x))


def transformer(workload: ModuleType) -> Model:
    tokens = Input((workload.TOKENS,), dtype="int32")
    x = layers.Embedding(workload.VOCABULARY, workload.WIDTH)(tokens)
    for _ in range(workload.BLOCKS):
        mixed = layers.MultiHeadAttention(workload.HEADS, workload.WIDTH // workload.HEADS)(x, x)
        x = layers.LayerNormalization(epsilon=workload.EPSILON)(layers.Add()([x, mixed]))
        inner = layers.Dense(workload.INNER, activation="relu")(x)
        outer = layers.Dense(workload.WIDTH)(inner)
        x = layers.LayerNormalization(epsilon=workload.EPSILON)(layers.Add()([x, outer]))
    x = layers.GlobalAveragePooling1D()(x)
    return Model(tokens, layers.Dense(workload.CLASSES, activation="softmax")(x))


def rows(workload: ModuleType) -> Model:
    features = Input((workload.FEATURES,))
    x = layers.Dense(workload.HIDDEN, activation="relu")(features)
    return Model(features, layers.Dense(1, activation="sigmoid")(x))


__all__ = [
    "autoencoder",
    "convnet",
    "depthwise",
    "lstm",
    "resnet",
    "rows",
    "tagger",
    "transformer",
    "translator",
    "unet",
]
