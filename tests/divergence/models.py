"""Models of 30 to 200 nodes and data for them."""

from __future__ import annotations

from functools import partial

import numpy as np

from kbackend import Input, K, Model, layers

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
    h = K.sqrt(K.abs(h) + 1.0) - K.exp(h * 0.1)
    model = Model(x, layers.Dense(3, activation="softmax", name="top")(h))
    model.compile("adam", "sparse_categorical_crossentropy")
    return model, RNG.normal(size=(6, 8, 8, 2)).astype("float32"), RNG.integers(0, 3, (6, 1)).astype("int32")


def sequences():
    x = Input((5,), dtype="int32")
    h = layers.Embedding(11, 8, name="words")(x)
    for _ in range(4):
        h = K.sin(h * 1.5) + h / 2.0
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


def differences():
    """The ops of :data:`divergence.known.KNOWN`, where engines differ if they are left to themselves."""
    x = Input((5, 5, 2))
    h = layers.Conv2D(3, 3, strides=2, padding="same", activation="leaky_relu", name="stem")(layers.Resizing(
        6, 6, interpolation="nearest", name="larger")(x))
    h = layers.AveragePooling2D(2, padding="same", name="pool")(h)
    h = layers.BatchNormalization(name="norm")(h)
    h = layers.Activation("hard_sigmoid", name="gate")(h) * 2.0 - K.exp(h * 0.1)
    h = layers.Activation("gelu", name="bent")(layers.Flatten()(h) + 0.1)
    model = Model(x, layers.Dense(2, name="top")(h))
    model.compile("sgd", "mse")
    return model, RNG.normal(size=(4, 5, 5, 2)).astype("float32"), RNG.normal(size=(4, 2)).astype("float32")


MODELS = {f.__name__: f for f in (images, sequences, transformer, mixture, differences)}

# ------------------------------------------------------------------------------------- drawn models

#: seeds of models that have 30 to 200 nodes
SEEDS = (0, 1, 3, 4, 5, 6, 7, 11, 12, 13, 14, 15, 16, 17, 20, 22)

_RELU = ("relu", "elu", "tanh", "sigmoid", "softplus", "selu", "softsign", "gelu", "swish", "exponential")
_LOSSES = ("mse", "mae", "logcosh", "huber", "binary_crossentropy")
_OPTIMIZERS = ("sgd", "adam", "rmsprop", "adagrad", "adamax", "nadam")


def drawn(seed):
    """A model of rows of features, drawn from a seed: dense layers, normalizations, branches and functions of K."""
    rng = np.random.default_rng(seed)
    x = Input((6,))
    h = x
    for _ in range(rng.integers(5, 9)):
        h = _STEPS[rng.integers(len(_STEPS))](h, rng)
    h = layers.Dense(2, activation="sigmoid")(h)
    model = Model(x, h, name=f"drawn{seed}")
    model.compile(str(rng.choice(_OPTIMIZERS)), str(rng.choice(_LOSSES)))
    return model, rng.normal(size=(5, 6)).astype("float32"), rng.uniform(size=(5, 2)).astype("float32")


def _dense(h, rng):
    return layers.Dense(int(rng.integers(3, 9)), activation=str(rng.choice(_RELU)))(h)


def _normalized(h, rng):
    kind = (layers.LayerNormalization, layers.BatchNormalization, layers.UnitNormalization)[rng.integers(3)]
    return kind()(h)


def _branched(h, rng):
    width = int(rng.integers(3, 7))
    pair = [layers.Dense(width, activation=str(rng.choice(_RELU)))(h) for _ in "ab"]
    return (layers.Add, layers.Multiply, layers.Maximum, layers.Concatenate, layers.Average)[rng.integers(5)]()(pair)


def _elementwise(h, rng):
    h = K.sqrt(K.abs(h) + 0.5) - K.cos(h) * float(rng.uniform(0.5, 2.0))
    return h / (1.0 + K.square(h))


def _dropped(h, rng):
    return (layers.Dropout(0.3), layers.GaussianNoise(0.2), layers.GaussianDropout(0.2))[rng.integers(3)](h)


def _pieces(h, rng):
    left, right = h[:, :2], h[:, 1:3]
    return K.concatenate([left * right, K.softmax(left), K.maximum(left, right), h - K.mean(h, axis=1, keepdims=True)])


def _steps_over_time(h, rng):
    h = K.reshape(layers.Dense(8)(h), (-1, 4, 2))
    return (layers.SimpleRNN(3), layers.GlobalAveragePooling1D(), layers.Conv1D(2, 4))[rng.integers(3)](h)


def _flat(step, h, rng):
    return layers.Flatten()(step(h, rng))


_STEPS = (_dense, _normalized, _branched, _elementwise, _dropped, _pieces, partial(_flat, _steps_over_time))
