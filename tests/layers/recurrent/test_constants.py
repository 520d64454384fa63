"""Constants of cells in one list with inputs and states, and identity matrices for each gate: as in Keras 2."""

import numpy as np
import pytest
from support.arrays import rows

from kbackend import Input, K, Model, layers, utils

pytestmark = pytest.mark.usefixtures("fresh_session")


class WithConstant(layers.Layer):
    """A cell that adds a constant, whose shape it is told when it is built."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = self.state_size = units

    def build(self, input_shape):
        step, constant = input_shape
        self.kernel = self.add_weight("kernel", (step[-1], self.units))
        self.of_constant = self.add_weight("of_constant", (constant[-1], self.units))

    def call(self, inputs, states, constants):
        new = K.dot(inputs, self.kernel) + K.dot(constants[0], self.of_constant) + states[0]
        return new, [new]

    def get_config(self):
        return {"units": self.units, **super().get_config()}


X, C, S = rows(3, 4, 5), rows(3, 2), rows(3, 6)


def wrapped(kind):
    layer = layers.RNN(WithConstant(6))
    return layers.Bidirectional(layer) if kind == "Bidirectional" else layer


@pytest.mark.parametrize("kind", ["RNN", "Bidirectional"])
def test_a_list_has_as_many_constants_as_the_first_call(each_backend, kind):
    x, c = Input((4, 5)), Input((2,))
    states = [Input((6,)) for _ in range(2 if kind == "Bidirectional" else 1)]
    layer = wrapped(kind)
    y = layer(x, initial_state=states, constants=c)
    assert layer.get_config()["num_constants"] == 1
    with utils.CustomObjectScope({"WithConstant": WithConstant}):
        again = type(layer).from_config(layer.get_config())
    z = again([x, *states, c])
    again.set_weights(layer.get_weights())
    fed = [X, *[S] * len(states), C]
    for found, wanted in zip(*(Model([x, *states, c], t).predict(fed) for t in (z, y)), strict=True):
        np.testing.assert_array_equal(found, wanted)
    assert layer(x, constants=c).shape == y.shape


@pytest.mark.parametrize("kind, gates", [("SimpleRNN", 1), ("GRU", 3), ("LSTM", 4)])
def test_identity_matrices_are_one_for_each_gate(kind, gates):
    layer = getattr(layers, kind)(3, recurrent_initializer="identity")
    layer(Input((4, 5)))
    np.testing.assert_array_equal(layer.get_weights()[1], np.concatenate([np.eye(3)] * gates, 1))


def test_tensors_and_calls_have_the_names_of_keras_2():
    x, s = Input((4, 5)), Input((6,))
    layer = layers.GRU(6)
    y = layer(x, initial_state=s)
    assert y._keras_shape == (None, 6) and not y._uses_learning_phase
    assert layers.Dropout(0.5)(y)._uses_learning_phase and not x._uses_learning_phase
    (call,) = layer._inbound_nodes
    assert layer.inbound_nodes == [call]
    assert Model(x, layers.Dropout(0.5)(x)).uses_learning_phase and not Model([x, s], y).uses_learning_phase
    assert [id(t) for t in call.input_tensors] == [id(x), id(s)] and call.output_tensors[0] is y


def test_stacked_cells_tell_constants_to_those_that_take_them(each_backend):
    x, c = Input((4, 5)), Input((2,))
    layer = layers.RNN([layers.GRUCell(3), WithConstant(6)])
    y = layer(x, constants=c)
    assert K.function([x, c], [y])([X, C])[0].shape == (3, 6)
