"""Which variables belong to a model, and to a layer: what training changes, and what callbacks alone change."""

from __future__ import annotations

import numpy as np
import pytest

from kbackend import Input, K, Model, Sequential, layers

pytestmark = pytest.mark.usefixtures("each_backend")
X = np.random.default_rng(0).normal(size=(8, 3)).astype("float32")
Y = X.sum(1, keepdims=True)


@pytest.fixture
def alpha():
    return K.variable(0.5, name="alpha")


def named(variables):
    return ["alpha" if "alpha" in v.name else "other" for v in variables]


def trained(model):
    """Whether a training changes the variable alpha; all else is trained."""
    model.compile("sgd", "mse")
    before = [w.numpy() for w in model.trainable_weights]
    model.fit(X, Y, epochs=2, verbose=0)
    assert all((a != w.numpy()).any() for a, w in zip(before, model.trainable_weights))


def dense_after(make):
    x = Input((3,))
    h = layers.Dense(4)(x)
    return Model(x, layers.Dense(1)(make(h)))


class Scaled(layers.Layer):
    def __init__(self, read, **kwargs):
        super().__init__(**kwargs)
        self.read = read

    def call(self, inputs):
        return self.read() * inputs


KNOBS = {
    "lambda": lambda alpha: lambda h: layers.Lambda(lambda t: alpha * t)(h),
    "arguments": lambda alpha: lambda h: layers.Lambda(lambda t, by: by * t, arguments={"by": alpha})(h),
    "closure": lambda alpha: lambda h: Scaled(lambda: alpha)(h),
    "derived in a lambda": lambda alpha: lambda h: layers.Lambda(lambda t: K.exp(alpha) * t)(h),
    "stopped": lambda alpha: lambda h: h * K.stop_gradient(alpha),
    "stopped later": lambda alpha: lambda h: h + 0 * K.stop_gradient(h * alpha),
    "a condition": lambda alpha: lambda h: K.switch(alpha > 0.2, h, h * 2),
    "nested": lambda alpha: lambda h: Sequential([layers.Lambda(lambda t: alpha * t, input_shape=(4,))])(h),
}


@pytest.mark.parametrize("kind", KNOBS)
def test_a_knob_is_not_trained_and_turns(kind, alpha):
    model = dense_after(KNOBS[kind](alpha))
    assert named(model.weights) == ["other"] * 4 == named(model.trainable_weights)
    trained(model)
    assert float(K.get_value(alpha)) == 0.5
    before = model.predict(X)
    K.set_value(alpha, 0.1)
    assert kind == "stopped later" or not np.allclose(before, model.predict(X))


WEIGHTS = {
    "raw operation": lambda alpha: lambda h: h * alpha,
    "several": lambda alpha: lambda h: K.tanh(h * K.exp(K.square(alpha) + 1)),
    "in a model inside": lambda alpha: lambda h: _inner(alpha)(h),
    "an argument of a layer": lambda alpha: lambda h: layers.Multiply()([h, K.expand_dims(K.reshape(alpha, (1,)), 0)]),
    "attribute": lambda alpha: lambda h: _holding(Scaled(lambda: alpha), alpha)(h),
    "a lambda that is told": lambda alpha: lambda h: _told(layers.Lambda(lambda t: alpha * t), alpha)(h),
}


def _inner(alpha):
    z = Input((4,))
    return Model(z, z * alpha)


def _holding(layer, alpha):
    layer.alpha = alpha
    return layer


def _told(layer, alpha):
    layer.trainable_weights = [alpha]
    return layer


@pytest.mark.parametrize("kind", WEIGHTS)
def test_a_variable_of_a_raw_operation_or_a_layer_is_a_weight(kind, alpha):
    model = dense_after(WEIGHTS[kind](alpha))
    assert sorted(named(model.trainable_weights)) == ["alpha", *["other"] * 4]
    trained(model)
    assert float(K.get_value(alpha)) != 0.5


def test_a_variable_that_is_the_output_is_a_weight(alpha):
    x = Input((3,))
    model = Model(x, [layers.Dense(1)(x), alpha])
    assert sorted(named(model.weights)) == ["alpha", "other", "other"]


# ------------------------------------------------------------------------------ layers of older programs


