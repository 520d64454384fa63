"""Layers that are not trainable: their weights and averages rest, and BatchNormalization uses its averages."""

from __future__ import annotations

import numpy as np
import pytest

from kbackend import Input, K, Model, Sequential, layers, optimizers

pytestmark = pytest.mark.usefixtures("engine")
RNG = np.random.default_rng(0)
X = RNG.normal(2.0, 3.0, size=(16, 4)).astype("float32")
Y = RNG.normal(size=(16, 2)).astype("float32")
ONES = np.ones((16, 1), "float32")
ZEROS = np.zeros((16, 1), "float32")


class Wrapped(layers.Layer):
    """A layer of one's own around another."""

    def __init__(self, inner, **kwargs):
        super().__init__(**kwargs)
        self.inner = inner

    def call(self, inputs):
        return self.inner(inputs)


def normalized(kind):
    """A layer that normalizes, and the BatchNormalization in it; the layer is the one that is frozen."""
    norm = layers.BatchNormalization(name="norm")
    if kind == "alone":
        return norm, norm
    if kind == "in a layer":
        return Wrapped(norm, name="outer"), norm
    if kind == "in a model":
        return Sequential([layers.Activation("linear", input_shape=(4,)), norm]), norm
    if kind == "in a model without a shape":
        return Sequential([norm]), norm
    inner = Sequential([norm])
    x = Input((4,))
    return Model(x, Wrapped(inner)(x)), norm


KINDS = ["alone", "in a layer", "in a model", "in a model without a shape", "in all of them"]


def trained_on(outer, norm, mean=None):
    x = Input((4,))
    model = Model(x, layers.Dense(2, kernel_initializer="ones")(outer(x)))
    if mean is not None:
        norm.set_weights([*norm.get_weights()[:2], np.full(4, mean, "float32"), np.full(4, 9.0, "float32")])
    return model


@pytest.mark.parametrize("kind", KINDS)
def test_a_frozen_normalization_trains_as_it_predicts(each_backend, kind):
    outer, norm = normalized(kind)
    model = trained_on(outer, norm, 2.0)
    outer.trainable = False
    model.compile(optimizers.SGD(0.125), "mse")
    start = norm.get_weights()
    expected = float(np.mean((model.predict(X) - Y) ** 2))
    assert model.train_on_batch(X, Y) == pytest.approx(expected, rel=1e-5)
    for before, after in zip(start, norm.get_weights(), strict=True):
        assert before.tobytes() == after.tobytes()


@pytest.mark.parametrize("kind", KINDS)
def test_a_normalization_set_free_trains_by_the_batch_again(kind):
    outer, norm = normalized(kind)
    model = trained_on(outer, norm, 0.0)
    outer.trainable = False
    model.compile(optimizers.SGD(0.0), "mse")
    frozen = model.train_on_batch(X, Y)
    outer.trainable = True
    assert model.train_on_batch(X, Y) == frozen  # until the next compile
    model.compile(optimizers.SGD(0.0), "mse")
    scores = (X - X.mean(0)) / np.sqrt(X.var(0) + norm.epsilon)
    expected = np.mean((scores.sum(1, keepdims=True) - Y) ** 2)
    assert model.train_on_batch(X, Y) == pytest.approx(float(expected), rel=1e-4)
    assert not (norm.get_weights()[2] == 0.0).any()


def test_the_gradient_of_what_comes_before_goes_through_the_moving_averages(each_backend):
    x = Input((4,))
    dense, norm = layers.Dense(2, kernel_initializer="ones"), layers.BatchNormalization(trainable=False)
    model = Model(x, norm(dense(x)))
    model.compile(optimizers.SGD(1.0), "mse")
    model.train_on_batch(X, Y)
    scale = 1 / np.sqrt(1 + norm.epsilon)
    error = X.sum(1, keepdims=True) * scale - Y
    expected = 1 - X.T @ error * scale / len(X)
    np.testing.assert_allclose(dense.get_weights()[0], expected, rtol=2e-5)


