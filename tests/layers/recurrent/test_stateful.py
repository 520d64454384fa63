"""Recurrent layers that keep their states from batch to batch."""

import numpy as np
import pytest

from kbackend import Input, K, Model, Sequential, layers

X = np.random.RandomState(0).randn(2, 6, 3).astype("float32")


@pytest.fixture(autouse=True)
def _fresh():
    K.clear_session()
    K.set_seed(3)


def made(kind):
    """A stateful layer over batches of two sequences of three steps."""
    layer = {
        "SimpleRNN": lambda: layers.SimpleRNN(4, stateful=True, return_sequences=True),
        "GRU": lambda: layers.GRU(4, stateful=True, return_sequences=True),
        "LSTM": lambda: layers.LSTM(4, stateful=True, return_sequences=True),
        "recurrent dropout": lambda: layers.LSTM(4, stateful=True, return_sequences=True, recurrent_dropout=0.5),
        "RNN": lambda: layers.RNN([layers.GRUCell(3), layers.LSTMCell(4)], stateful=True, return_sequences=True),
        "frozen": lambda: layers.GRU(4, stateful=True, return_sequences=True, trainable=False),
    }[kind]()
    x = Input(batch_shape=(2, 3, 3))
    return layer, Model(x, layer(x))


KINDS = ["SimpleRNN", "GRU", "LSTM", "recurrent dropout", "RNN", "frozen"]


