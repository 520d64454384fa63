"""compile: all that it promises is fixed when it returns, and a refused one changes nothing."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import kbackend
from kbackend import Input, K, Model, Sequential, layers, losses, optimizers

pytestmark = pytest.mark.usefixtures("engine")
RNG = np.random.default_rng(0)
X = RNG.normal(size=(8, 4)).astype("float32")
Y = RNG.normal(size=(8, 4)).astype("float32")
ONES = np.ones((8, 1), "float32")


def judge(*, input_shape=True):
    first = layers.Dense(4, **({"input_shape": (4,)} if input_shape else {}))
    return Sequential([first, layers.BatchNormalization(), layers.Dense(1, activation="sigmoid")])


def statistics(model):
    return [w.numpy() for w in model.weights if "moving" in w.name]


def moved(before, after):
    return [bool((a != b).any()) for a, b in zip(before, after, strict=True)]


# ------------------------------------------------------------------------------------------ fixed at compile


@pytest.mark.parametrize("input_shape", [True, False])
def test_a_frozen_judge_moves_its_averages_in_its_own_training_alone(each_backend, input_shape):
    model = judge(input_shape=input_shape)
    model.compile("sgd", "binary_crossentropy")
    forger = Sequential([layers.Dense(4, input_shape=(3,))])
    noise = Input((3,))
    model.trainable = False
    both = Model(noise, model(forger(noise)))
    both.compile("sgd", "binary_crossentropy")
    weights, averages = model.get_weights(), statistics(model)
    model.train_on_batch(X + 3, ONES)
    assert moved(averages, statistics(model)) == [True, True]
    assert all(moved(weights[:-2], model.get_weights()[:-2]))
    weights, averages, forged = model.get_weights(), statistics(model), forger.get_weights()
    both.train_on_batch(X[:, :3], ONES)
    assert not any(moved(weights, model.get_weights())) and not any(moved(averages, statistics(model)))
    assert all(moved(forged, forger.get_weights()))


def test_a_layer_frozen_after_compile_trains_on_until_the_next_compile():
    x = Input((4,))
    norm = layers.BatchNormalization()
    model = Model(x, layers.Dense(4)(norm(x)))
    model.compile("sgd", "mse")
    norm.trainable = False
    start = norm.get_weights()
    model.train_on_batch(X, Y)
    assert all(moved(start, norm.get_weights()))
    model.compile("sgd", "mse")
    start = norm.get_weights()
    model.train_on_batch(X, Y)
    assert not any(moved(start, norm.get_weights()))
    norm.trainable = True
    model.train_on_batch(X, Y, sample_weight=np.ones(8))  # another program of the same compile
    assert not any(moved(start, norm.get_weights()))


def test_trainable_that_changes_after_compile_is_warned_of(capsys):
    x = Input((4,))
    inner = Model(x, layers.Dense(4, name="inner_dense")(x), name="inner")
    model = Model(x, layers.Activation("relu", name="shape")(inner(x)), name="outer")
    model.compile("sgd", "mse")
    for layer in (inner, model.get_layer("shape")):
        layer.trainable = False
    for call in (model.summary, lambda: model.fit(X, Y, verbose=0)):
        with pytest.warns(UserWarning, match="`trainable` of inner.* was changed after compile") as seen:
            call()
        assert seen[0].filename == __file__ and "shape" not in str(seen[0].message)
    model.compile("sgd", "mse")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.summary()
        model.fit(X, Y, verbose=0)


def test_losses_added_after_compile_wait_for_the_next_and_updates_do_not():
    x = Input((4,))
    model = Model(x, layers.Dense(4)(x))
    count = K.variable(0.0)
    model.compile(optimizers.SGD(0.0), "mse")
    plain = model.test_on_batch(X, Y)
    model.add_loss(K.constant(5.0))
    assert model.train_on_batch(X, Y) == pytest.approx(plain)
    model.add_update(K.update_add(count, 1.0))
    assert model.train_on_batch(X, Y) == pytest.approx(plain)
    assert model.train_on_batch(X, Y, sample_weight=np.ones(8)) == pytest.approx(plain)
    assert K.get_value(count) == 2
    model.compile(optimizers.SGD(0.0), "mse")
    assert model.train_on_batch(X, Y) == pytest.approx(plain + 5)
    assert model.train_on_batch(X, Y, sample_weight=np.ones(8)) == pytest.approx(plain + 5)
    assert K.get_value(count) == 4


def test_a_model_without_a_shape_is_fixed_as_it_stood_at_compile():
    model = judge(input_shape=False)
    model.layers[0].trainable = False
    model.compile("sgd", "binary_crossentropy")
    for layer in model.layers:
        layer.trainable = not layer.trainable
    model.build((None, 4))
    start = model.get_weights()
    model.train_on_batch(X, ONES)
    kernel, bias, *rest = moved(start, model.get_weights())
    assert not kernel and not bias and all(rest)
    assert [layer.trainable for layer in model.layers] == [True, False, False]


def test_loss_weights_that_are_variables_stay_live():
    factor = K.variable(1.0)
    x = Input((4,))
    model = Model(x, layers.Dense(4)(x))
    model.compile(optimizers.SGD(0.0), "mse", loss_weights=[factor])
    before = model.train_on_batch(X, Y)
    K.set_value(factor, 3.0)
    assert model.train_on_batch(X, Y) == pytest.approx(3 * before)


# ------------------------------------------------------------------------------------------- refused compile


def two_outputs():
    x = Input((4,))
    return Model(x, [layers.Dense(4, name="a")(x), layers.Dense(4, name="b")(x)])


def fails(y_true, y_pred):
    raise ValueError("this loss is broken")


WRONG = {
    "optimizer": dict(optimizer="nope", loss="mae"),
    "its argument": dict(optimizer={"class_name": "sgd", "config": {"rate": 1}}, loss="mae"),
    "loss": dict(optimizer="sgd", loss="nope"),
    "number of losses": dict(optimizer="sgd", loss=["mae"]),
    "name of an output": dict(optimizer="sgd", loss={"c": "mae"}),
    "a loss that fails": dict(optimizer="sgd", loss=["mae", fails]),
    "no loss": dict(optimizer="sgd", loss=None),
    "metric": dict(optimizer="sgd", loss="mae", metrics=["zz"]),
    "metrics": dict(optimizer="sgd", loss="mae", metrics="mae"),
    "metric of an output": dict(optimizer="sgd", loss="mae", metrics={"c": ["mae"]}),
    "weighted metric": dict(optimizer="sgd", loss="mae", weighted_metrics=["zz"]),
    "number of loss weights": dict(optimizer="sgd", loss="mae", loss_weights=[1.0]),
    "loss weight": dict(optimizer="sgd", loss="mae", loss_weights=["a", "b"]),
    "jit": dict(optimizer="sgd", loss="mae", jit="maybe"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_refused_compile_changes_nothing(case):
    kbackend.set_seed(1)
    twins = [two_outputs(), two_outputs()]
    twins[1].set_weights(twins[0].get_weights())
    for model in twins:
        model.compile("adam", "mse", metrics=["mae"], loss_weights=[1.0, 0.5])
        model.fit(X, [Y, Y], verbose=0, epochs=2)
        model.predict(X)
    model, twin = twins
    optimizer, names, programs = model.optimizer, model.metrics_names, model._steps.train().function
    with pytest.raises((ValueError, TypeError)):
        model.compile(**WRONG[case])
    assert model.optimizer is optimizer and model.metrics_names == names
    assert model._steps.train().function is programs
    assert (model.programs_made("train"), model.programs_made("predict")) == (1, 1)
    for each in twins:
        each.fit(X, [Y, Y], verbose=0)
        each.train_on_batch(X, [Y, Y], sample_weight=[ONES[:, 0]] * 2)
    assert model.evaluate(X, [Y, Y]) == twin.evaluate(X, [Y, Y])
    for ours, theirs in zip(model.get_weights(), twin.get_weights(), strict=True):
        assert ours.tobytes() == theirs.tobytes()


@pytest.mark.parametrize("case", WRONG)
def test_a_model_whose_first_compile_is_refused_is_not_compiled(case):
    model = two_outputs()
    with pytest.raises((ValueError, TypeError)):
        model.compile(**WRONG[case])
    assert model.optimizer is None
    with pytest.raises(RuntimeError, match="not compiled"):
        model.fit(X, [Y, Y], verbose=0)


@pytest.mark.parametrize("case", ["optimizer", "its argument", "loss", "metric", "weighted metric", "jit"])
def test_a_model_without_a_shape_refuses_names_at_once(case):
    model = Sequential([layers.Dense(4)])
    model.compile("adam", "mse")
    with pytest.raises((ValueError, TypeError)):
        model.compile(**WRONG[case])
    model.fit(X, Y, verbose=0)
    assert isinstance(model.optimizer, optimizers.Adam) and model.metrics_names == ["loss"]


def test_a_compile_leaves_the_programs_of_predictions_where_they_do_not_change():
    x = Input((4,))
    model = Model(x, layers.Dense(4)(x))
    model.predict(X)
    made = model._steps.predict()
    model.compile("sgd", "mse")
    assert model._steps.predict() is made and model.programs_made("predict") == 1
    model.compile("sgd", losses.MeanSquaredError(), jit=True)
    assert model._steps.predict() is not made and model.programs_made("predict") == 0
