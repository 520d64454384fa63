"""Layers inside layers: each is visited once, whatever holds it."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from kbackend import Input, K, Model, Sequential, layers
from kbackend.layers.base.layer import Layer


class Holder(layers.Layer):
    """Holds layers in an attribute, and has a weight of its own."""

    def __init__(self, *inner, **kwargs):
        super().__init__(**kwargs)
        self.inner = list(inner)

    def build(self, input_shape):
        self.add_weight("fixed", (1,), trainable=False)
        self.add_weight("scale", (1,), regularizer="l2")
        super().build(input_shape)

    def call(self, inputs):
        for layer in self.inner:
            inputs = layer(inputs)
        return inputs


def names(variables):
    return [v.name.rpartition("/")[2] for v in variables]


def test_weights_of_a_layer_come_before_those_inside_it_and_trainable_ones_first():
    holder = Holder(layers.Dense(3), Holder())
    holder(Input((3,)))
    assert names(holder.weights) == ["scale", "fixed", "kernel", "bias", "scale", "fixed"]
    assert names(holder.trainable_weights) == ["scale", "kernel", "bias", "scale"]
    assert names(holder.non_trainable_weights) == ["fixed", "fixed"]


def test_variables_of_ops_between_layers_come_last_in_a_model():
    x = Input((3,))
    v = K.variable(np.ones(3), name="v")
    inner = Model(x, layers.Dense(3)(x * v))
    y = Input((3,))
    model = Model(y, inner(y) * v + K.variable(0.0, name="w"))
    assert names(model.weights) == names(model.trainable_weights) == ["kernel", "bias", "v", "w"]
    inner.trainable = False
    assert names(model.trainable_weights) == ["w"] and names(model.non_trainable_weights) == ["kernel", "bias", "v"]


def test_a_layer_that_is_frozen_in_one_place_and_free_in_another_is_trained():
    shared = layers.Dense(3)
    frozen, free = Holder(shared, trainable=False), Holder(shared)
    x = Input((3,))
    for model in (Model(x, free(frozen(x))), Model(x, frozen(free(x)))):
        assert sorted(names(model.trainable_weights)) == ["bias", "kernel", "scale"]
        assert names(model.non_trainable_weights).count("fixed") == 2


def test_a_shared_layer_is_penalised_once():
    shared = layers.Dense(3, kernel_regularizer="l2")
    x = Input((3,))
    model = Model(x, Sequential([shared])(Sequential([shared])(x)))
    assert len(model.losses) == 1


def test_layers_may_hold_each_other():
    first, second = Holder(), Holder()
    first(Input((3,))), second(Input((3,)))
    first.inner, second.inner = [second], [first]
    assert len(first.weights) == len(second.weights) == 4 and len(first.losses) == 2


# --------------------------------------------------------------------------------------------------- growth


@pytest.fixture
def walks(monkeypatch):
    """How often layers are asked for what they hold."""
    counts = Counter()

    def counted(kind, name):
        original = getattr(kind, name)

        def method(self, *args):
            counts[name] += 1
            return original(self, *args)

        monkeypatch.setattr(kind, name, method)

    counted(Layer, "_attached")
    counted(Model, "_sublayers")
    counted(Model, "_own_weights")
    return counts


def in_models(depth):
    layer = layers.Dense(2, kernel_regularizer="l2")
    for _ in range(depth):
        x = Input((2,))
        layer = Model(x, layers.BatchNormalization()(layer(x)))
    return layer


def in_layers(depth):
    layer = layers.Dense(2, kernel_regularizer="l2")
    for _ in range(depth):
        layer = Holder(layer)
    x = Input((2,))
    return Model(x, layer(x))


def in_chains(depth):
    layer = layers.Dense(2, kernel_regularizer="l2")
    for _ in range(depth):
        layer = Sequential([layer, layers.BatchNormalization()])
    x = Input((2,))
    return Model(x, layer(x))


WHAT = {
    "weights": lambda m: m.weights,
    "trainable_weights": lambda m: m.trainable_weights,
    "non_trainable_weights": lambda m: m.non_trainable_weights,
    "losses": lambda m: m.losses,
    "updates": lambda m: m.updates,
    "count_params": lambda m: m.count_params(),
    "get_weights": lambda m: m.get_weights(),
    "compile": lambda m: m.compile("sgd", "mse"),
}


@pytest.mark.parametrize("what", WHAT)
@pytest.mark.parametrize("nest", [in_models, in_layers, in_chains])
def test_nesting_costs_a_visit_a_layer(walks, nest, what):
    found = {}
    for depth in (2, 4, 8):
        model = nest(depth)
        WHAT[what](model)  # what is found once for a model is found
        walks.clear()
        WHAT[what](model)
        found[depth] = sum(walks.values())
    steps = [found[4] - found[2], found[8] - found[4]]
    assert found[2] > 0 and steps[1] == 2 * steps[0]


def test_a_class_may_list_its_weights_itself():
    class Copies(layers.Layer):
        """Layers made after the first one, which is never called."""

        def build(self, input_shape):
            self.first = layers.Dense(2)
            self.first.build(input_shape)
            self.copies = [layers.Dense(2), layers.Dense(2)]
            super().build(input_shape)

        def call(self, inputs):
            return self.copies[0](inputs) + self.copies[1](inputs)

        @property
        def trainable_weights(self):
            return [w for layer in self.copies for w in layer.trainable_weights]

        @property
        def non_trainable_weights(self):
            return [w for layer in self.copies for w in layer.non_trainable_weights]

    x = Input((3,))
    layer = Copies()
    model = Model(x, layer(x))
    assert len(layer.weights) == len(model.trainable_weights) == len(model.weights) == len(model.get_weights()) == 4
    model.compile("sgd", "mse")
    before = model.get_weights()
    model.train_on_batch(np.ones((2, 3)), np.zeros((2, 2)))
    assert all((a != b).any() for a, b in zip(before, model.get_weights()))
    layer.trainable = False
    assert not model.trainable_weights and len(model.non_trainable_weights) == 4
