"""Values and metrics that layers and models show beside the loss."""

from __future__ import annotations

import numpy as np
import pytest
from support.arrays import rows

from kbackend import Input, K, Model, Sequential, layers, metrics

pytestmark = pytest.mark.usefixtures("engine")
X = rows(10, 3, seed=1)
Y = X.sum(axis=1, keepdims=True)


class Watched(layers.Layer):
    def call(self, inputs):
        self.add_metric(K.max(inputs), name="peak", aggregation="mean")
        return inputs


class Accurate(layers.Layer):
    """Holds a metric and calls it on tensors."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.error = metrics.MeanAbsoluteError(name="inner_error")

    def call(self, inputs):
        shown = self.error(K.zeros_like(inputs), inputs)
        self.add_metric(shown)
        return inputs


def peaks(size):
    return [X[i : i + size].max() for i in range(0, len(X), size)]


def test_a_value_is_the_mean_over_the_batches_of_an_epoch(each_backend):
    model = Sequential([Watched(input_shape=(3,)), layers.Dense(1)])
    model.compile("sgd", "mse", metrics=["mae"])
    assert model.metrics_names == ["loss", "mae", "peak"]
    assert [m.name for m in model.metrics] == ["peak"]
    history = model.fit(X, Y, batch_size=4, epochs=2, shuffle=False, verbose=0, validation_data=(X[:4], Y[:4])).history
    np.testing.assert_allclose(history["peak"], [np.mean(peaks(4))] * 2, rtol=1e-6)  # new in each epoch
    np.testing.assert_allclose(history["val_peak"], [X[:4].max()] * 2, rtol=1e-6)
    np.testing.assert_allclose(model.evaluate(X, Y, batch_size=5)[2], np.mean(peaks(5)), rtol=1e-6)
    assert model.train_on_batch(X[:4], Y[:4], return_dict=True)["peak"] == pytest.approx(X[:4].max())
    together = [model.train_on_batch(X[i : i + 4], Y[i : i + 4], reset_metrics=False)[2] for i in (0, 4)]
    assert together[1] == pytest.approx(np.mean(peaks(4)[:2]))
    weighted = model.test_on_batch(X, Y, sample_weight=np.zeros(10), return_dict=True)
    assert weighted["loss"] == 0 and weighted["peak"] == pytest.approx(X.max())


def test_a_metric_that_is_called_on_tensors(each_backend):
    layer = Accurate()
    x = Input((3,))
    model = Model(x, layers.Dense(1)(layer(x)))
    model.compile("sgd", "mse")
    assert model.metrics_names == ["loss", "inner_error"] and model.metrics == [layer.error]
    assert layer.metrics == [layer.error]
    assert model.evaluate(X, Y, batch_size=3)[1] == pytest.approx(np.abs(X).mean(), rel=1e-6)
    assert float(np.asarray(layer.error.result())) == pytest.approx(np.abs(X).mean(), rel=1e-6)


def test_metrics_in_attributes_come_before_those_that_are_added():
    class Both(Accurate):
        def call(self, inputs):
            self.add_metric(K.max(inputs), name="peak")
            return super().call(inputs)

    model = Sequential([Both(input_shape=(3,)), layers.Dense(1)])
    model.compile("sgd", "mse")
    assert model.metrics_names == ["loss", "inner_error", "peak"]
    np.testing.assert_allclose(model.evaluate(X, Y)[1:], [np.abs(X).mean(), X.max()], rtol=1e-6)


def test_update_state_alone_is_taken_along_too():
    class Silent(Accurate):
        def call(self, inputs):
            self.error.update_state(K.zeros_like(inputs), inputs)
            return inputs

    model = Sequential([Silent(input_shape=(3,)), layers.Dense(1)])
    model.compile("sgd", "mse")
    assert model.evaluate(X, Y)[1] == pytest.approx(np.abs(X).mean(), rel=1e-6)


def test_the_result_inside_call_is_that_with_the_batch():
    class Shows(Accurate):
        def call(self, inputs):
            return inputs * 0.0 + self.error(K.zeros_like(inputs), inputs)

    x = Input((3,))
    f = K.function([x], [Shows()(x)])
    assert f([X])[0][0, 0] == pytest.approx(np.abs(X).mean(), rel=1e-6)


def test_calls_of_one_layer_are_taken_together(each_backend):
    layer, error = Watched(), Accurate()
    a, b = Input((3,)), Input((3,))
    joined = layers.Concatenate()([error(layer(a)), error(layer(b))])
    model = Model([a, b], layers.Dense(1)(joined))
    model.compile("sgd", "mse")
    found = model.evaluate([X, 2 * X], Y, return_dict=True)
    assert found["peak"] == pytest.approx((X.max() + (2 * X).max()) / 2, rel=1e-6)
    assert found["inner_error"] == pytest.approx(1.5 * np.abs(X).mean(), rel=1e-6)


def test_names_that_are_taken_get_numbers():
    x = Input((3,))
    model = Model(x, layers.Dense(1)(Watched()(Watched()(x) * 2.0)))
    model.compile("sgd", "mse")
    assert model.metrics_names == ["loss", "peak", "peak_1"]
    found = model.evaluate(X, Y, return_dict=True)
    assert found["peak"] * 2 == pytest.approx(found["peak_1"])


def test_a_model_is_given_metrics(each_backend):
    x = Input((3,))
    h = layers.Dense(2, kernel_initializer="ones")(x)
    model = Model(x, layers.Dense(1)(h))
    model.add_metric(K.mean(h), name="middle", aggregation="mean")
    model.compile("sgd", "mse")
    assert model.evaluate(X, Y, return_dict=True)["middle"] == pytest.approx(X.sum(axis=1).mean(), rel=1e-5)
    y = Input((3,))
    around = Model(y, model(y * 2.0))
    around.compile("sgd", "mse")
    assert around.evaluate(X, Y, return_dict=True)["middle"] == pytest.approx(2 * X.sum(axis=1).mean(), rel=1e-5)


def test_in_a_model_that_defines_call(each_backend):
    class Own(Model):
        def __init__(self, ask):
            super().__init__()
            self.watched, self.dense, self.ask = Watched(), layers.Dense(1), ask
            self.mean = metrics.Mean(name="level")

        def call(self, inputs, training=None):
            h = self.watched(inputs)
            if self.ask and training:
                h = h * 1.0
            self.mean(h)
            self.add_metric(K.min(h), name="least")
            return self.dense(h)

    for ask in (False, True):
        model = Own(ask)
        model.compile("sgd", "mse")
        found = model.evaluate(X, Y, return_dict=True)
        assert found["peak"] == pytest.approx(X.max()) and found["least"] == pytest.approx(X.min())
        assert found["level"] == pytest.approx(X.mean(), abs=1e-6)
        assert set(model.fit(X, Y, verbose=0).history) == {"loss", "peak", "level", "least"}
        assert {m.name for m in model.metrics} == {"peak", "level", "least"}
        x = Input((3,))
        around = Model(x, model(x))
        around.compile("sgd", "mse")
        assert around.evaluate(X, Y, return_dict=True)["peak"] == pytest.approx(X.max())


def test_other_metrics_in_training_than_in_tests_are_refused():
    class Own(Model):
        def call(self, inputs, training=None):
            if training:
                self.add_metric(K.max(inputs), name="peak")
            return inputs

    with pytest.raises(ValueError, match=r"\(Own\).*with training=True \(peak\).*training=False \(none\)"):
        Own().predict(X)


def test_a_frozen_layer_shows_what_inference_gives(each_backend):
    x = Input((3,))
    norm = layers.BatchNormalization()
    model = Model(x, layers.Dense(1)(Watched()(norm(x))))
    norm.trainable = False
    model.compile("sgd", "mse")
    shown = model.train_on_batch(X, Y, return_dict=True)["peak"]
    assert shown == pytest.approx(X.max() / np.sqrt(1.001), rel=1e-5)


def test_losses_and_metrics_without_a_loss_of_compile(each_backend):
    class Own(layers.Layer):
        def call(self, inputs):
            self.add_loss(K.mean(K.square(inputs)))
            self.add_metric(K.max(inputs), name="peak")
            return inputs

    model = Sequential([Own(input_shape=(3,))])
    model.compile("sgd")
    loss, peak = model.evaluate(X)
    assert loss == pytest.approx(np.mean(X**2), rel=1e-5) and peak == pytest.approx(X.max())


def test_wrong_metrics_are_refused():
    def calling(act):
        class Own(layers.Layer):
            def call(self, inputs):
                act(self, inputs)
                return inputs

        return Own(name="own")(Input((3,)))

    with pytest.raises(ValueError, match=r"own \(Own\) called on .*: add_metric needs a name"):
        calling(lambda self, x: self.add_metric(K.max(x)))
    with pytest.raises(ValueError, match=r"aggregation of add_metric must be 'mean' or None, it is 'sum'"):
        calling(lambda self, x: self.add_metric(K.max(x), "peak", "sum"))
    with pytest.raises(ValueError, match=r"'mean' \(the value is no result of a metric\)"):
        calling(lambda self, x: self.add_metric(K.max(x), "peak", None))
    with pytest.raises(TypeError, match=r"own \(Own\) called on .*: add_metric takes a symbolic tensor, not 3"):
        calling(lambda self, x: self.add_metric(3, name="peak"))
    with pytest.raises(TypeError, match="changes no state"):
        metrics.Mean()(Input((3,)))


def test_the_order_is_compiled_own_and_those_of_layers():
    class Summed(layers.Layer):
        def call(self, inputs):
            self.add_metric(K.sum(inputs), name="of_layer")
            return inputs * 2.0

    x = Input((2,))
    model = Model(x, Summed()(x))
    model.add_metric(K.sum(model.output), name="own")
    model.compile("sgd", "mse", metrics=[metrics.MeanSquaredError("compiled")])
    assert [m.name for m in model.metrics] == ["compiled", "own", "of_layer"]
    assert model.metrics_names == ["loss", "compiled", "own", "of_layer"]