class Old(layers.Layer):
    assign = True

    def build(self, input_shape):
        self.W = K.variable(np.ones((input_shape[-1], 2)), name="W")
        self.fixed = K.variable(np.ones((2,)), name="fixed")
        if self.assign:
            self.trainable_weights = [self.W]
        super().build(input_shape)

    def call(self, x, mask=None):
        return K.dot(x, self.W) + self.fixed


class OldLists(Old):
    def build(self, input_shape):
        super().build(input_shape)
        self.more = K.variable(np.ones((2,)), name="more")
        self._non_trainable_weights.append(self.more)

    def call(self, x, mask=None):
        return super().call(x) * self.more


class OldAppending(layers.Layer):
    def build(self, input_shape):
        W = K.variable(np.ones((input_shape[-1], 2)), name="W")
        self._trainable_weights.append(W)
        self.product = lambda x: K.dot(x, W)

    def call(self, x):
        return self.product(x)


@pytest.mark.parametrize(
    ("kind", "trainable", "others"), [(Old, ["W"], []), (OldLists, ["W"], ["more"]), (OldAppending, ["W"], [])]
)
def test_weights_that_a_layer_lists_are_its_weights(kind, trainable, others):
    x = Input((3,))
    layer = kind()
    model = Model(x, layer(x))
    assert [v.name.rpartition("/")[2] for v in layer.trainable_weights] == trainable
    assert [v.name.rpartition("/")[2] for v in model.non_trainable_weights] == others
    model.compile("sgd", "mse")
    model.train_on_batch(X, np.zeros((8, 2)))
    values = dict(zip([v.name.rpartition("/")[2] for v in model.weights], model.get_weights()))
    assert (values["W"] != 1).all() and all((values[name] == 1).all() for name in others)
    assert kind is not Old or (K.get_value(layer.fixed) == 1).all()


def test_weights_made_after_an_assignment_are_weights_too():
    layer = layers.Layer()
    kernel = layer.add_weight("kernel", (2,))
    layer.trainable_weights = []
    assert layer.weights == []
    bias = layer.add_weight("bias", (2,))
    assert layer.trainable_weights == [bias]
    layer.trainable_weights = [kernel]
    assert layer.trainable_weights == [kernel]
    layer.non_trainable_weights = [bias]
    assert layer.trainable_weights == [kernel] and layer.non_trainable_weights == [bias]


def test_what_is_no_variable_is_refused_as_a_weight():
    with pytest.raises(TypeError, match="layer own: weights are variables"):
        layers.Layer(name="own").trainable_weights = [np.ones(3)]


# ------------------------------------------------------------------------------------- updates as pairs


class Centers(layers.Layer):
    def __init__(self, form, **kwargs):
        super().__init__(**kwargs)
        self.form = form

    def build(self, input_shape):
        self.centers = self.add_weight(name="centers", shape=(3,), initializer="zeros", trainable=False)
        super().build(input_shape)

    def call(self, x):
        pair = (self.centers, self.centers + K.sum(x, axis=0))
        forms = {"pair": pair, "list": [pair], "tuple": (pair,), "update": K.update(*pair)}
        self.add_update(forms[self.form], x)
        return x - self.centers


@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize("form", ["pair", "list", "tuple", "update"])
def test_a_pair_is_an_update(form, nested):
    x, layer = Input((3,)), Centers(form)
    inner = Model(x, layer(x))
    z = Input((3,))
    model = Model(z, inner(z)) if nested else inner
    model.compile("sgd", lambda y, p: K.mean(p, axis=-1))
    assert len(layer.get_updates_for(x)) == 1 and len(model.updates) == 1
    model.train_on_batch(X, np.zeros((8, 1)))
    np.testing.assert_allclose(layer.get_weights()[0], X.sum(0), rtol=1e-5)
    model.predict(X)
    np.testing.assert_allclose(layer.get_weights()[0], X.sum(0), rtol=1e-5)


def test_a_model_takes_pairs_as_well():
    x, count = Input((3,)), K.variable(0.0)
    model = Model(x, layers.Dense(1)(x))
    model.compile("sgd", "mse")
    model.add_update((count, count + 2))
    model.train_on_batch(X, Y)
    assert K.get_value(count) == 2
