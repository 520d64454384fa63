"""Models of 30 to 200 nodes and data for them."""

from __future__ import annotations

import numpy as np

from kbackend import Input, Model, layers

RNG = np.random.default_rng(0)


def images():
    x = Input((8, 8, 2))
    h = layers.Conv2D(4, 3, activation="relu", name="stem")(x)
    h = layers.BatchNormalization(name="norm")(h)
    side = layers.Conv2D(4, 3, padding="same", activation="tanh", name="side")(h)
    h = layers.Add(name="join")([h, side])
    h = layers.MaxPooling2D(2, name="pool")(h)
    h = layers.Dropout(0.3, name="drop")(layers.Flatten()(h))
    h = layers.Dense(6, activation="elu", name="hidden")(h)
    model = Model(x, layers.Dense(3, activation="softmax", name="top")(h))
    model.compile("adam", "sparse_categorical_crossentropy")
    return model, RNG.normal(size=(6, 8, 8, 2)).astype("float32"), RNG.integers(0, 3, (6, 1)).astype("int32")


def sequences():
    x = Input((5,), dtype="int32")
    h = layers.Embedding(11, 8, name="words")(x)
    h = layers.LSTM(6, return_sequences=True, name="lstm")(h)
    h = layers.GRU(4, return_sequences=True, name="gru")(h)
    h = layers.TimeDistributed(layers.Dense(5, activation="tanh"), name="each")(h)
    h = layers.GlobalMaxPooling1D(name="largest")(h)
    h = layers.Dropout(0.2, name="drop")(layers.Dense(6, activation="relu", name="hidden")(h))
    model = Model(x, layers.Dense(1, activation="sigmoid", name="top")(h))
    model.compile("sgd", "binary_crossentropy")
    return model, RNG.integers(0, 11, (6, 5)).astype("int32"), RNG.integers(0, 2, (6, 1)).astype("float32")


def transformer():
    x = Input((6, 8))
    h = x
    for block in range(3):
        with_others = layers.MultiHeadAttention(2, 4, name=f"attention{block}")(h, h)
        h = layers.LayerNormalization(name=f"first{block}")(layers.Add()([h, with_others]))
        inner = layers.Dense(12, activation="gelu", name=f"wide{block}")(h)
        h = layers.LayerNormalization(name=f"second{block}")(layers.Add()([h, layers.Dense(8)(inner)]))
    model = Model(x, layers.Dense(2, name="top")(layers.GlobalAveragePooling1D(name="average")(h)))
    model.compile("rmsprop", "mse")
    return model, RNG.normal(size=(4, 6, 8)).astype("float32"), RNG.normal(size=(4, 2)).astype("float32")


def mixture():
    x, y = Input((7,)), Input((7,))
    a = layers.Dense(9, activation="selu", name="left")(x)
    b = layers.Dense(9, activation="softplus", name="right")(y)
    h = layers.Concatenate(name="both")([a, b, layers.Multiply(name="product")([a, b])])
    h = layers.UnitNormalization(name="unit")(h)
    h = layers.GaussianNoise(0.1, name="noise")(h)
    model = Model([x, y], layers.Dense(4, activation="softsign", name="top")(h))
    model.compile("adagrad", "mae")
    return model, [RNG.normal(size=(5, 7)).astype("float32") for _ in "xy"], RNG.normal(size=(5, 4)).astype("float32")


MODELS = {f.__name__: f for f in (images, sequences, transformer, mixture)}
