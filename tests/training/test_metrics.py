"""Metrics, losses and averages of weights in compile, fit, evaluate and steps one by one."""

from __future__ import annotations

import numpy as np
import pytest

import kbackend
from kbackend import Input, K, Model, layers, losses, metrics, optimizers

RNG = np.random.default_rng(2)
X = RNG.normal(size=(50, 4)).astype(np.float32)
Y = (X.sum(1, keepdims=True) > 0.3).astype(np.float32)
WEIGHTS = RNG.uniform(0, 2, 50).astype(np.float32)
START = [RNG.normal(size=(4, 1)).astype(np.float32), np.zeros(1, np.float32)]


def classifier(make_input, dense, model):
    x = make_input((4,))
    made = model(x, dense(1, activation="sigmoid", name="p")(x))
    made.set_weights(START)
    return made


def ours():
    return classifier(Input, layers.Dense, Model)


def of_keras(keras):
    return classifier(keras.Input, keras.layers.Dense, keras.Model)


def wanted(library):
    return [
        library.AUC(name="auc"), library.Precision(name="precision"), library.Recall(thresholds=0.4, name="recall"),
        library.BinaryAccuracy(name="ba"),
    ]


def test_a_fit_gives_what_keras_gives(each_backend, keras):
    histories = []
    options = {"batch_size": 8, "epochs": 3, "verbose": 0, "shuffle": False}
    for model, library in ((of_keras(keras), keras), (ours(), kbackend)):
        model.compile(
            library.optimizers.SGD(0.5), library.losses.BinaryCrossentropy(), metrics=wanted(library.metrics),
            weighted_metrics=[library.metrics.AUC(name="weighted_auc")],
        )
        found = model.fit(X, Y, validation_data=(X[:20], Y[:20]), sample_weight=WEIGHTS, **options).history
        values = model.evaluate(X, Y, sample_weight=WEIGHTS, verbose=0, return_dict=True)
        histories.append((found, values))
    for theirs, mine in zip(*histories):
        assert set(theirs) == set(mine)
        for name, value in theirs.items():
            # Keras's loss is the mean of the weighted losses over the batches of 8, 8, ... and 2, as ours
            np.testing.assert_allclose(mine[name], value, rtol=3e-5, atol=1e-6, err_msg=name)


def test_names_and_results(each_backend):
    model = ours()
    model.compile("sgd", "binary_crossentropy", metrics=["acc", metrics.AUC(), "mse", "Precision"])
    assert model.metrics_names == ["loss", "acc", "auc", "mse", "precision"]
    assert [m.name for m in model.metrics] == ["auc", "precision"]
    logs = model.fit(X, Y, verbose=0, validation_split=0.5).history
    assert list(logs) == [p + n for p in ("", "val_") for n in model.metrics_names]
    listed, named = model.evaluate(X, Y), model.evaluate(X, Y, return_dict=True)
    assert listed == list(named.values()) and list(named) == model.metrics_names


def test_steps_one_by_one_and_resets(each_backend):
    model = ours()
    model.compile(optimizers.SGD(0.0), "mse", metrics=[metrics.TruePositives(name="tp"), "mae"])
    chances = model.predict(X)[:, 0]
    right = (chances > 0.5) & (Y[:, 0] == 1)
    error = np.abs(chances - Y[:, 0])
    for i in (0, 10):
        found = model.train_on_batch(X[i : i + 10], Y[i : i + 10], return_dict=True)
        assert found["tp"] == right[i : i + 10].sum()
    model.reset_metrics()
    for stop in (10, 20, 30):
        found = model.test_on_batch(X[stop - 10 : stop], Y[stop - 10 : stop], reset_metrics=False, return_dict=True)
        assert found["tp"] == right[:stop].sum()
        assert found["mae"] == pytest.approx(error[:stop].mean(), rel=1e-5)
    model.reset_metrics()
    assert model.test_on_batch(X[:10], Y[:10], reset_metrics=False)[1] == right[:10].sum()


def test_no_step_reads_a_result(each_backend, monkeypatch):
    """Results are read at the end of an epoch, and where a callback looks."""
    from kbackend.training.steps import Step

    read = []
    original = Step._results
    monkeypatch.setattr(Step, "_results", lambda self, target: read.append(1) or original(self, target))
    model = ours()
    model.compile("sgd", "mse", metrics=[metrics.AUC()])
    model.fit(X, Y, batch_size=5, epochs=2, verbose=0)
    assert len(read) == 2


