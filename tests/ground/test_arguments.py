"""Arguments of training: each is checked before anything changes."""

import numpy as np
import pytest

from kbackend import Input, K, Model, callbacks, layers, optimizers

X, Y = np.ones((8, 3), "float32"), np.ones((8, 1), "float32")
BAD = {
    "batch_size": [0, -1, 2.5, "a", True, [8]],
    "epochs": [-1, 1.5, "a", None, float("nan")],
    "verbose": [3, -1, "yes", None, 1.0],
    "validation_split": [1.0, -0.1, 2, "a", None, float("nan")],
    "shuffle": ["no", None, 2],
    "initial_epoch": [-1, 0.5, "a", None],
    "validation_freq": [0, -1, "a", 1.5, None],
    "callbacks": [3, "a", [3], [callbacks.History], callbacks.History()],
    "class_weight": ["none", 3, {1: "a"}, {1: float("nan")}],
}


@pytest.fixture
def model():
    K.clear_session()
    x = Input((3,), name="x")
    model = Model(x, layers.Dense(1)(x))
    model.compile("adam", "mse")
    return model


@pytest.mark.parametrize("name", BAD)
def test_fit_checks_every_argument_before_it_trains(model, name):
    before = [*model.get_weights(), *model.optimizer.get_weights()]
    for value in BAD[name]:
        with pytest.raises((ValueError, TypeError), match=f"{name} must|callbacks must"):
            model.fit(X, Y, validation_data=(X, Y), **{"epochs": 2, "verbose": 0, name: value})
    after = [*model.get_weights(), *model.optimizer.get_weights()]
    assert all(np.array_equal(a, b) for a, b in zip(before, after)) and model.epochs_seen == 0


@pytest.mark.parametrize("call", [
    lambda m, **k: m.evaluate(X, Y, **k), lambda m, **k: m.predict(X, **k), lambda m, **k: m.profile(X, Y, **k),
    lambda m, **k: m.tune(X, Y, **k),
])  # fmt: skip
@pytest.mark.parametrize("name", ["batch_size", "verbose"])
def test_the_other_methods_check_theirs(model, call, name):
    for value in BAD[name]:
        with pytest.raises(ValueError, match=rf"\w+: {name} must be"):
            call(model, **{name: value})


def test_arguments_by_position_are_checked_too(model):
    with pytest.raises(ValueError, match="fit: batch_size must be a positive integer or None, it is 0"):
        model.fit(X, Y, 0)


@pytest.mark.parametrize("call,message", [
    (lambda m: m.fit(X, Y, epoch=2), r"fit\(\) got the unknown argument 'epoch'. Did you mean 'epochs'\?"),
    (lambda m: m.compile(optimiser="sgd"), r"compile\(\) got .*'optimizer'"),
    (lambda m: m.evaluate(X, Y, batchsize=3), r"evaluate\(\) got .*'batch_size'"),
    (lambda m: m.predict(X, batches=3), r"predict\(\) got the unknown argument 'batches'"),
])  # fmt: skip
def test_keywords_that_a_method_does_not_take(model, call, message):
    with pytest.raises(TypeError, match=message):
        call(model)


@pytest.mark.parametrize("value", ["a", [None, "b"], [float("nan")], {"dense_1": "a"}, True])
def test_a_refused_compile_changes_nothing(model, value):
    optimizer, step = model.optimizer, model._steps
    with pytest.raises(ValueError, match="loss_weights"):
        model.compile("sgd", "mae", loss_weights=value)
    assert model.optimizer is optimizer and model._steps is step
    model.train_on_batch(X, Y)


@pytest.mark.parametrize("make,name", [
    (lambda: optimizers.Adam(-1), "learning_rate"), (lambda: optimizers.SGD(float("nan")), "learning_rate"),
    (lambda: optimizers.SGD(float("inf")), "learning_rate"), (lambda: optimizers.SGD(0.1, momentum=2.0), "momentum"),
    (lambda: optimizers.Adam(beta_1=1.0), "beta_1"), (lambda: optimizers.Adam(beta_2=-0.1), "beta_2"),
    (lambda: optimizers.RMSprop(rho=1.5), "rho"), (lambda: optimizers.Adam(epsilon=-1e-7), "epsilon"),
    (lambda: optimizers.SGD(decay=-1.0), "decay"), (lambda: optimizers.SGD(decay="a"), "decay"),
    (lambda: optimizers.SGD(clipnorm=0), "clipnorm"), (lambda: optimizers.SGD(clipvalue="a"), "clipvalue"),
    (lambda: optimizers.SGD(global_clipnorm=float("nan")), "global_clipnorm"),
])  # fmt: skip
def test_numbers_of_optimizers(make, name):
    with pytest.raises((ValueError, TypeError), match=f"{name} must (be a|lie in)"):
        make()


def test_a_live_number_of_an_optimizer_is_checked_when_it_changes():
    optimizer = optimizers.Adam()
    for name, value in (("lr", -1), ("learning_rate", float("nan")), ("beta_1", 1.0), ("lr", np.float32(-2))):
        with pytest.raises(ValueError, match="must be a number"):
            setattr(optimizer, name, value)
    optimizer.lr = np.float32(0.5)
    assert float(K.get_value(optimizer.learning_rate)) == 0.5


@pytest.mark.parametrize("make,message", [
    (lambda: callbacks.EarlyStopping(patience=-1), "EarlyStopping: patience must be an integer of 0 or more"),
    (lambda: callbacks.EarlyStopping(min_delta="a"), "min_delta must be a number"),
    (lambda: callbacks.EarlyStopping(monitor=3), "monitor must be a non-empty string"),
    (lambda: callbacks.EarlyStopping(mode="up"), "mode must be 'auto', 'min' or 'max', it is 'up'"),
    (lambda: callbacks.EarlyStopping(baseline="a"), "baseline must be a number or None"),
    (lambda: callbacks.LearningRateScheduler(0.1), "schedule must be a function"),
    (lambda: callbacks.ProgbarLogger(verbose=4), "verbose must be 0, 1 or 2"),
])  # fmt: skip
def test_arguments_of_callbacks(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_an_event_needs_a_function():
    with pytest.raises(TypeError, match="on_epoch_end must be a function"):
        callbacks.LambdaCallback(on_epoch_end=3)


@pytest.mark.parametrize("call", [
    lambda p: p + None, lambda p: None + p, lambda p: p * None, lambda p: K.exp(None),
    lambda p: K.concatenate([p, None]), lambda p: K.maximum(np.ones(3), None),
])  # fmt: skip
def test_none_for_an_operand_is_refused_at_once(call):
    with pytest.raises(TypeError, match=r"\w+: the operand \w+ is None"):
        call(K.placeholder((2, 3)))


def test_what_can_be_no_tensor():
    with pytest.raises(TypeError, match="a value of type NoneType cannot become a tensor"):
        K.dot(K.placeholder((2, 2)), None)
    with pytest.raises(TypeError, match="a value of type str cannot become a tensor"):
        K.placeholder((2,)) + "a"


@pytest.mark.parametrize("name,value", [
    ("batch_input_shape", "abc"), ("batch_input_shape", [2.5]), ("input_shape", ["a"]), ("batch_size", "a"),
])  # fmt: skip
def test_shapes_of_layers(name, value):
    with pytest.raises(ValueError, match=f"{name} must hold integers"):
        layers.Dense(2, **{"input_shape": (3,), name: value})
