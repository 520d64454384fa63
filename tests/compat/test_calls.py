"""Calls of layers, models, initializers, metrics and callbacks as in Keras 2.3, and helpers that programs imported."""

from __future__ import annotations

import importlib

import numpy as np
import pytest

import kbackend
from kbackend import K, callbacks, compat, initializers, layers, losses, metrics, models

pytestmark = pytest.mark.usefixtures("engine")
X = np.arange(12.0).reshape(6, 2)


@pytest.fixture
def hook():
    compat.install()
    yield
    compat.uninstall()


def doubled():
    """A model with its output in a list; the kernel is 2."""
    x = kbackend.Input((2,))
    y = layers.Dense(1, use_bias=False, weights=[np.full((2, 1), 2.0)], activity_regularizer=lambda t: K.sum(t))(x)
    return kbackend.Model([x], [y])


def test_models_with_one_output_in_a_list_give_a_tensor(hook):
    inner = doubled()
    x, steps = kbackend.Input((2,)), kbackend.Input((3, 2))
    outer = kbackend.Model([x], [inner(x)])
    outer.compile("sgd", loss=None)
    assert outer.evaluate(np.ones((1, 2)), verbose=0) == 4.0
    assert inner.compute_output_shape((None, 2)) == (None, 1)
    assert layers.TimeDistributed(inner)(steps).shape == (None, 3, 1)
    stack = models.Sequential([doubled(), layers.Lambda(lambda t: [t * 10])])
    np.testing.assert_array_equal(stack.predict(X), X.sum(1, keepdims=True) * 20)
    compat.uninstall()
    assert [t.shape for t in doubled()(x)] == [(None, 1)]


@pytest.mark.parametrize("name", ["RandomNormal", "TruncatedNormal", "RandomUniform", "HeNormal", "Orthogonal"])
def test_seeded_initializers_draw_anew_with_the_next_seed(hook, name):
    def values(initializer):
        return K.eval(initializer((2, 3)))

    kind = getattr(initializers, name)
    seeded = kind(seed=4)
    first, second = values(seeded), values(seeded)
    assert not np.array_equal(first, second) and seeded.get_config()["seed"] == 6
    np.testing.assert_array_equal(first, values(kind(seed=4)))
    np.testing.assert_array_equal(second, values(kind(seed=5)))
    of_weights = kind(seed=4)
    weights = [layers.Layer().add_weight((2, 3), initializer=of_weights) for _ in range(2)]
    for weight, expected in zip(weights, (first, second), strict=True):
        np.testing.assert_array_equal(weight.numpy(), expected)


class Watched:
    """A model whose weights are the number of the epoch."""

    stop_training = False
    weights = None

    def get_weights(self):
        return self.weights

    def set_weights(self, weights):
        self.weights = weights


def watch(values, patience):
    stop = callbacks.EarlyStopping("loss", patience=patience, restore_best_weights=True)
    model = Watched()
    stop.set_model(model)
    stop.on_train_begin()
    seen = []
    for epoch, value in enumerate(values):
        model.weights = [epoch]
        stop.on_epoch_end(epoch, {"loss": value})
        seen.append(model.weights)
        if model.stop_training:
            break
    stop.on_train_end()
    return seen, model.weights


def test_early_stopping_restores_where_it_stops_and_there_alone(hook):
    assert watch([3.0, 1.0, 2.0, 2.0, 0.0], 2) == ([[0], [1], [2], [1]], [1])
    assert watch([3.0, 1.0, 2.0], 5) == ([[0], [1], [2]], [2])
    compat.uninstall()
    assert watch([3.0, 1.0, 2.0], 5) == ([[0], [1], [2]], [1])


def test_models_take_results_of_metrics_on_their_tensors(hook, each_backend):
    x = kbackend.Input((2,))
    y = layers.Dense(1, use_bias=False, weights=[np.ones((2, 1))])(x)
    model = kbackend.Model(x, y)
    model.add_metric(K.max(y), name="largest")
    model.add_metric(metrics.Mean(name="mean")(y))
    model.compile("sgd", "mse")
    assert model.metrics_names == ["loss", "largest", "mean"]
    _, largest, mean = model.evaluate(X, np.zeros((6, 1)), batch_size=3, verbose=0)
    assert largest == pytest.approx((9 + 21) / 2) and mean == pytest.approx(X.sum(1).mean())
    compat.uninstall()
    with pytest.raises(TypeError, match="symbolic"):
        metrics.Mean()(y)