class Gap(metrics.Metric):
    """The means of targets and predictions."""

    def __init__(self, name="gap", dtype=None):
        super().__init__(name=name, dtype=dtype)
        self.sums = self.add_weight((2,), "zeros", name="sums")

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.sums.assign_add(K.stack([K.sum(y_true), K.sum(y_pred)]))

    def result(self):
        return {"targets": self.sums[0], "predictions": self.sums[1]}


def test_a_metric_of_ones_own_with_several_results(each_backend):
    model = ours()
    model.compile(optimizers.SGD(0.0), "mse", metrics=[Gap(), "mae"])
    assert model.metrics_names == ["loss", "targets", "predictions", "mae"]
    found = model.evaluate(X, Y, batch_size=7, return_dict=True)
    assert found["targets"] == Y.sum()
    assert found["predictions"] == pytest.approx(model.predict(X).sum(), rel=1e-5)


def test_several_outputs_have_states_of_their_own(each_backend):
    x = Input((4,))
    model = Model(x, [layers.Dense(1, name="a")(x), layers.Dense(1, name="b")(x)])
    model.compile(
        optimizers.SGD(0.0), ["mse", losses.Huber(delta=0.1)],
        metrics={"a": [metrics.MeanSquaredError(name="m")], "b": [metrics.MeanAbsoluteError(name="m"), "accuracy"]},
    )
    assert model.metrics_names == ["loss", "a_loss", "b_loss", "a_m", "b_m", "b_accuracy"]
    found = model.evaluate(X, [Y, 1 - Y], return_dict=True)
    a, b = model.predict(X)
    assert found["a_m"] == pytest.approx(np.square(a - Y).mean(), rel=1e-5)
    assert found["b_m"] == pytest.approx(np.abs(b - (1 - Y)).mean(), rel=1e-5)
    shared = metrics.MeanSquaredError(name="s")
    model.compile("sgd", "mse", metrics=[shared])
    found = model.evaluate(X, [Y, 1 - Y], return_dict=True)
    assert found["a_s"] == pytest.approx(np.square(a - Y).mean(), rel=1e-5)
    assert found["b_s"] == pytest.approx(np.square(b - (1 - Y)).mean(), rel=1e-5)


@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "sum", "none", "mean_with_sample_weight"])
def test_reductions_of_loss_objects(each_backend, reduction):
    model = ours()
    model.compile(optimizers.SGD(0.0), losses.MeanSquaredError(reduction=reduction))
    square = np.square(model.predict(X[:10]) - Y[:10])[:, 0]
    weights = WEIGHTS[:10]
    expected = {
        "sum_over_batch_size": (square * weights).mean(),
        "sum": (square * weights).sum(),
        "none": (square * weights).mean(),
        "mean_with_sample_weight": (square * weights).sum() / weights.sum(),
    }
    found = model.train_on_batch(X[:10], Y[:10], sample_weight=weights)
    assert found == pytest.approx(expected[reduction], rel=1e-5)


def test_masked_steps_are_in_no_metric(each_backend):
    x = Input((3, 2))
    model = Model(x, layers.Dense(1, use_bias=False, kernel_initializer="ones")(layers.Masking()(x)))
    data = np.array([[[1, 1], [0, 0], [2, 1]], [[1, 0], [0, 0], [0, 0]]], np.float32)
    targets = np.zeros((2, 3, 1), np.float32)
    model.compile(optimizers.SGD(0.0), "mse", metrics=["mae", metrics.MeanAbsoluteError(name="m")])
    found = model.evaluate(data, targets, return_dict=True)
    assert found["mae"] == found["m"] == pytest.approx((2 + 3 + 1) / 3)


def test_metrics_of_values_are_refused():
    with pytest.raises(ValueError, match="the metric 'sum' takes values, not targets and predictions"):
        ours().compile("sgd", "mse", metrics=[metrics.Sum()])


def test_labels_through_loss_objects(each_backend):
    x = Input((4,))
    model = Model(x, layers.Dense(3, activation="softmax")(x))
    labels = RNG.integers(0, 3, 50)
    model.compile(optimizers.SGD(0.0), losses.SparseCategoricalCrossentropy(), metrics=["accuracy"])
    shares = model.predict(X)
    found = model.evaluate(X, labels, return_dict=True)
    assert found["loss"] == pytest.approx(-np.log(shares[range(50), labels]).mean(), rel=1e-5)
    assert found["accuracy"] == pytest.approx((shares.argmax(1) == labels).mean())
    one_hot = np.eye(3)[labels]
    model.compile(optimizers.SGD(0.0), losses.CategoricalCrossentropy(label_smoothing=0.1), metrics=["acc", "ce"])
    found = model.evaluate(X, one_hot, return_dict=True)
    assert found["acc"] == pytest.approx((shares.argmax(1) == labels).mean())
    assert found["ce"] == pytest.approx(-np.log(shares[range(50), labels]).mean(), rel=1e-5)


