"""Hyperparameters that are variables stay live: a new value counts at the next call of the same program."""

import inspect

import numpy as np
import pytest
from layers import table

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


# every layer ------------------------------------------------------------------------------------------------


def numbers_of(row):
    """The float arguments of a row's layer, with their values in the row."""
    given, found = row.given(), {}
    for kind in getattr(layers, row.layer).__mro__:
        constructor = kind.__dict__.get("__init__")
        if constructor is not None and kind.__module__.startswith("kbackend.layers.") and kind is not layers.Layer:
            for name, parameter in inspect.signature(constructor).parameters.items():
                found.setdefault(name, given.get(name, parameter.default))
    taken = getattr(layers, row.layer).arguments
    return {name: value for name, value in found.items() if type(value) is float and name in taken}


ROWS = {row.layer: row for row in reversed(table.all_rows()) if not callable(row.arguments)}
SCALARS = [(row, name) for row in ROWS.values() for name in numbers_of(row)]
#: of images and sounds: ranges of draws, what fills borders, what tables are made of; of others: numbers that are
#: part of a fused kernel
FIXED = {
    "preprocessing": ("factor", "alpha", "sigma", "fill_value", "epsilon"),
    "preprocessing.spectrograms": ("freq", "top_db", "mag_exp", "power"),
    "preprocessing.histograms": ("clip_limit",),
    "normalization.layer": ("epsilon",),
    "normalization.group": ("epsilon",),
}


def is_fixed(row, name):
    module = getattr(layers, row.layer).__module__.removeprefix("kbackend.layers.")
    return any(module.startswith(place) and name.endswith(names) for place, names in FIXED.items())


@pytest.mark.usefixtures("fresh_session")
@pytest.mark.parametrize("row, name", SCALARS, ids=lambda v: v if isinstance(v, str) else v.layer)
def test_a_scalar_of_any_layer_is_live_or_refused(row, name):
    """In one program for both values; it is no weight, and a configuration holds its value."""
    before = numbers_of(row)[name]
    after = before + 0.25 if before < 0.7 else before - 0.25
    value = K.variable(before)
    if is_fixed(row, name):
        with pytest.raises(ValueError, match=rf"layer \w+ \({row.layer}\): {name} must be a "):
            getattr(layers, row.layer)(**{**row.given(), name: value})
        return

    def made(number):
        K.clear_session()
        K.set_seed(1)
        found = table.made(row, **{**table.last(row), name: number})
        feeds = [*found.inputs, *found.masks, K.learning_phase()]
        wanted = [*found.outputs, *found.layer.losses, *(u for u in found.layer.updates)]
        return found.layer, K.function(feeds, wanted)

    layer, program = made(value)
    assert [w.shape for w in layer.weights] == [w.shape for w in made(before)[0].weights]
    fed, start = [*row.inputs(), *row.masks(), 1], layer.get_weights()
    for call, number in enumerate((before, after)):
        K.set_value(value, number)
        twin, fixed = made(number)
        for _ in range(call + 1):  # what is drawn depends on the number of the call
            twin.set_weights(start)
            wanted = fixed(fed)
        layer.set_weights(start)
        for got, right in zip(program(fed), wanted, strict=True):
            np.testing.assert_allclose(got, right, rtol=1e-5, atol=1e-6)
    assert layer.get_config()[name] == pytest.approx(after)


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
