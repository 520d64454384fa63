"""Weights of layers: add_weight in the forms of Keras 2 and 3, and what the layer's attributes say of a weight."""

from __future__ import annotations

import functools
import threading

import numpy as np
import pytest

from kbackend import Input, K, Model, constraints, initializers, layers, regularizers
from kbackend.graph.variable import Variable


def bare(**attributes):
    layer = layers.Layer(name="own")
    for key, value in attributes.items():
        setattr(layer, key, value)
    return layer


def values(weight):
    return weight.numpy().ravel().tolist()


@pytest.mark.parametrize("name", ["kernel", "bias", "gamma", "embeddings", "depthwise_kernel", "query/kernel"])
def test_the_attributes_of_a_name_describe_the_weight(name):
    stem = name.rpartition("/")[2]
    limit, penalty = constraints.NonNeg(), regularizers.l2(0.5)
    layer = bare(**{f"{stem}_initializer": "ones", f"{stem}_regularizer": penalty, f"{stem}_constraint": limit})
    weight = layer.add_weight(name, (2,))
    assert values(weight) == [1.0, 1.0] and weight.regularizer is penalty and weight.constraint is limit
    other = layer.add_weight("other", (2,), initializer="zeros")
    assert other.regularizer is None and other.constraint is None


@pytest.mark.parametrize("stem", ["recurrent", "depthwise", "pointwise"])
def test_the_kernel_may_be_left_out_of_the_attribute_and_the_whole_name_goes_first(stem):
    short = {f"{stem}_initializer": "ones", f"{stem}_constraint": "non_neg"}
    weight = bare(**short).add_weight(f"{stem}_kernel", (2,))
    assert values(weight) == [1.0, 1.0] and isinstance(weight.constraint, constraints.NonNeg)
    whole = bare(**short, **{f"{stem}_kernel_initializer": "zeros"})
    assert values(whole.add_weight(f"{stem}_kernel", (2,))) == [0.0, 0.0]


def test_an_argument_wins_over_the_attribute_and_none_means_none():
    layer = bare(kernel_initializer="ones", kernel_regularizer="l2", kernel_constraint="non_neg")
    weight = layer.add_weight("kernel", (3,), initializer="zeros", regularizer=None, constraint=None)
    assert values(weight) == [0.0] * 3 and weight.regularizer is None and weight.constraint is None
    drawn = layer.add_weight("kernel", (3,), initializer=None)
    assert not set(values(drawn)) & {0.0, 1.0} and drawn.regularizer is not None


def test_a_weight_named_activity_takes_no_regularizer_of_activities():
    layer = layers.Layer(activity_regularizer="l2")
    assert layer.add_weight("activity", (2,)).regularizer is None


def test_a_weight_without_a_name_has_the_default_initializer():
    weight = bare(weight_initializer="ones").add_weight(shape=(50,))
    assert 0 < np.abs(weight.numpy()).max() < 1 and weight.regularizer is None


