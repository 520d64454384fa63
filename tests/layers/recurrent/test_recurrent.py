"""Recurrent layers against their recurrences written out in NumPy, with masks, states and dropout."""

import numpy as np
import pytest
from support.arrays import rows

import kbackend
from kbackend import Input, K, Model, layers


@pytest.fixture(autouse=True)
def _fresh():
    K.clear_session()
    K.set_seed(6)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def hard_sigmoid(x):
    return np.clip(0.2 * x + 0.5, 0, 1)


def lstm_by_hand(x, weights, gate=sigmoid, mask=None, state=None, backwards=False):
    kernel, recurrent, bias = weights
    units = recurrent.shape[0]
    h, c = state or (np.zeros((len(x), units)), np.zeros((len(x), units)))
    outputs, out = [], np.zeros((len(x), units))
    for t in reversed(range(x.shape[1])) if backwards else range(x.shape[1]):
        i, f, g, o = np.split(x[:, t] @ kernel + h @ recurrent + bias, 4, axis=1)
        new_c = gate(f) * c + gate(i) * np.tanh(g)
        new_h = gate(o) * np.tanh(new_c)
        keep = np.ones((len(x), 1), bool) if mask is None else mask[:, t : t + 1]
        h, c, out = np.where(keep, new_h, h), np.where(keep, new_c, c), np.where(keep, new_h, out)
        outputs.append(out)
    return np.stack(outputs, 1), h, c


def simple_by_hand(x, weights, mask=None):
    kernel, recurrent, bias = weights
    h = out = np.zeros((len(x), len(recurrent)))
    outputs = []
    for t in range(x.shape[1]):
        new = np.tanh(x[:, t] @ kernel + h @ recurrent + bias)
        keep = np.ones((len(x), 1), bool) if mask is None else mask[:, t : t + 1]
        h, out = np.where(keep, new, h), np.where(keep, new, out)
        outputs.append(out)
    return np.stack(outputs, 1), h


X = rows(3, 5, 4)
MASK = np.array([[1, 1, 1, 1, 1], [1, 1, 0, 0, 0], [0, 1, 0, 1, 0]], bool)


def with_all(layer, x=X, mask=None, **kwargs):
    """outputs and states of a layer with return_sequences and return_state, and the layer's weights made
    uneven."""
    i = Input(x.shape[1:])
    m = Input(x.shape[1:2], dtype="bool")
    outputs = layer(i, **({} if mask is None else {"mask": m}), **kwargs)
    layer.set_weights([w + 0.1 * rows(*w.shape, seed=n) for n, w in enumerate(layer.get_weights())])
    feeds = [i] if mask is None else [i, m]
    return K.function([*feeds, K.learning_phase()], outputs)([x, *([] if mask is None else [mask]), 0])


@pytest.mark.parametrize("mask", [None, MASK], ids=["no mask", "mask"])
@pytest.mark.parametrize("backwards", [False, True], ids=["forwards", "backwards"])
@pytest.mark.parametrize("recurrent_activation", ["sigmoid", "hard_sigmoid"])
def test_lstm(each_backend, mask, backwards, recurrent_activation):
    layer = layers.LSTM(
        2,
        recurrent_activation=recurrent_activation,
        return_sequences=True,
        return_state=True,
        go_backwards=backwards,
    )
    got = with_all(layer, mask=mask)
    gate = {"sigmoid": sigmoid, "hard_sigmoid": hard_sigmoid}[recurrent_activation]
    expected = lstm_by_hand(X, layer.get_weights(), gate, mask, backwards=backwards)
    for a, b in zip(got, expected):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("mask", [None, MASK], ids=["no mask", "mask"])
@pytest.mark.parametrize("unroll", [False, True])
def test_simple_rnn(each_backend, mask, unroll):
    layer = layers.SimpleRNN(2, return_sequences=True, return_state=True, unroll=unroll)
    got = with_all(layer, mask=mask)
    for a, b in zip(got, simple_by_hand(X, layer.get_weights(), mask)):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


def test_what_is_returned():
    x = Input((5, 4))
    assert layers.LSTM(2)(x).shape == (None, 2)
    assert layers.LSTM(2, return_sequences=True)(x).shape == (None, 5, 2)
    assert [t.shape for t in layers.LSTM(2, return_state=True)(x)] == [(None, 2)] * 3
    assert [t.shape for t in layers.SimpleRNN(2, return_state=True)(x)] == [(None, 2)] * 2


def test_last_output_of_masked_sequences_is_that_of_the_last_kept_step():
    i, m = Input((5, 4)), Input((5,), dtype="bool")
    layer = layers.LSTM(2)
    model = Model([i, m], layer(i, mask=m))
    kept = lstm_by_hand(X, layer.get_weights(), mask=MASK)[1]
    np.testing.assert_allclose(model.predict([X, MASK]), kept, rtol=1e-4, atol=1e-6)


def test_initial_state_as_argument_and_in_the_list():
    x, h, c = Input((5, 4)), Input((2,)), Input((2,))
    layer = layers.LSTM(2)
    model = Model([x, h, c], [layer(x, initial_state=[h, c]), layer([x, h, c])])
    h0, c0 = rows(3, 2, seed=1), rows(3, 2, seed=2)
    first, second = model.predict([X, h0, c0])
    expected = lstm_by_hand(X, layer.get_weights(), state=(h0, c0))[1]
    np.testing.assert_allclose(first, expected, rtol=1e-4, atol=1e-6)
    assert np.array_equal(first, second)


