"""What a model costs grows as its layers do. Calls of functions are counted, since times vary."""

from __future__ import annotations

import cProfile
import gc

import numpy as np
import pytest

from kbackend import Input, K, Model, Sequential, layers

pytestmark = pytest.mark.usefixtures("engine")
X = np.ones((2, 3), "float32")
SIZES = (32, 128)


def functional(count):
    x = h = Input((3,))
    for _ in range(count // 4):
        made = layers.Dense(3, kernel_regularizer="l2", activity_regularizer="l1")(h)
        made = layers.BatchNormalization()(layers.Activation("relu")(made))
        h = layers.Add()([h, made])
    return Model(x, h)


def chain(count):
    model = Sequential()
    for _ in range(count // 2):
        model.add(layers.Dense(3, **({} if model.layers else {"input_shape": (3,)})))
        model.add(layers.Dropout(0.5))
    return model


def ops_between(count):
    x = h = Input((3,))
    for _ in range(count // 2):
        h = layers.Dense(3)(h) * K.variable(np.ones(3))
    return Model(x, h)


def models_inside(count):
    x = h = Input((3,))
    for _ in range(count // 4):
        y = Input((3,))
        h = Model(y, layers.Dense(3, kernel_regularizer="l2")(layers.Activation("relu")(y)))(h)
    return Model(x, h)


def many_outputs(count):
    x = Input((3,))
    return Model(x, [layers.Dense(3)(x) for _ in range(count)])


def many_losses(count):
    x = h = Input((3,))
    model_losses = []
    for _ in range(count):
        h = layers.Dense(3)(h)
        model_losses.append(K.mean(h))
    model = Model(x, h)
    model.add_loss(model_losses)
    return model


MODELS = [functional, chain, ops_between, models_inside, many_outputs, many_losses]


def calls(function, *args):
    gc.collect()
    gc.disable()  # finalizers of other objects are not the function's
    profile = cProfile.Profile()
    profile.enable()
    try:
        result = function(*args)
    finally:
        profile.disable()
        gc.enable()
    return result, sum(entry.callcount for entry in profile.getstats())


def costs(build, count, path):
    found = {}

    def step(name, function, *args):
        result, found[name] = calls(function, *args)
        return result

    model = step("build", build, count)
    step("layers", lambda: model.layers)
    step("weights", lambda: (model.weights, model.trainable_weights))
    step("losses", lambda: model.losses)
    step("updates", lambda: model.updates)
    step("compile", model.compile, "sgd", "mse")
    targets = [X for _ in model.outputs]
    step("fit", lambda: model.fit(X, targets if len(targets) > 1 else X, verbose=0))
    step("save", model.save_checkpoint, path)
    step("load", model.load_checkpoint, path)
    step("get_weights and set_weights", lambda: model.set_weights(model.get_weights()))
    step("summary", lambda: model.summary(print_fn=lambda line: None))
    config = step("get_config", model.get_config)
    step("from_config", type(model).from_config, config)
    step("call", model, Input((3,)))
    return found


@pytest.mark.parametrize("build", MODELS)
def test_costs_are_linear_in_layers(build, tmp_path):
    costs(build, 8, tmp_path / "first")  # what is made once for the process is made
    small, large = (costs(build, count, tmp_path / str(count)) for count in SIZES)
    grown = {name: large[name] / small[name] for name in small if large[name] > 2000}
    assert len(grown) > 8
    assert {name: ratio for name, ratio in grown.items() if ratio > 1.1 * SIZES[1] / SIZES[0]} == {}


def test_a_configuration_is_read_in_any_order_in_linear_time():
    def read(count):
        config = functional(count).get_config()
        config["layers"].reverse()
        return calls(Model.from_config, config)[1]

    read(8)
    small, large = map(read, SIZES)
    assert large / small < 1.1 * SIZES[1] / SIZES[0]