def test_ctc_takes_labels_of_another_length(each_backend):
    x = Input((6, 4))
    model = Model(x, layers.Dense(5)(x))
    model.compile("adam", losses.CTC())
    data = RNG.normal(size=(4, 6, 4)).astype(np.float32)
    labels = np.array([[1, 2, 0], [3, 0, 0], [4, 4, 1], [2, 1, 3]])
    before = model.evaluate(data, labels)
    model.fit(data, labels, epochs=30, verbose=0)
    assert model.evaluate(data, labels) < before


def test_weights_take_their_average_when_training_ends(each_backend):
    model = ours()
    optimizer = optimizers.SGD(0.5, use_ema=True, ema_momentum=0.5)
    model.compile(optimizer, "mse")
    seen = []
    model.fit(X, Y, batch_size=25, epochs=2, verbose=0, shuffle=False, callbacks=[
        kbackend.callbacks.LambdaCallback(on_train_batch_end=lambda *_: seen.append(model.get_weights()[0]))
    ])
    average = seen[0]
    for kernel in seen[1:]:
        average = 0.5 * average + 0.5 * kernel
    np.testing.assert_allclose(model.get_weights()[0], average, rtol=1e-5)


def test_the_rate_is_live_in_a_model(each_backend):
    model = ours()
    model.compile("sgd", "mse")
    model.train_on_batch(X, Y)
    before = model.get_weights()[0]
    K.set_value(model.optimizer.lr, 0.0)
    model.train_on_batch(X, Y)
    np.testing.assert_array_equal(model.get_weights()[0], before)
    assert K.get_value(model.optimizer.learning_rate) == 0.0
    assert model.programs_made("train") == 1


def test_the_accumulated_step_of_a_model(each_backend):
    model, whole = ours(), ours()
    model.compile(optimizers.SGD(0.5, gradient_accumulation_steps=2), "mse")
    whole.compile(optimizers.SGD(0.5), "mse")
    model.fit(X[:20], Y[:20], batch_size=10, verbose=0, shuffle=False)
    whole.fit(X[:20], Y[:20], batch_size=20, verbose=0, shuffle=False)
    np.testing.assert_allclose(model.get_weights()[0], whole.get_weights()[0], rtol=1e-5, atol=1e-6)


def test_a_layer_excluded_by_ones_own_loss_and_optimizer(each_backend):
    """A loss, a metric and an optimizer of one's own, written in K, in one model."""

    class Signed(optimizers.Optimizer):
        def update_step(self, gradient, variable, learning_rate):
            mean = self.slot("mean", variable)
            self.assign(mean, 0.5 * mean + 0.5 * gradient)
            self.assign_sub(variable, learning_rate * K.sign(mean))

    class Cubed(losses.Loss):
        def call(self, y_true, y_pred):
            return K.mean(K.abs(y_true - y_pred) ** 3, axis=-1)

    model = ours()
    model.compile(Signed(0.1), Cubed(), metrics=[Gap()])
    before = model.get_weights()[0]
    error = np.abs(model.predict(X) - Y)
    assert model.train_on_batch(X, Y)[0] == pytest.approx((error**3).mean(), rel=1e-5)
    np.testing.assert_allclose(np.abs(model.get_weights()[0] - before), 0.1, rtol=1e-5)


@pytest.mark.parametrize(("units", "activation", "loss"), [
    (1, "sigmoid", "binary_crossentropy"),
    (1, "sigmoid", losses.BinaryCrossentropy()),
    (3, "softmax", "categorical_crossentropy"),
    (3, "softmax", losses.CategoricalCrossentropy()),
    (3, "softmax", losses.SparseCategoricalCrossentropy()),
])  # fmt: skip
def test_losses_are_computed_from_the_logits(each_backend, units, activation, loss):
    x = Input((4,))
    model = Model(x, layers.Dense(units, activation=activation)(x))
    model.compile("sgd", loss)
    assert f"= {activation}(" not in model._steps.train().function.source


def test_optimizers_change_weights_in_place_in_a_model(each_backend):
    for name in ("sgd", "rmsprop", "adam", "adadelta"):
        model = ours()
        model.compile(name, "mse", metrics=[metrics.AUC()])
        assert f"{name}_step((cells[" in model._steps.train().function.source
