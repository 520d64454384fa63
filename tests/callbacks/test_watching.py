"""Callbacks that watch a value, against those of Keras 3 on the same values."""

from __future__ import annotations

import types

import numpy as np
import pytest

from kbackend import Input, K, Model, layers, optimizers
from kbackend.callbacks import EarlyStopping, ModelCheckpoint, ReduceLROnPlateau

VALUES = [1.0, 0.9, 0.95, 0.9, 0.91, 0.8, 0.82, 0.83, 0.8, 0.85, 0.84, 0.7, 0.71, 0.72, 0.73, 0.74, 0.6, 0.75, 0.76]


class Rate(float):
    def numpy(self):
        return float(self)


def fake(rate=1.0):
    model = types.SimpleNamespace(stop_training=False, metrics=[], weights=0)
    model.optimizer = types.SimpleNamespace(learning_rate=Rate(rate), name="sgd")
    model.get_weights = lambda: model.weights
    model.set_weights = lambda weights: setattr(model, "weights", weights)
    return model


def told(callback, values, name="loss", rate=1.0):
    """The model and its rates after the epochs in which the value was this."""
    model, rates = fake(rate), []
    callback.set_model(model)
    callback.set_params({"metrics": [name]})
    callback.on_train_begin()
    for epoch, value in enumerate(values):
        model.weights = epoch
        callback.on_epoch_begin(epoch)
        callback.on_epoch_end(epoch, {name: value})
        model.optimizer.learning_rate = Rate(model.optimizer.learning_rate)
        rates.append(float(model.optimizer.learning_rate))
        if model.stop_training:
            break
    callback.on_train_end()
    return model, rates


@pytest.mark.parametrize("options", [
    {"patience": 1}, {"patience": 2, "cooldown": 2}, {"patience": 2, "min_delta": 0.15}, {"patience": 1, "min_lr": 0.3},
    {"patience": 1, "factor": 0.5, "mode": "max"}, {"patience": 0}, {"patience": 3, "cooldown": 1, "factor": 0.25},
])  # fmt: skip
def test_rates_fall_as_those_of_keras(keras, options):
    ours = told(ReduceLROnPlateau("loss", **options), VALUES)[1]
    theirs = told(keras.callbacks.ReduceLROnPlateau("loss", **options), VALUES)[1]
    np.testing.assert_allclose(ours, theirs, rtol=1e-6)
    assert len(set(ours)) > 1


@pytest.mark.parametrize("options", [
    {}, {"patience": 2}, {"patience": 3, "restore_best_weights": True}, {"patience": 1, "min_delta": 0.2},
    {"patience": 1, "start_from_epoch": 4}, {"patience": 2, "mode": "max", "restore_best_weights": True},
])  # fmt: skip
def test_training_stops_as_that_of_keras(keras, options):
    ours, theirs = EarlyStopping("loss", **options), keras.callbacks.EarlyStopping("loss", **options)
    left, right = told(ours, VALUES)[0], told(theirs, VALUES)[0]
    assert left.weights == right.weights
    assert (ours.stopped_epoch, ours.best) == (theirs.stopped_epoch, theirs.best)
    assert left.stop_training


@pytest.mark.parametrize(("values", "stopped", "kept"), [
    ([0.55, 0.76, 0.81, 0.81], None, 2), ([0.55, 0.74, 0.81, 0.81], 1, 1), ([0.55, 0.5, 0.81], 1, 0),
])  # fmt: skip
def test_a_baseline_is_to_be_beaten_within_the_patience_as_in_keras_2(values, stopped, kept):
    """Keras 3 gives one epoch more."""
    callback = EarlyStopping("acc", baseline=0.75, patience=2, restore_best_weights=True)
    model = told(callback, values, "acc")[0]
    assert model.stop_training is (stopped is not None) and callback.stopped_epoch == (stopped or 0)
    assert model.weights == kept


@pytest.mark.parametrize(("name", "larger"), [
    ("loss", False), ("val_loss", False), ("acc", True), ("val_accuracy", True), ("auc_2", True),
    ("accent_loss", False),    ("top_k_categorical_accuracy", True), ("mae", False), ("val_f1_score", True),
])  # fmt: skip
def test_the_better_side_is_known_by_the_name(name, larger):
    assert EarlyStopping(name)._larger is larger
    assert EarlyStopping(name, mode="min")._larger is False


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match="mode must be 'auto', 'min' or 'max', it is 'up'"):
        ReduceLROnPlateau(mode="up")
    with pytest.raises(ValueError, match="factor must be less than 1, and 0 or more, it is 1.5"):
        ReduceLROnPlateau(factor=1.5)
    with pytest.raises(TypeError, match=r"Plateau\(\) got the unknown argument 'patients'. Did you mean 'patience'"):
        ReduceLROnPlateau(patients=3)
    with pytest.warns(DeprecationWarning, match="min_delta") as told:
        assert ReduceLROnPlateau(epsilon=0.5).min_delta == 0.5
    assert told[0].filename == __file__
    with pytest.raises(ValueError, match="save_freq must be 'epoch' or a positive number of batches, it is 0"):
        ModelCheckpoint("m", save_freq=0)


def test_the_rate_of_a_compiled_model_falls_and_is_logged():
    x = Input((1,))
    model = Model(x, layers.Dense(1)(x))
    model.compile(optimizers.SGD(0.0), "mse")
    model.optimizer.lr = 1e-9
    ones = np.ones((4, 1), "float32")
    reduce = ReduceLROnPlateau("loss", factor=0.5, patience=1)
    history = model.fit(ones, ones, epochs=3, verbose=0, callbacks=[reduce]).history
    np.testing.assert_allclose(history["lr"], [1e-9, 1e-9, 5e-10], rtol=1e-6)
    assert float(model.optimizer.lr.numpy()) == pytest.approx(2.5e-10)
    assert model.programs_made("train") == 1


def test_rates_of_several_optimizers_fall():
    x = Input((1,))
    model = Model(x, layers.Dense(1)(x))
    slow, fast = optimizers.SGD(1e-9, name="slow"), optimizers.SGD(1e-8, name="fast")
    model.compile(optimizers.MultiOptimizer(optimizers.OptimizerMap(slow, {".*bias": fast})), "mse")
    ones = np.ones((4, 1), "float32")
    options = {"epochs": 3, "verbose": 0, "callbacks": [ReduceLROnPlateau("loss", factor=0.5, patience=1)]}
    history = model.fit(ones, ones, **options).history
    assert history["lr_slow"][-1] == pytest.approx(5e-10) and history["lr_fast"][-1] == pytest.approx(5e-9)


def test_a_rate_is_reduced_by_hand_on_an_optimizer_that_has_lr_alone():
    class Plain:
        name = "plain"

        def __init__(self):
            self.lr = K.variable(1.0)

    class Holder:
        optimizer = Plain()

    plateau = ReduceLROnPlateau("loss", factor=0.5, patience=1, min_delta=0.0)
    plateau.set_model(Holder())  # nobody calls on_train_begin in a loop of one's own
    logs = [{"loss": value} for value in (2.0, 3.0, 1.0, 1.5)]
    for epoch, each in enumerate(logs):
        plateau.on_epoch_end(epoch, each)
    assert [each["lr"] for each in logs] == [1.0, 1.0, 0.5, 0.5]
    assert float(K.get_value(Holder.optimizer.lr)) == 0.25
