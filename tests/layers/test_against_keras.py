"""Layers and the order of layers against Keras 3, where it is installed: same weights, same results."""


import numpy as np
import pytest
from support.arrays import rows
from support.keras3 import computed

import kbackend
from kbackend import K

pytestmark = pytest.mark.engine("tensorflow")


IDS = np.array([[1, 2, 3, 0], [4, 0, 0, 0], [5, 6, 7, 8]], "int32")
CASES = [
    ("Dense", {"units": 3, "activation": "softmax"}, [(5, 4)]),
    (
        "Conv2D",
        {"filters": 4, "kernel_size": 3, "strides": 2, "padding": "same", "activation": "elu"},
        [(7, 6, 2)],
    ),
    ("Conv2D", {"filters": 4, "kernel_size": (2, 3), "dilation_rate": 2}, [(9, 8, 3)]),
    ("Conv1D", {"filters": 4, "kernel_size": 3, "padding": "causal", "dilation_rate": 2}, [(9, 3)]),
    ("MaxPooling2D", {"pool_size": 3, "strides": 2, "padding": "same"}, [(7, 6, 2)]),
    ("AveragePooling2D", {"pool_size": 3, "strides": 2, "padding": "same"}, [(7, 6, 2)]),
    ("GlobalAveragePooling1D", {}, [(7, 6)]),
    ("BatchNormalization", {"axis": 1, "epsilon": 0.1}, [(7, 6)]),
    ("LayerNormalization", {"epsilon": 0.1}, [(7, 6)]),
    ("LayerNormalization", {"axis": [1, 2]}, [(7, 6)]),
    ("SimpleRNN", {"units": 3, "return_sequences": True, "go_backwards": True}, [(7, 6)]),
    ("LSTM", {"units": 3, "return_sequences": True}, [(7, 6)]),
    ("LSTM", {"units": 3, "go_backwards": True, "recurrent_activation": "tanh"}, [(7, 6)]),
    ("Softmax", {"axis": 1}, [(4, 3)]),
    ("ELU", {"alpha": 0.5}, [(4,)]),
    ("ReLU", {"max_value": 1.0, "negative_slope": 0.1, "threshold": 0.2}, [(4,)]),
    ("Dot", {"axes": (2, 1), "normalize": True}, [(3, 4), (4, 5)]),
    ("Dot", {"axes": 1}, [(4,), (4,)]),
    ("Add", {}, [(3, 4), (4,)]),
    ("Concatenate", {"axis": 1}, [(3, 4), (2, 4)]),
    ("Reshape", {"target_shape": (-1, 2)}, [(3, 4)]),
]


@pytest.mark.parametrize("name, arguments, shapes", CASES, ids=lambda v: v if isinstance(v, str) else "")
def test_layer(keras, name, arguments, shapes):
    ours, theirs = getattr(kbackend.layers, name)(**arguments), getattr(keras.layers, name)(**arguments)
    values = [rows(3, *s, seed=i) for i, s in enumerate(shapes)]
    x = [kbackend.Input(s) for s in shapes]
    out = ours(x if len(x) > 1 else x[0])
    expected = theirs(values if len(values) > 1 else values[0])
    weights = [rows(*w.shape, seed=9 + i) ** 2 * 0.5 for i, w in enumerate(theirs.get_weights())]
    assert [w.shape for w in ours.weights] == [w.shape for w in weights]
    if weights:
        theirs.set_weights(weights)
        ours.set_weights(weights)
        expected = theirs(values if len(values) > 1 else values[0])
    got = K.function(x, [out])(values)[0]
    np.testing.assert_allclose(got, np.asarray(expected), rtol=2e-5, atol=1e-5)
    assert out.shape[1:] == got.shape[1:]


@pytest.mark.parametrize("kind", ["LSTM", "SimpleRNN", "GlobalAveragePooling1D"])
def test_masked_sequences(keras, kind):
    def made(lib):
        x = lib.layers.Input((4,)) if lib is kbackend else lib.Input((4,), dtype="int32")
        embedding = lib.layers.Embedding(9, 3, mask_zero=True)
        layer = getattr(lib.layers, kind)(*([] if "Pool" in kind else [2]))
        return lib.Model(x, layer(embedding(x)))

    ours, theirs = made(kbackend), made(keras)
    weights = [rows(*w.shape, seed=i) for i, w in enumerate(theirs.get_weights())]
    theirs.set_weights(weights)
    ours.set_weights(weights)
    np.testing.assert_allclose(ours.predict(IDS), computed(theirs, IDS), rtol=1e-4, atol=1e-5)


def test_order_of_layers_in_a_tangled_graph(keras):
    def made(lib):
        layers = lib.layers
        a, b = lib.Input((4,), name="a"), lib.Input((4,), name="b")
        shared = layers.Dense(4, name="shared")
        p = layers.Dense(4, name="p")(shared(a))
        q = layers.Dense(4, name="q")(b)
        r = layers.add([p, q], name="r")
        s = layers.concatenate([shared(r), layers.Activation("relu", name="u")(q)], name="s")
        t = layers.Dense(2, name="t")(s)
        return lib.Model([a, b], [t, layers.Dense(3, name="v")(r)])

    assert [x.name for x in made(kbackend).layers] == [x.name for x in made(keras).layers]


def test_weights_fit_keras_in_order_and_shape(keras):
    def made(lib):
        layers = lib.layers
        x = lib.Input((8, 8, 1))
        h = layers.BatchNormalization()(layers.Conv2D(4, 3, activation="relu")(x))
        h = layers.Flatten()(layers.MaxPooling2D()(h))
        return lib.Model(x, layers.Dense(5, activation="softmax")(layers.Dense(6, activation="tanh")(h)))

    ours, theirs = made(kbackend), made(keras)
    ours.set_weights(theirs.get_weights())
    x = rows(4, 8, 8, 1)
    np.testing.assert_allclose(ours.predict(x), computed(theirs, x), rtol=1e-4, atol=1e-6)