def test_activations_of_layers_are_those_of_the_module(hook):
    import keras

    dense = layers.Dense(2, activation="relu")
    assert dense.activation is keras.activations.relu is keras.activations.get("relu")
    assert dense.get_config()["activation"] == "relu"
    again = layers.deserialize(layers.serialize(dense))
    assert again.activation is keras.activations.relu


def test_params_are_given_when_a_training_starts_and_not_before(hook):
    told = []

    class Params(callbacks.Callback):
        def set_params(self, params):
            super().set_params(params)
            told.append((params["steps"], params["samples"], params["metrics"]))

    model = models.Sequential([layers.Dense(1, input_shape=(2,))])
    model.compile("sgd", "mse")
    model.fit(X, X[:, :1], batch_size=3, verbose=0, callbacks=[Params()])
    assert told == [(2, 6, ["loss"])]


HELPERS = [
    ("keras.engine.training_utils", "make_batches"),
    ("keras.engine.training", "_make_batches"),
    ("keras.engine.training", "_slice_arrays"),
    ("keras.engine.training_utils", "batch_shuffle"),
    ("keras.initializers", "_compute_fans"),
    ("keras.utils.losses_utils", "Reduction"),
]


def test_helpers_that_programs_imported(hook):
    found = {name: getattr(importlib.import_module(module), name) for module, name in HELPERS}
    assert found["make_batches"](5, 2) == found["_make_batches"](5, 2) == [(0, 2), (2, 4), (4, 5)]
    assert [part.tolist() for part in found["_slice_arrays"]([X[:, 0], X[:, 1]], 1, 3)] == [[2, 4], [3, 5]]
    order = found["batch_shuffle"](np.arange(7), 3)
    assert order[6] == 6 and sorted(tuple(order[i : i + 3]) for i in (0, 3)) == [(0, 1, 2), (3, 4, 5)]
    fans = found["_compute_fans"]
    assert fans((7, 5)) == (7, 5) and fans((3, 3, 2, 4)) == fans((4, 2, 3, 3), "channels_first") == (18, 36)
    assert fans((9,)) == (3, 3)
    with pytest.raises(ValueError, match="'last'"):
        fans((3, 2, 4), "last")
    assert found["Reduction"].SUM == "sum"


def test_metrics_and_losses_take_tensors_of_known_values(hook, each_backend):
    truth, guess = K.constant([0, 0, 1, 1]), K.constant([0.0, 1.0, 0.0, 1.0])
    weights = K.constant([0.2, 0.3, 0.4, 0.1])
    iou = metrics.MeanIoU(num_classes=2)
    expected = (0.2 / (0.6 + 0.5 - 0.2) + 0.1 / (0.4 + 0.5 - 0.1)) / 2
    assert float(K.eval(iou(truth, guess, sample_weight=weights))) == pytest.approx(expected, rel=1e-5)
    recall = metrics.Recall()
    assert float(K.eval(recall(truth, guess))) == 0.5 and float(K.eval(recall(truth, truth))) == 0.75
    mse = losses.MeanSquaredError()(K.constant([[1.0], [3.0]]), K.constant([[2.0], [5.0]]), sample_weight=2.0)
    assert float(K.eval(mse)) == 5.0
    compat.uninstall()
    assert metrics.MeanIoU(num_classes=2).dtype == "int32"


def test_rates_at_the_nearest_threshold(hook):
    truth, guess = [0, 0, 0, 0, 0, 1, 1, 1, 1, 1], [0.0, 0.1, 0.2, 0.3, 0.4, 0.1, 0.45, 0.5, 0.8, 0.9]
    assert float(metrics.SpecificityAtSensitivity(0.8)(truth, guess)) == pytest.approx(0.4)
    compat.uninstall()
    assert float(metrics.SpecificityAtSensitivity(0.8)(truth, guess)) == pytest.approx(1.0)


def test_configurations_have_dtypes_with_attributes():
    pytest.importorskip("yaml")
    compat.install(report_backend="tensorflow")
    try:
        model = models.Sequential([layers.Dense(1, input_shape=(2,))])
        again = models.model_from_yaml(model.to_yaml())
        assert again.input.dtype.name == "float32"
        assert again.get_config() == model.get_config() == models.model_from_json(model.to_json()).get_config()
    finally:
        compat.uninstall()


def test_gpus_by_the_function_that_programs_call(hook):
    from keras import backend

    assert backend.tensorflow_backend._get_available_gpus() == []
