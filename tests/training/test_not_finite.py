"""A loss that is no number is said once, with its place."""

import warnings

import numpy as np
import pytest

from kbackend import Input, K, Model, callbacks, layers

Y = np.zeros((12, 1), "float32")


@pytest.fixture
def model():
    K.clear_session()
    x = Input((2,))
    model = Model(x, layers.Dense(1)(x))
    model.compile("sgd", "mse")
    return model


def data(bad):
    x = np.ones((12, 2), "float32")
    x[bad] = np.nan
    return x


def test_the_warning_names_epoch_and_batch_and_comes_once(model):
    with pytest.warns(RuntimeWarning, match="the loss is nan since epoch 1, batch 2") as caught:
        model.fit(data(bad=9), Y, batch_size=4, epochs=3, shuffle=False, verbose=0)
    assert len(caught) == 1 and caught[0].filename == __file__


def test_a_later_epoch(model):
    def spoil(epoch, logs):
        model.layers[-1].kernel.assign(np.full((2, 1), np.inf))

    with pytest.warns(RuntimeWarning, match="since epoch 2, batch 0"):
        model.fit(data([]), Y, epochs=3, verbose=0, callbacks=[callbacks.LambdaCallback(on_epoch_end=spoil)])


def test_finite_losses_and_a_callback_that_says_it_warn_of_nothing(model, capsys):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.fit(data([]), Y, verbose=0)
        model.fit(data(9), Y, batch_size=4, shuffle=False, verbose=0, callbacks=[callbacks.TerminateOnNaN()])
    assert "Batch 2: the loss is nan" in capsys.readouterr().out
