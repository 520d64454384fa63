"""Calls that ask for the learning phase."""

from __future__ import annotations

import numpy as np
import pytest
from support.arrays import rows

from kbackend import Input, K, Model, Sequential, layers

pytestmark = pytest.mark.usefixtures("engine")
X = rows(20, 3, seed=1)


class Branching(Model):
    def __init__(self):
        super().__init__()
        self.drop = layers.Dropout(0.5)

    def call(self, inputs, training=None):
        return self.drop(inputs, training=True) if training else inputs


def test_training_false_and_true_fix_the_phase():
    model = Branching()
    x = Input((3,))
    drawn = K.function([x, K.learning_phase()], [model(x, training=True)])
    still = K.function([x, K.learning_phase()], [model(x, training=False)])
    assert (drawn([X, 0])[0] != drawn([X, 0])[0]).any()
    np.testing.assert_array_equal(still([X, 1])[0], still([X, 0])[0])


def test_masks_of_both_phases():
    class Outer(Model):
        def call(self, inputs, training=None):
            first = layers.Masking()(inputs)
            return first if training else layers.Masking(mask_value=3.0)(inputs)

    x = Input((3, 1))
    model = Outer()
    made = model(x)
    values = np.array([[[1.0], [0.0], [3.0]]])
    f = K.function([x, K.learning_phase()], [made._keras_mask])
    assert f([values, 1])[0].tolist() == [[True, False, True]]
    assert f([values, 0])[0].tolist() == [[True, True, False]]


def test_what_call_asks_of_the_phase():
    seen = []

    class Asks(layers.Layer):
        def call(self, inputs, training=None):
            seen.append(training)
            if not training:
                return inputs
            return inputs * 10.0

    class Compares(layers.Layer):
        def call(self, inputs, training=None):
            return inputs * 10.0 if training == True else inputs  # noqa: E712

    class Passes(layers.Layer):
        def call(self, inputs, training=None):
            return K.in_train_phase(inputs * 10.0, inputs, training=training)

    x = Input((1,))
    for kind in (Asks, Compares, Passes):
        f = K.function([x, K.learning_phase()], [kind()(x)])
        assert f([[[2.0]], 1])[0] == 20.0 and f([[[2.0]], 0])[0] == 2.0
    assert seen[1:] == [True, False]
    with pytest.raises(TypeError, match="the learning phase has no truth value"):
        bool(K.learning_phase())


def test_inner_layers_that_ask_are_built_once_and_in_linear_time():
    runs = []

    class Deep(layers.Layer):
        def __init__(self, depth):
            super().__init__()
            self.inner = Deep(depth - 1) if depth else layers.Dense(2)

        def call(self, inputs, training=None):
            runs.append(1)
            h = self.inner(inputs)
            return h * 2.0 if training else h

    counts = []
    for depth in (4, 8):
        runs.clear()
        layer = Deep(depth)
        x = Input((2,))
        f = K.function([x, K.learning_phase()], [layer(x)])
        ones = np.ones((1, 2))
        np.testing.assert_allclose(f([ones, 1])[0], f([ones, 0])[0] * 2.0 ** (depth + 1), rtol=1e-5)
        assert len(layer.weights) == 2
        counts.append(len(runs))
    assert counts[1] < 5 * counts[0]  # quadratic at most: 2 ** depth would be 16 times


def test_what_a_call_adds_before_it_asks_counts_once(each_backend):
    class Adds(layers.Layer):
        def __init__(self):
            super().__init__()
            self.count = K.variable(0.0, name="count")
            self.count.trainable = False

        def call(self, inputs, training=None):
            self.add_loss(K.mean(inputs))
            self.add_update(K.update_add(self.count, 1.0))
            if training:
                self.add_loss(10.0 * K.mean(inputs))
            return inputs * 1.0

    for kind in (lambda layer: Sequential([layer]), lambda layer: Calling(layer)):
        layer = Adds()
        model = kind(layer)
        model.build((None, 3))
        model.compile("sgd")
        assert model.evaluate(X) == pytest.approx(X.mean(), rel=1e-4)
        assert model.train_on_batch(X) == pytest.approx(11 * X.mean(), rel=1e-4)
        assert float(K.get_value(layer.count)) == 1.0 and len(model.losses) == 2


def test_the_draws_of_a_run_that_is_repeated_are_forgotten():
    class Draws(layers.Layer):
        def call(self, inputs, training=None):
            noise = K.random_normal(K.shape(inputs))
            return inputs + noise if training else inputs

    layer = Draws()
    layer(Input((3,)))
    assert len(layer._calls[0].draws) == 2  # one for each phase


class Calling(Model):
    def __init__(self, layer):
        super().__init__()
        self.layer = layer

    def call(self, inputs):
        return self.layer(inputs)


def test_results_that_differ_between_the_phases_are_refused():
    class Odd(Model):
        def call(self, inputs, training=None):
            return [inputs, inputs] if training else inputs

    with pytest.raises(ValueError, match=r"\(Odd\).*training=True and .* training=False.*same structure"):
        Odd().predict(X)

    class Ranks(Model):
        def call(self, inputs, training=None):
            return K.sum(inputs) if training else inputs

    with pytest.raises(ValueError, match=r"\(Ranks\).*same rank and dtype"):
        Ranks().predict(X)
