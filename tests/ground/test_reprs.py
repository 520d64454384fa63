"""What objects show of themselves."""

import re

import numpy as np
import pytest

from kbackend import (
    Input,
    K,
    Model,
    Sequential,
    callbacks,
    constraints,
    initializers,
    layers,
    losses,
    optimizers,
)
from kbackend.regularizers import l2

pytestmark = pytest.mark.usefixtures("fresh_session")


@pytest.mark.parametrize("make,shown", [
    (lambda: optimizers.Adam(), "<Adam learning_rate=0.001 beta_1=0.9 beta_2=0.999 epsilon=1e-07>"),
    (lambda: optimizers.SGD(0.1, momentum=0.9, nesterov=True, clipnorm=1.0),
     "<SGD learning_rate=0.1 momentum=0.9 nesterov=True clipnorm=1.0>"),
    (lambda: K.constant([1.0, 2.5]), r"<Tensor '\w+' shape=\(2,\) dtype=float32 value=\[1, 2.5\]>"),
    (lambda: K.constant(3, dtype="int32"), r"value=3>"),
    (lambda: K.constant(np.ones((30, 30))), r"value=\[\[1, 1, ..., 1, 1\], .*, ..., \[1, 1, ..., 1, 1\], \[.*\]\]>"),
    (lambda: l2(0.1), r"^L2\(l2=0.1\)$"), (lambda: constraints.max_norm(), r"MaxNorm\(max_value=2, axis=0\)"),
    (lambda: initializers.RandomUniform(-1, 1), r"RandomUniform\(minval=-1, maxval=1\)"),
    (lambda: losses.BinaryCrossentropy(from_logits=True), "<BinaryCrossentropy 'binary_crossentropy' from_logits=True"),
    (lambda: callbacks.EarlyStopping(patience=3), "<EarlyStopping monitor='val_loss' .*patience=3 "),
    (lambda: layers.Dense(2, name="d"), "^<Dense 'd'>$"), (lambda: Sequential(name="s"), "^<Sequential 's'>$"),
])  # fmt: skip
def test_what_matters_is_shown(make, shown):
    assert re.search(shown, repr(make())), repr(make())


def test_a_live_number_is_shown_as_it_is_now():
    optimizer = optimizers.SGD(0.1)
    optimizer.learning_rate = 0.025
    assert repr(optimizer) == "<SGD learning_rate=0.025>"
    schedule = optimizers.schedules.ExponentialDecay(0.1, 10, 0.9)
    assert repr(optimizers.SGD(schedule)) == "<SGD learning_rate=ExponentialDecay>"


def test_layers_models_weights_and_histories():
    x = Input((3,), name="x")
    dense = layers.Dense(2, name="d")
    model = Model(x, dense(x), name="m")
    model.compile("sgd", "mse")
    assert repr(dense) == "<Dense 'd' (None, 3) -> (None, 2)>"
    assert repr(model) == "<Model 'm' (None, 3) -> (None, 2)>"
    assert repr(model.weights[0]) == "<Variable 'd/kernel' shape=(3, 2) dtype=float32>"
    assert repr(model.layers[0]) == "<InputLayer 'x' (None, 3)>"
    data = (np.ones((4, 3)), np.ones((4, 2)))
    history = model.fit(*data, epochs=2, validation_data=data, verbose=0)
    assert repr(history) == "<History of 2 epochs: loss, val_loss>"
    assert repr(callbacks.History()) == "<History of 0 epochs: nothing yet>"