FORMS = {
    "keras 2": lambda layer: layer.add_weight("w", (2, 1), "float64", "ones", "l2", False, "non_neg"),
    "keras 2, by name": lambda layer: layer.add_weight(
        name="w", shape=(2, 1), dtype="float64", initializer="ones", regularizer="l2", trainable=False,
        constraint="non_neg"),
    "keras 3": lambda layer: layer.add_weight(
        (2, 1), "ones", "float64", False, name="w", regularizer="l2", constraint="non_neg"),
    "keras 3, a list": lambda layer: layer.add_weight(
        [2, 1], name="w", dtype="float64", initializer="ones", regularizer="l2", trainable=False, constraint="non_neg"),
    "name, and the rest by name": lambda layer: layer.add_weight(
        "w", shape=[np.int64(2), 1], dtype="float64", initializer="ones", regularizer="l2", trainable=False,
        constraint="non_neg"),
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_the_forms_of_keras_2_and_3_make_the_same_weight(form):
    layer = bare()
    weight = FORMS[form](layer)
    assert (weight.name, weight.shape, weight.dtype, weight.trainable) == ("w", (2, 1), "float64", False)
    assert values(weight) == [1.0, 1.0]
    assert isinstance(weight.constraint, constraints.NonNeg) and weight.regularizer is not None
    assert layer.weights == [weight]


WRONG = {
    "no shape": (lambda add: add("w", 3), TypeError, r"\(name, shape\) or \(shape, name=\.\.\.\).* it is 3"),
    "number first": (lambda add: add(3, name="w"), TypeError, "shape of the weight 'w'"),
    "shape twice": (lambda add: add((3,), shape=(3,)), TypeError, "shape twice"),
    "name twice": (lambda add: add("w", (3,), name="v"), TypeError, "name twice"),
    "too many": (lambda add: add((3,), "ones", None, True, "l2"), TypeError, "at most 4 .*: shape, initializer"),
    "unknown": (lambda add: add("w", (3,), aggregation="mean"), TypeError, "aggregation"),
    "unknown size": (lambda add: add("w", (None, 3)), ValueError, r"layer own: .*known shape.*\(None, 3\)"),
    "half a row": (lambda add: add("w", (1.5,)), TypeError, "float"),
    "no such initializer": (lambda add: add("w", (3,), initializer="nope"), ValueError, "nope"),
    "no such regularizer": (lambda add: add("w", (3,), regularizer="nope"), ValueError, "nope"),
    "no such constraint": (lambda add: add("w", (3,), constraint="nope"), ValueError, "nope"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_weight_is_refused_and_nothing_is_made(case):
    call, kind, message = WRONG[case]
    layer = bare()
    with pytest.raises(kind, match=message):
        call(layer.add_weight)
    assert layer.weights == []


def test_a_layer_of_ones_own_is_penalised_and_limited_by_its_attributes():
    class Scale(layers.Layer):
        arguments = ("kernel_initializer", "kernel_regularizer", "kernel_constraint")

        def __init__(self, kernel_initializer="ones", kernel_regularizer=None, kernel_constraint=None, **kwargs):
            super().__init__(**kwargs)
            self.kernel_initializer = initializers.get(kernel_initializer)
            self.kernel_regularizer = regularizers.get(kernel_regularizer)
            self.kernel_constraint = constraints.get(kernel_constraint)

        def build(self, input_shape):
            self.kernel = self.add_weight((input_shape[-1],), name="kernel")

        def call(self, inputs):
            return inputs * self.kernel

    x = Input((3,))
    layer = Scale(kernel_regularizer="l2", kernel_constraint="non_neg")
    model = Model(x, layer(x))
    model.compile("sgd", "mse")
    ones, zeros = np.ones((4, 3), "float32"), np.zeros((4, 3), "float32")
    assert model.evaluate(ones, zeros) == pytest.approx(1 + 3 * 0.01)
    K.set_value(model.optimizer.lr, 100.0)
    model.train_on_batch(ones, zeros)
    assert values(layer.kernel) == [0.0] * 3
    again = Scale.from_config(layer.get_config())
    assert isinstance(again.kernel_constraint, constraints.NonNeg)


BUILT = {
    "dense": (lambda o: layers.Dense(2, **o("kernel", "bias")), (3,), ("kernel", "bias")),
    "conv": (lambda o: layers.Conv2D(2, 2, **o("kernel", "bias")), (4, 4, 3), ("kernel", "bias")),
    "embedding": (lambda o: layers.Embedding(5, 2, **o("embeddings")), (3,), ("embeddings",)),
    "rnn": (lambda o: layers.SimpleRNN(2, **o("kernel", "recurrent", "bias")), (4, 3),
            ("kernel", "recurrent_kernel", "bias")),
    "lstm": (lambda o: layers.LSTM(2, unit_forget_bias=False, **o("kernel", "recurrent", "bias")), (4, 3),
             ("kernel", "recurrent_kernel", "bias")),
    "batch": (lambda o: layers.BatchNormalization(**o("gamma", "beta")), (3,), ("gamma", "beta")),
    "layer": (lambda o: layers.LayerNormalization(**o("gamma", "beta")), (3,), ("gamma", "beta")),
}  # fmt: skip


@pytest.mark.parametrize("kind", BUILT)
def test_every_layer_gives_its_weights_what_its_arguments_say(kind):
    make, shape, names = BUILT[kind]
    given = {}

    def options(*stems):
        for place, stem in enumerate(stems):
            given[f"{stem}_initializer"] = initializers.Constant(place + 2)
            given[f"{stem}_regularizer"] = regularizers.l2(place + 1.0)
            given[f"{stem}_constraint"] = constraints.MaxNorm(place + 1.0)
        return given

    layer = make(options)
    layer(Input(shape))
    for name in names:
        weight, stem = getattr(layer, name), name.removesuffix("_kernel") or name
        stem = stem if f"{stem}_initializer" in given else name
        assert set(values(weight)) == {float(given[f"{stem}_initializer"].value)}
        assert weight.regularizer is given[f"{stem}_regularizer"]
        assert weight.constraint is given[f"{stem}_constraint"]


def test_all_projections_of_attention_share_the_arguments():
    penalty, limit = regularizers.l2(1.0), constraints.MaxNorm(1.0)
    layer = layers.MultiHeadAttention(2, 3, kernel_regularizer=penalty, bias_constraint=limit, bias_initializer="ones")
    x = Input((4, 5))
    layer(x, x)
    kernels = [w for w in layer.weights if w.name.endswith("kernel")]
    biases = [w for w in layer.weights if w.name.endswith("bias")]
    assert len(kernels) == len(biases) == 4
    assert all(w.regularizer is penalty and w.constraint is None for w in kernels)
    assert all(w.constraint is limit and set(values(w)) == {1.0} and w.regularizer is None for w in biases)


# ------------------------------------------------------------------------------------------- set all or none


def two_weights():
    layer = bare()
    layer.add_weight("a", (2,), initializer="zeros")
    layer.add_weight("b", (3,), initializer="zeros")
    layer.add_weight("c", (2,), dtype="int8", initializer="zeros")
    return layer


REFUSED = {
    "a shape": (np.ones(3), ValueError, "layer own: the weight c has shape"),
    "complex numbers": (np.ones(2) * 1j, TypeError, "c is int8"),
    "a number out of range": (np.array([1, 300]), OverflowError, "300"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_weights_change_none(case):
    value, kind, message = REFUSED[case]
    layer = two_weights()
    with pytest.raises(kind, match=message):
        layer.set_weights([np.ones(2), np.ones(3), value])
    assert [float(np.abs(w).max()) for w in layer.get_weights()] == [0, 0, 0]


READERS = {
    "a value": lambda weight: weight.numpy,
    "a program": lambda weight: functools.partial(K.function([], [weight]), []),
}


@pytest.mark.parametrize("reader", READERS)
def test_weights_are_read_before_or_after_all_are_set(each_backend, reader, monkeypatch):
    layer = two_weights()
    first, second, _ = layer.weights
    read, waited, original = READERS[reader](first), [], Variable._assign
    read()
    thread = threading.Thread(target=read)

    def assign_while_read(variable, array):
        if variable is second:  # the first one is assigned, and must not be seen yet
            thread.start()
            thread.join(0.2)
            waited.append(thread.is_alive())
        original(variable, array)

    monkeypatch.setattr(Variable, "_assign", assign_while_read)
    layer.set_weights([np.ones(2), np.ones(3), [1, 1]])
    thread.join()
    assert waited == [True]
