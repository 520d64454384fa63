"""Sequential models."""

import numpy as np
import pytest
from support.arrays import rows
from support.running import run_model, two_layers

from kbackend import Input, K, Model, Sequential, layers

# ------------------------------------------------------------------------------------------------ Sequential


@pytest.fixture(autouse=True)
def _fresh():
    K.clear_session()
    K.set_seed(1)


def test_sequential_with_input_shape_add_and_pop():
    model = Sequential([layers.Dense(3, input_shape=(4,))])
    model.add(layers.Activation("relu"))
    model.add(layers.Dense(2))
    assert model.output_shape == (None, 2) and [w.name for w in model.weights][:1] == ["dense_1/kernel"]
    model.pop()
    assert model.output_shape == (None, 3) and len(model.layers) == 2
    assert run_model(model, rows(2, 4)).min() >= 0


def test_sequential_learns_its_shape_from_data():
    model = Sequential([layers.Dense(3, activation="relu"), layers.Dense(1)])
    assert not model.built and model.weights == []
    model.compile("sgd", "mse")
    model.fit(rows(8, 4), rows(8, 1), epochs=1, verbose=0)
    assert model.input_shape == (None, 4) and len(model.weights) == 4


def test_sequential_learns_from_data_of_rank_one():
    model = Sequential([layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(np.arange(4.0), np.arange(4.0), epochs=1, verbose=0)
    assert model.input_shape == (None, 1)


def test_sequential_build_and_use_as_layer():
    model = Sequential([layers.Dense(3)])
    model.build((None, 4))
    assert model.output_shape == (None, 3)
    lazy = Sequential([layers.Dense(2), layers.Activation("tanh")])
    x = Input((4,))
    outer = Model(x, lazy(model(x)))
    assert outer.output_shape == (None, 2) and len(outer.weights) == 4


def test_sequential_of_models_and_of_an_input():
    inner = two_layers()
    assert Sequential([inner, layers.Activation("relu")]).output_shape == (None, 2)
    assert Sequential([Input((4,)), layers.Dense(2)]).output_shape == (None, 2)


def test_sequential_refuses_what_does_not_fit():
    model = Sequential([layers.Dense(3, input_shape=(4,), name="a")], name="s")
    with pytest.raises(TypeError, match="model s: only layers can be added, not 'dense'"):
        model.add("dense")
    with pytest.raises(ValueError, match="model s has a layer named 'a' already"):
        model.add(layers.Dense(3, name="a"))
    with pytest.raises(ValueError, match=r"layer c \(Conv2D\) expects an input of rank 4"):
        model.add(layers.Conv2D(1, 3, name="c"))
    with pytest.raises(TypeError, match="has 3 outputs"):
        Sequential([layers.LSTM(2, return_state=True, input_shape=(3, 2))])
    assert len(model.layers) == 1 and model.output_shape == (None, 3)
    model.pop()
    with pytest.raises(TypeError, match="has no layers to remove"):
        model.pop()


def test_unbuilt_sequential_says_what_is_missing():
    with pytest.raises(RuntimeError, match="model s does not know its input's shape yet"):
        _ = Sequential([layers.Dense(3)], name="s").outputs
