"""Hyperparameters that are variables stay live: a new value counts at the next call of the same program."""

import numpy as np
import pytest

from kbackend import Input, K, Model, layers

X = np.array([[-2.0, -0.5, 0.25, 3.0]], "float32")
CASES = [
    ("ReLU", "max_value", 1.0, 2.0),
    ("ReLU", "negative_slope", 0.1, 0.5),
    ("ReLU", "threshold", 0.0, 1.0),
    ("LeakyReLU", "negative_slope", 0.1, 0.5),
    ("ELU", "alpha", 1.0, 0.5),
    ("ThresholdedReLU", "theta", 0.1, 1.0),
]


@pytest.mark.parametrize("name, argument, before, after", CASES)
def test_a_variable_is_live(name, argument, before, after, each_backend):
    value = K.variable(before)
    layer = getattr(layers, name)(**{argument: value})
    x = Input((4,))
    program = K.function([x], [layer(x)])
    for number in (before, after):
        K.set_value(value, number)
        fixed = getattr(layers, name)(**{argument: number})
        wanted = K.function([x], [fixed(x)])([X])[0]
        np.testing.assert_allclose(program([X])[0], wanted, rtol=1e-6)
    assert not layer.weights
    assert layer.get_config()[argument] == pytest.approx(after)


@pytest.mark.parametrize("name, argument, before, after", CASES)
def test_a_clone_shares_it(name, argument, before, after):
    from kbackend.models import clone_model

    value = K.variable(before)
    x = Input((4,))
    clone = clone_model(Model(x, getattr(layers, name)(**{argument: value})(x)))
    K.set_value(value, after)
    fixed = Model(x, getattr(layers, name)(**{argument: after})(x))
    np.testing.assert_allclose(clone.predict(X), fixed.predict(X), rtol=1e-6)


NESTED = {
    "cells": (lambda rate: layers.RNN([layers.LSTMCell(3), layers.GRUCell(2, dropout=rate)]),
              lambda layer: layer.cell.cells[1].dropout),
    "cell": (lambda rate: layers.RNN(layers.LSTMCell(3, dropout=rate)), lambda layer: layer.cell.dropout),
    "wrapper": (lambda rate: layers.TimeDistributed(layers.Dropout(rate)), lambda layer: layer.layer.rate),
    "chain": (lambda rate: layers.Pipeline([layers.Dropout(rate)]), lambda layer: layer.layers[0].rate),
    "two directions": (lambda rate: layers.Bidirectional(layers.LSTM(3, dropout=rate)),
                       lambda layer: layer.backward_layer.dropout),
}  # fmt: skip


@pytest.mark.parametrize("made, found", NESTED.values(), ids=NESTED)
def test_a_clone_shares_those_of_inner_layers(made, found):
    from kbackend.models import clone_model

    rate = K.variable(0.5)
    x = Input((5, 4))
    model = Model(x, made(rate)(x))
    clone = clone_model(model)
    assert found(clone.layers[-1]) is rate
    assert not {id(w) for w in model.weights} & {id(w) for w in clone.weights}


def test_a_vector_is_refused():
    with pytest.raises(ValueError, match=r"layer \w+ \(ELU\): alpha must be a scalar"):
        layers.ELU(K.variable([1.0, 2.0]))