def test_a_fixed_phase_does_not_set_a_frozen_normalization_free():
    x = Input((4,))
    norm = layers.BatchNormalization()
    model = Model(x, layers.Dense(2)(norm(x, training=True)))
    norm.trainable = False
    model.compile(optimizers.SGD(0.0), "mse")
    kernel, bias = model.layers[-1].get_weights()
    expected = np.mean((X / np.sqrt(1 + norm.epsilon) @ kernel + bias - Y) ** 2)
    assert model.train_on_batch(X, Y) == pytest.approx(float(expected), rel=1e-5)


def test_a_normalization_frozen_by_one_of_its_models_is_frozen_in_it_alone():
    norm = layers.BatchNormalization()
    x = Input((4,))
    inner = Model(x, norm(x))
    outer = Model(x, layers.Dense(2)(inner(norm(x))))
    inner.trainable = False
    outer.compile(optimizers.SGD(0.0), "mse")
    outer.train_on_batch(X, Y)
    assert not (norm.get_weights()[2] == 0.0).any()  # moved by its own call
    np.testing.assert_allclose(norm.get_weights()[2], 0.01 * X.mean(0), rtol=1e-4)  # and by that alone


def test_losses_masks_and_metrics_follow_a_frozen_normalization():
    x = Input((3, 4))
    masked = layers.Masking()(x)
    norm = layers.BatchNormalization(trainable=False)
    out = norm(masked)
    model = Model(x, out)
    model.add_loss(K.mean(out))
    model.compile(optimizers.SGD(0.0), "mse", metrics=["mae"])
    data = RNG.normal(size=(5, 3, 4)).astype("float32")
    data[:, 2] = 0
    zeros = np.zeros_like(data)
    found = model.train_on_batch(data, zeros)
    assert found == pytest.approx(model.test_on_batch(data, zeros), rel=1e-5)


def test_adversarial_training_with_normalization(each_backend):
    judge = Sequential([
        layers.Dense(8, input_shape=(4,)),
        layers.BatchNormalization(),
        layers.LeakyReLU(),
        layers.Dense(1, activation="sigmoid"),
    ])
    judge.compile(optimizers.SGD(0.125), "binary_crossentropy")
    forger = Sequential([layers.Dense(8, input_shape=(3,)), layers.BatchNormalization(), layers.Dense(4)])
    judge.trainable = False
    noise = Input((3,))
    both = Model(noise, judge(forger(noise)))
    both.compile(optimizers.SGD(0.125), "binary_crossentropy")
    for _ in range(3):
        before = judge.get_weights()
        judge.train_on_batch(X, ONES)
        judge.train_on_batch(forger.predict(X[:, :3]), ZEROS)
        judged, forged = judge.get_weights(), forger.get_weights()
        assert all((a != b).any() for a, b in zip(before, judged, strict=True))
        both.train_on_batch(X[:, 1:], ONES)
        assert all((a == b).all() for a, b in zip(judged, judge.get_weights(), strict=True))
        assert all((a != b).any() for a, b in zip(forged, forger.get_weights(), strict=True))


def test_a_frozen_layer_around_others_freezes_their_updates():
    norm = layers.BatchNormalization()
    outer = Wrapped(norm)
    x = Input((4,))
    model = Model(x, outer(x))
    count = K.variable(0.0)
    norm.add_update(K.update_add(count, 1.0))
    assert len(model.updates) == len(outer.updates) == 3
    outer.trainable = False
    assert model.updates == outer.updates == [] and model.trainable_weights == []


def test_a_model_built_inside_a_layer_keeps_its_updates_and_losses():
    class Own(layers.Layer):
        def build(self, input_shape):
            self.net = Sequential([
                layers.BatchNormalization(input_shape=input_shape[1:]),
                layers.Dense(2, activity_regularizer="l2"),
            ])
            self.add_loss(K.constant(7.0))
            super().build(input_shape)

        def call(self, inputs):
            return self.net(inputs)

    x = Input((4,))
    own = Own()
    model = Model(x, own(x))
    assert len(own.net._topology.calls) == 2
    assert len(model.updates) == 2 and len(model.losses) == 2
    again = own(Input((4,)))
    assert again.history.index == 1 and own.get_losses_for(None) == [own._losses[0].tensor]
