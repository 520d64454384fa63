"""Warnings name the line of the user that led to them."""

import warnings

import numpy as np
import pytest

from kbackend import Input, Model, Sequential, layers
from kbackend.callbacks import EarlyStopping
from kbackend.ground.warn import warn_caller

ONES = np.ones((4, 2), "float32")


def test_the_caller_outside_is_named():
    with pytest.warns(DeprecationWarning, match="text") as told:
        warn_caller("text", DeprecationWarning)
    assert told[0].filename == __file__


def fitted(path):
    made = Sequential([layers.Dense(2, input_shape=(2,))])
    made.compile("sgd", "mse")
    made.fit(ONES, ONES, verbose=0, callbacks=[EarlyStopping("none")])


def saved(path):
    x = Input((2,))
    made = Model(x, layers.Dense(1)(x))
    made.add_loss(x)
    made.save(path / "m.kb")


@pytest.mark.parametrize("call", [fitted, saved])
def test_so_it_is_however_deep_the_call_is(tmp_path, call):
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        call(tmp_path)
    assert [w.filename for w in told] == [__file__]
