"""Data and weights that do not fit, and class weights that are computed."""

import numpy as np
import pytest

from kbackend import Input, K, Model, layers
from kbackend.training.data import DataError

X, Y = np.random.default_rng(0).normal(size=(8, 3)), np.array([0, 0, 0, 0, 0, 0, 1, 1])


@pytest.fixture
def model():
    K.clear_session()
    x = Input((3,), name="x")
    model = Model(x, layers.Dense(1, activation="sigmoid", name="y")(x))
    model.compile("sgd", "binary_crossentropy")
    return model


@pytest.mark.parametrize("call,message", [
    (lambda m: m.fit([X, X], Y), r"a list of 2 arrays was given, the model has one input \('x'\): give one array"),
    (lambda m: m.predict((X, Y)), r"a tuple of 2 arrays was given, the model has one input \('x'\)"),
    (lambda m: m.fit(X, [Y, Y]), r"a list of 2 arrays was given, the model has one target \('y'\)"),
    (lambda m: m.evaluate([X, X], Y), "a list of 2 arrays"), (lambda m: m.train_on_batch([X, X], Y), "a list of 2"),
])  # fmt: skip
def test_several_arrays_for_one_input(model, call, message):
    with pytest.raises(DataError, match=message):
        call(model)


def test_a_list_of_samples_is_still_one_array(model):
    assert model.predict(list(X)).shape == (8, 1)
    np.testing.assert_array_equal(model.predict(X.tolist()), model.predict(X))


def test_balanced_class_weights_count_all_classes_alike(model):
    weights = model.get_weights()

    def trained(class_weight, y=Y):
        model.set_weights(weights)
        model.fit(X, y, class_weight=class_weight, shuffle=False, verbose=0)
        return model.get_weights()

    for a, b in zip(trained("balanced"), trained({0: 8 / (2 * 6), 1: 8 / (2 * 2)})):
        np.testing.assert_array_equal(a, b)
    assert any(not np.array_equal(a, b) for a, b in zip(trained("balanced"), trained(None)))


def test_a_scalar_output_of_several_batches_is_named():
    x = Input((3,), name="x")
    model = Model(x, [layers.Dense(2, name="d")(x), layers.Lambda(K.mean, name="level")(x)])
    assert model.predict(X)[1].shape == ()
    with pytest.raises(DataError, match="the output 'level' is a single number for each batch.*predict_on_batch"):
        model.predict(X, batch_size=4)