def test_forget_bias():
    layer = layers.LSTM(2)
    layer(Input((3, 4)))
    assert layer.get_weights()[2].tolist() == [0, 0, 1, 1, 0, 0, 0, 0]
    plain = layers.LSTM(2, unit_forget_bias=False)
    plain(Input((3, 4)))
    assert not plain.get_weights()[2].any()


def test_weights_have_keras_names_and_shapes():
    layer = layers.LSTM(3, name="l")
    layer(Input((5, 4)))
    assert [(w.name, w.shape) for w in layer.weights] == [
        ("l/kernel", (4, 12)),
        ("l/recurrent_kernel", (3, 12)),
        ("l/bias", (12,)),
    ]


def test_usual_lstm_is_one_op_and_unusual_ones_are_loops():
    x = Input((5, 4))

    def ops(tensor):
        from kbackend.graph.walk import ancestors

        return {n.op.name for n in ancestors([tensor], [x])}

    assert "lstm" in ops(layers.LSTM(2)(x))
    assert "lstm" in ops(layers.LSTM(2, dropout=0.5)(x))
    assert "lstm" not in ops(layers.LSTM(2, recurrent_dropout=0.5)(x))


def test_embedding_mask_reaches_the_lstm(each_backend):
    i = Input((5,))
    embedding, lstm = layers.Embedding(9, 4, mask_zero=True), layers.LSTM(2, return_sequences=True)
    model = Model(i, lstm(embedding(i)))
    ids = np.array([[1, 2, 3, 4, 5], [6, 7, 0, 0, 0]])
    table = embedding.get_weights()[0]
    expected = lstm_by_hand(table[ids], lstm.get_weights(), mask=ids != 0)[0]
    np.testing.assert_allclose(model.predict(ids), expected, rtol=1e-4, atol=1e-5)


# ------------------------------------------------------------------------------------------------ dropout


@pytest.mark.parametrize("kind", [layers.LSTM, layers.SimpleRNN])
def test_dropout_of_inputs_and_states_only_in_training(kind):
    x = Input((5, 4))
    plain, dropped = kind(3), kind(3, dropout=0.5, recurrent_dropout=0.5)
    a, b = plain(x), dropped(x)
    dropped.set_weights(plain.get_weights())
    f = K.function([x, K.learning_phase()], [a, b])
    still = f([X, 0])
    np.testing.assert_allclose(still[0], still[1], rtol=1e-5, atol=1e-6)
    first, second = f([X, 1])[1], f([X, 1])[1]
    assert not np.allclose(first, still[0]) and not np.allclose(first, second)


def test_dropout_of_the_inputs_is_the_same_at_all_steps():
    x = Input((5, 6))
    layer = layers.SimpleRNN(
        6,
        "linear",
        kernel_initializer="identity",
        recurrent_initializer="zeros",
        dropout=0.5,
        return_sequences=True,
    )
    got = K.function([x, K.learning_phase()], [layer(x)])([np.ones((20, 5, 6)), 1])[0]
    assert np.array_equal(got, np.repeat(got[:, :1], 5, axis=1)) and set(np.unique(got)) == {0.0, 2.0}


def test_dropout_of_the_state_is_the_same_at_all_steps():
    x = Input((40, 1))
    layer = layers.SimpleRNN(
        6,
        activation="linear",
        use_bias=False,
        kernel_initializer="zeros",
        recurrent_initializer="identity",
        recurrent_dropout=0.5,
    )
    h0 = Input((6,))
    out = layer(x, initial_state=h0)
    got = K.function([x, h0, K.learning_phase()], [out])([np.zeros((20, 40, 1)), np.ones((20, 6)), 1])[0]
    # a state is doubled at every step or dropped at the first: with a mask for each step next to none is left
    assert set(np.unique(got)) == {0.0, 2.0**40} and 0.3 < (got > 0).mean() < 0.7


def test_live_dropout_rates():
    rate = K.variable(0.0)
    x = Input((5, 4))
    layer = layers.LSTM(3, dropout=rate)
    f = K.function([x, K.learning_phase()], [layer(x)])
    before = f([X, 1])[0]
    assert np.array_equal(before, f([X, 0])[0])
    K.set_value(rate, 0.9)
    assert not np.allclose(before, f([X, 1])[0])
    assert len(layer.weights) == 3


# ------------------------------------------------------------------------------------------------ training


def test_two_branches_train_to_the_same_losses_on_every_engine(each_backend):
    def losses():
        K.clear_session()
        K.set_seed(9)
        a, b = Input((6, 3)), Input((6,))
        left = layers.LSTM(4)(a)
        right = layers.SimpleRNN(4, dropout=0.2)(layers.Embedding(7, 3, mask_zero=True)(b))
        model = Model([a, b], layers.Dense(1)(layers.concatenate([left, right])))
        model.compile("adam", "mse")
        ids = np.random.RandomState(0).randint(0, 7, (32, 6))
        return model.fit(
            [rows(32, 6, 3), ids], rows(32, 1, seed=5), batch_size=8, epochs=3, verbose=0
        ).history["loss"]

    here = losses()
    with kbackend.use_backend("numpy"):
        reference = losses()
    np.testing.assert_allclose(here, reference, rtol=1e-5)
    assert here[-1] < here[0]
