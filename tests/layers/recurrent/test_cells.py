"""Cells, cells of one's own in RNN, and the layers around recurrent layers."""

import numpy as np
import pytest

from kbackend import Input, K, Model, layers
from kbackend.registry import custom_object_scope

X = np.random.RandomState(0).randn(2, 5, 3).astype("float32")


@pytest.fixture(autouse=True)
def _fresh():
    K.clear_session()
    K.set_seed(3)


class Mixed(layers.Layer):
    """A cell with weights, a layer inside, two states and constants."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units, self.state_size = units, [units, units]
        self.inner = layers.Dense(units, use_bias=False)

    def build(self, input_shape):
        shape = input_shape[0] if isinstance(input_shape, list) else input_shape
        self.kernel = self.add_weight("kernel", (shape[-1], self.units))

    def call(self, inputs, states, constants=None):
        h, count = states
        new = K.tanh(K.dot(inputs, self.kernel) + self.inner(h))
        if constants:
            new = new * constants[0]
        return new, [new, count + 1.0]

    def get_config(self):
        return {**super().get_config(), "units": self.units}


def by_hand(x, inner, kernel, constant=1.0):
    h, outputs = np.zeros((len(x), kernel.shape[1])), []
    for t in range(x.shape[1]):
        h = np.tanh(x[:, t] @ kernel + h @ inner) * constant
        outputs.append(h)
    return np.stack(outputs, 1)


def test_a_cell_of_ones_own(each_backend):
    cell, x = Mixed(4), Input((5, 3))
    layer = layers.RNN(cell, return_sequences=True, return_state=True)
    outputs, last, count = Model(x, layer(x)).predict(X)
    kernel, inner = layer.get_weights()
    np.testing.assert_allclose(outputs, by_hand(X, inner, kernel), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(last, outputs[:, -1])
    assert (count == 5).all()
    assert layer.compute_output_shape((None, 5, 3)) == [(None, 5, 4), (None, 4), (None, 4)]


def test_constants(each_backend):
    x, constant = Input((5, 3)), Input((4,))
    layer = layers.RNN(Mixed(4), return_sequences=True)
    model = Model([x, constant], layer(x, constants=constant))
    values = np.random.RandomState(1).rand(2, 4).astype("float32")
    kernel, inner = layer.get_weights()
    np.testing.assert_allclose(model.predict([X, values]), by_hand(X, inner, kernel, values), rtol=1e-5, atol=1e-6)


def test_a_cell_of_ones_own_trains_and_is_read_from_its_configuration(each_backend):
    x = Input((5, 3))
    model = Model(x, layers.RNN(Mixed(4))(x))
    model.compile("sgd", "mse")
    before = model.get_weights()
    model.train_on_batch(X, np.ones((2, 4)))
    assert all(not np.allclose(a, b) for a, b in zip(before, model.get_weights()))
    layer = model.layers[-1]
    with pytest.raises(ValueError, match="unknown layer 'Mixed'"):
        layers.deserialize(layers.serialize(layer))
    with custom_object_scope({"Mixed": Mixed}):
        again = layers.deserialize(layers.serialize(layer))
    assert again.get_config() == layer.get_config()


@pytest.mark.parametrize("kind, arguments", [
    ("SimpleRNN", {}), ("GRU", {}), ("GRU", {"reset_after": False}), ("LSTM", {}),
])
def test_a_cell_step_by_step_is_the_layer(kind, arguments, each_backend):
    layer = getattr(layers, kind)(4, return_sequences=True, **arguments)
    cell = getattr(layers, f"{kind}Cell")(4, **arguments)
    x = Input((5, 3))
    whole = layer(x)
    states, outputs = cell.get_initial_state(inputs=x), []
    for t in range(5):
        output, states = cell(x[:, t], states)
        outputs.append(output)
    cell.set_weights(layer.get_weights())
    got, wanted = K.function([x], [K.stack(outputs, 1), whole])([X])
    np.testing.assert_allclose(got, wanted, rtol=1e-5, atol=1e-6)


def test_the_states_of_a_cell_for_a_batch_size():
    assert [s.shape for s in layers.LSTMCell(4).get_initial_state(batch_size=3)] == [(3, 4), (3, 4)]
    with pytest.raises(ValueError, match="initial states need a batch size"):
        layers.GRUCell(2).get_initial_state()


def test_a_cell_called_without_its_states():
    with pytest.raises(ValueError, match=r"layer c \(LSTMCell\) .* a list of 2 states, it was given 1"):
        layers.LSTMCell(2, name="c")(Input((3,)), [Input((2,))])


def test_dropout_of_a_cell_is_the_same_at_all_steps_of_a_stack(each_backend):
    settings = dict(kernel_initializer="identity", recurrent_initializer="zeros", dropout=0.5)
    cells = [layers.SimpleRNNCell(6, "linear", **settings) for _ in range(2)]
    x = Input((5, 6))
    out = layers.RNN(cells, return_sequences=True)(x)
    got = K.function([x, K.learning_phase()], [out])([np.ones((20, 5, 6)), 1])[0]
    assert np.array_equal(got, np.repeat(got[:, :1], 5, axis=1)) and set(np.unique(got)) == {0.0, 4.0}


def test_a_failed_call_leaves_the_cell_unbuilt():
    layer = layers.LSTM(2)
    with pytest.raises(ValueError, match="initial_state holds one of"):
        layer(Input((5, 3)), initial_state=[Input((2,)), Input((4,))])
    assert not layer.built and not layer.cell.built
    assert layer(Input((5, 7))).shape == (None, 2)
    assert [w.shape for w in layer.weights] == [(7, 8), (2, 8), (8,)]


def test_settings_of_the_cell_are_the_layers():
    layer = layers.GRU(3, dropout=0.25, kernel_regularizer="l2")
    layer(Input((5, 3)))
    assert layer.units == 3 and layer.dropout == 0.25 and layer.kernel is layer.cell.kernel
    assert len(layer.losses) == 1
    layer.trainable = False
    assert not layer.trainable_weights and len(layer.non_trainable_weights) == 3


def test_cudnn_weights_are_those_of_the_plain_layers_transposed(each_backend):
    """Keras 2 converts weights of the two kinds by this rule when it loads a file."""
    x = Input((5, 3))
    pairs = [
        (layers.CuDNNGRU(4, return_sequences=True), layers.GRU(4, return_sequences=True), 3,
         lambda b: b.reshape(2, -1)),
        (layers.CuDNNLSTM(4, return_sequences=True), layers.LSTM(4, return_sequences=True), 4,
         lambda b: b.reshape(2, -1).sum(0)),
    ]
    draws = np.random.RandomState(2)
    for packed, plain, gates, of_bias in pairs:
        outputs = [packed(x), plain(x)]
        given = [draws.randn(*w.shape) for w in packed.weights]
        packed.set_weights(given)
        kernels = [
            np.hstack([k.T.reshape(k.shape, order="F") for k in np.hsplit(w, gates)]) for w in given[:2]
        ]
        plain.set_weights([*kernels, of_bias(given[2])])
        got, wanted = K.function([x], outputs)([X])
        np.testing.assert_allclose(got, wanted, rtol=1e-5, atol=1e-5)


def test_initial_weights_do_not_depend_on_cells_made_before():
    def weights(before):
        K.clear_session()
        K.set_seed(1)
        for _ in range(before):
            layers.LSTM(2)(Input((4, 3)))
        layer = layers.Bidirectional(layers.GRU(2), name="b")
        layer(Input((4, 3)))
        return layer.get_weights()

    assert all(np.array_equal(a, b) for a, b in zip(weights(0), weights(3)))


def test_the_two_directions_have_weights_of_their_own():
    layer = layers.Bidirectional(layers.GRU(2), name="b")
    layer(Input((4, 3)))
    assert [w.name for w in layer.weights[::3]] == ["b/forward_gru_1/kernel", "b/backward_gru_1/kernel"]
    assert not np.allclose(layer.get_weights()[0], layer.get_weights()[3])


def test_pairs_that_do_not_fit():
    with pytest.raises(ValueError, match=r"layer b \(Bidirectional\): one of the layers must have go_backwards=True"):
        layers.Bidirectional(layers.GRU(2), backward_layer=layers.GRU(2), name="b")
    with pytest.raises(ValueError, match="the two layers must have one return_sequences, they have True and False"):
        layers.Bidirectional(layers.GRU(2, return_sequences=True), backward_layer=layers.GRU(2, go_backwards=True))
    with pytest.raises(ValueError, match="merge_mode must be one of"):
        layers.Bidirectional(layers.GRU(2), merge_mode="max")
    with pytest.raises(ValueError, match="an even number; it holds 1"):
        layers.Bidirectional(layers.GRU(2))(Input((4, 3)), initial_state=[Input((2,))])


def test_time_distributed_hands_masks_through(each_backend):
    words = Input((3, 4), dtype="int32")
    table = layers.Embedding(9, 2, mask_zero=True)
    inner = layers.LSTM(2)
    model = Model(words, layers.TimeDistributed(inner)(table(words)))
    values = np.array([[[1, 2, 3, 4], [5, 6, 0, 0], [7, 0, 0, 0]]])
    flat = Input((4,), dtype="int32")
    each = Model(flat, inner(table(flat)))
    np.testing.assert_allclose(model.predict(values)[0], each.predict(values[0]), rtol=1e-5, atol=1e-6)
    assert K.int_shape(layers.TimeDistributed(layers.Dense(2))(table(words))._keras_mask)[1] == 3


def test_a_fully_masked_sequence_gives_zeros_though_a_state_was_given(each_backend):
    x, h = Input((5, 3)), Input((2,))
    mask = Input((5,), dtype="bool")
    out = layers.GRU(2)(x, initial_state=h, mask=mask)
    got = K.function([x, h, mask], [out])([X, np.ones((2, 2)), np.array([[0] * 5, [1] * 5], bool)])[0]
    assert not got[0].any() and got[1].any()


@pytest.mark.parametrize("kind, arguments", [
    ("SimpleRNN", {}), ("GRU", {"reset_after": True}), ("GRU", {"reset_after": False}), ("LSTM", {}),
])
def test_dropped_states_enter_the_products_alone(kind, arguments, each_backend):
    noise = np.random.RandomState(5).choice([0.0, 2.0], (2, 4)).astype("float32")
    layer = getattr(layers, kind)(4, recurrent_dropout=0.5, return_sequences=True, **arguments)
    layer.cell.state_noise = lambda like, training: K.constant(noise)
    x = Input((5, 3))
    out = layer(x)
    layer.set_weights([np.random.RandomState(n).randn(*w.shape) for n, w in enumerate(layer.weights)])
    kernel, recurrent, bias = layer.get_weights()
    h, c, outputs = np.zeros((2, 4)), np.zeros((2, 4)), []
    for t in range(5):
        z, seen = X[:, t] @ kernel, h * noise
        if kind == "SimpleRNN":
            h = np.tanh(z + bias + seen @ recurrent)
        elif kind == "LSTM":
            i, f, g, o = np.split(z + bias + seen @ recurrent, 4, 1)
            c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
            h = sigmoid(o) * np.tanh(c)
        else:
            of_inputs, of_state = bias if arguments["reset_after"] else (bias, np.zeros(12))
            zx, rx, gx = np.split(z + of_inputs, 3, 1)
            zh, rh, gh = np.split(seen @ recurrent + of_state, 3, 1)
            reset = sigmoid(rx + rh)
            gh = reset * gh if arguments["reset_after"] else (reset * seen) @ recurrent[:, 8:]
            update = sigmoid(zx + zh)
            h = update * h + (1 - update) * np.tanh(gx + gh)
        outputs.append(h)
    np.testing.assert_allclose(K.function([x], [out])([X])[0], np.stack(outputs, 1), rtol=1e-4, atol=1e-5)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))