@pytest.mark.parametrize("kind", KINDS)
def test_two_batches_are_one_sequence(kind, each_backend):
    layer, model = made(kind)
    assert model.stateful and layer.stateful
    pieces = [model.predict(X[:, :3]), model.predict(X[:, 3:])]
    whole = Input((6, 3))
    config = {k: v for k, v in layer.get_config().items() if k != "name"}
    plain = type(layer).from_config({**config, "stateful": False})
    at_once = Model(whole, plain(whole))
    at_once.set_weights(model.get_weights())
    np.testing.assert_allclose(np.concatenate(pieces, 1), at_once.predict(X), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_reset_states(kind, each_backend):
    layer, model = made(kind)
    first = model.predict(X[:, :3])
    assert not np.allclose(model.predict(X[:, :3]), first)
    model.reset_states()
    assert np.array_equal(model.predict(X[:, :3]), first)
    layer.reset_state()
    assert all(not K.get_value(s).any() for s in layer.states)


def test_states_are_no_weights_and_are_kept_in_evaluation_and_training(each_backend):
    model = Sequential([layers.LSTM(4, stateful=True, batch_input_shape=(2, 3, 3)), layers.Dense(1)])
    assert len(model.get_weights()) == 5
    model.compile("sgd", "mse")
    y = np.ones((2, 1), "float32")

    def states():
        return [K.get_value(s) for s in model.layers[0].states]

    before = states()
    assert not any(s.any() for s in before)
    for step in (lambda: model.train_on_batch(X[:, :3], y), lambda: model.test_on_batch(X[:, :3], y)):
        step()
        after = states()
        assert all(not np.allclose(a, b) for a, b in zip(before, after))
        before = after


def test_a_model_inside_a_model_keeps_its_states(each_backend):
    layer, inner = made("GRU")
    x = Input(batch_shape=(2, 3, 3))
    outer = Model(x, inner(x))
    first = outer.predict(X[:, :3])
    assert outer.stateful and not np.allclose(outer.predict(X[:, :3]), first)
    outer.reset_states()
    assert np.array_equal(outer.predict(X[:, :3]), first)


def test_states_around_and_inside_other_layers(each_backend):
    wrapped = layers.Bidirectional(layers.GRU(4, stateful=True))
    x = Input(batch_shape=(2, 3, 3))
    model = Model(x, wrapped(x))
    first = model.predict(X[:, :3])
    assert not np.allclose(model.predict(X[:, :3]), first)
    model.reset_states()
    assert np.array_equal(model.predict(X[:, :3]), first)


class Wrapped(layers.Layer):
    """A layer of one's own around another."""

    def __init__(self, inner, **kwargs):
        super().__init__(**kwargs)
        self.inner = inner

    def call(self, inputs):
        return self.inner(inputs)


@pytest.mark.parametrize("around", [Wrapped, layers.TimeDistributed, layers.Bidirectional])
def test_states_inside_a_layer_are_no_weights_and_change_while_it_is_frozen(around):
    shape = (2, 5, 3, 3) if around is layers.TimeDistributed else (2, 3, 3)
    x = Input(batch_shape=shape)
    wrapped = around(layers.LSTM(4, stateful=True))
    model = Model(x, layers.Dense(1)(wrapped(x)))
    assert len(model.get_weights()) == 2 + (6 if around is layers.Bidirectional else 3)
    wrapped.trainable = False
    model.compile("sgd", "mse")
    kept, frozen = wrapped.get_weights(), model._stateful_layers()[-1]
    model.train_on_batch(np.ones(shape), np.ones(model.output_shape))
    assert all(K.get_value(s).any() for s in frozen.states)
    assert all(np.array_equal(a, b) for a, b in zip(kept, wrapped.get_weights(), strict=True))
    model.reset_states()
    assert not any(K.get_value(s).any() for s in frozen.states)


def test_states_that_are_given():
    layer, model = made("LSTM")
    h, c = np.full((2, 4), 0.5), np.full((2, 4), -0.5)
    layer.reset_states([h, c])
    got = model.predict(X[:, :3])
    x, first, second = Input((3, 3)), Input((4,)), Input((4,))
    plain = layers.LSTM(4, return_sequences=True)
    other = Model([x, first, second], plain(x, initial_state=[first, second]))
    other.set_weights(model.get_weights())
    np.testing.assert_allclose(got, other.predict([X[:, :3], h, c]), rtol=1e-5, atol=1e-6)


def test_masked_steps_keep_the_states(each_backend):
    layer = layers.GRU(4, stateful=True)
    x = Input(batch_shape=(2, 3, 3))
    model = Model(x, layer(layers.Masking()(x)))
    padded = X[:, :3].copy()
    padded[:, 1:] = 0
    model.predict(padded)
    short = [K.get_value(s) for s in layer.states]
    model.reset_states()
    model.predict(np.concatenate([np.zeros((2, 2, 3)), X[:, :1]], 1))
    np.testing.assert_allclose([K.get_value(s) for s in layer.states], short, rtol=1e-6)


def test_states_that_do_not_fit_change_nothing():
    layer, model = made("LSTM")
    model.predict(X[:, :3])
    before = [K.get_value(s) for s in layer.states]
    for states, words in [
        ([np.zeros((2, 4))], "has 2 states, reset_states was given 1"),
        ([np.zeros((2, 4)), np.zeros((2, 5))], r"state 1 has the shape \(2, 4\), reset_states was given .*\(2, 5\)"),
    ]:
        with pytest.raises(ValueError, match=rf"layer {layer.name} \(LSTM\).*{words}"):
            layer.reset_states(states)
    assert all(np.array_equal(a, K.get_value(b)) for a, b in zip(before, layer.states))


def test_another_batch_size_is_refused():
    layer, _ = made("GRU")
    with pytest.raises(ValueError, match=r"layer gru_1 \(GRU\) expects .*size 2 along axis 0"):
        layer(Input(batch_shape=(3, 3, 3)))


def test_a_layer_that_is_not_stateful_has_no_states_to_reset():
    with pytest.raises(AttributeError, match=r"layer g \(GRU\) is not stateful; make it with stateful=True"):
        layers.GRU(2, name="g").reset_states()


@pytest.mark.parametrize("kind", ["SimpleRNN", "GRU", "LSTM"])
def test_a_batch_of_another_size_is_an_error(kind, each_backend):
    """PyTorch's LSTM read past the end of the states and ended the process."""
    _, model = made(kind)
    for count in (3, 8):
        with pytest.raises(ValueError, match=rf"\(2, 3, 3\), it was given \({count}, 3, 3\)"):
            model.predict_on_batch(np.ones((count, 3, 3)))
        with pytest.raises(ValueError, match=f"states of 2 samples, the batches have {count}"):
            model.predict(np.ones((count, 3, 3)), batch_size=count)
    assert model.predict(np.ones((4, 3, 3)), batch_size=2).shape == (4, 3, 4)


def test_batches_have_the_size_of_the_states_by_default(each_backend):
    x = Input(batch_shape=(4, 3, 2))
    model = Model(x, layers.Dense(1)(layers.LSTM(3, stateful=True)(x)))
    model.compile("sgd", "mse")
    data, targets = np.random.default_rng(0).normal(size=(8, 3, 2)), np.zeros((8, 1))
    assert model.predict(data).shape == (8, 1)
    model.reset_states()
    explicit = model.predict(data, batch_size=4)
    model.reset_states()
    np.testing.assert_array_equal(model.predict(data), explicit)
    assert np.isfinite(model.evaluate(data, targets))
    assert len(model.fit(data, targets, validation_data=(data, targets), verbose=0).history["val_loss"]) == 1
    with pytest.raises(ValueError, match="keeps states of 4 samples, the batches have 2; leave batch_size out"):
        model.fit(data, targets, batch_size=2, verbose=0)
    with pytest.raises(ValueError, match="7 samples cannot be cut into batches of that size"):
        model.fit(data[:7], targets[:7], verbose=0)


def test_inputs_of_a_fixed_batch_give_the_default_size(each_backend):
    x = Input(batch_shape=(4, 2))
    model = Model(x, x * 2.0)
    np.testing.assert_array_equal(model.predict(np.ones((8, 2))), np.full((8, 2), 2.0))
