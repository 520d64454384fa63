"""Wrong names: every message asks for the name that was probably meant."""

import pytest

import kbackend
from kbackend import (
    K,
    activations,
    callbacks,
    initializers,
    layers,
    losses,
    metrics,
    ops,
    optimizers,
    regularizers,
)
from kbackend.ground.suggest import ELSEWHERE, closest


@pytest.mark.parametrize("module,name,meant", [
    (K, "reduce_mean", "mean"), (K, "reduce_sum", "sum"), (K, "sqare", "square"), (K, "Tanh", "tanh"),
    (ops, "reduce_mean", "mean"), (ops, "clip_by_value", "clip"), (ops, "unsqueeze", "expand_dims"),
    (layers, "Dens", "Dense"), (layers, "Conv2d", "Conv2D"), (layers, "BatchNorm2d", "BatchNormalization"),
    (losses, "mean_square_error", "mean_squared_error"), (metrics, "binary_acuracy", "binary_accuracy"),
    (optimizers, "Adamm", "Adam"), (activations, "reluu", "relu"), (callbacks, "EarlyStoping", "EarlyStopping"),
    (initializers, "GlorotUnifrom", "GlorotUniform"), (regularizers, "l22", "l2"), (kbackend, "Modle", "Model"),
])  # fmt: skip
def test_attributes(module, name, meant):
    with pytest.raises(AttributeError, match=f"has no attribute '{name}'. Did you mean '{meant}'\\?"):
        getattr(module, name)


@pytest.mark.parametrize("get,name,meant", [
    (losses.get, "mean_square_error", "mean_squared_error"), (losses.get, "msee", "mse"),
    (optimizers.get, "adm", "adam"), (metrics.get, "acuracy", "accuracy"), (activations.get, "tahn", "tanh"),
    (initializers.get, "glorot_unifrom", "glorot_uniform"), (regularizers.get, "l22", "l2"),
])  # fmt: skip
def test_names_of_objects(get, name, meant):
    with pytest.raises(ValueError, match=rf"unknown \w+ '{name}'.* Did you mean '{meant}'\? Known are: "):
        get(name)


@pytest.mark.parametrize("call,message", [
    (lambda: layers.Dense(2, activaton="relu"), r"Dense\(\) got the unknown argument 'activaton'. .* 'activation'\?"),
    (lambda: layers.LSTM(2, recurent_dropout=0.1), "Did you mean 'recurrent_dropout'"),
    (lambda: optimizers.Adam(beta1=0.9), r"Adam\(\) got the unknown argument 'beta1'. Did you mean 'beta_1'"),
    (lambda: callbacks.EarlyStopping(patince=3), r"EarlyStopping\(\) got .*'patience'"),
    (lambda: callbacks.LambdaCallback(on_epoch_ends=print), "Did you mean 'on_epoch_end'"),
    (lambda: K.mean(K.placeholder((2,)), axs=0), r"mean\(\) got the unknown argument 'axs'. Did you mean 'axis'"),
    (lambda: K.mean([1.0, 2.0], keepdim=True), "Did you mean 'keepdims'"),
    (lambda: K.conv2d(K.placeholder((1, 4, 4, 1)), K.zeros((2, 2, 1, 1)), stride=2), "Did you mean 'strides'"),
    (lambda: kbackend.Model(inputs=1, output=2), r"Model\(\) got .* Did you mean 'outputs'"),
    (lambda: kbackend.Sequential(layer=[]), "Did you mean 'layers'"),
    (lambda: kbackend.Input(3, dtyp="int32"), r"Input\(\) got .* Did you mean 'dtype'"),
    (lambda: kbackend.random.SeedGenerator(sed=3), "Did you mean 'seed'"),
])  # fmt: skip
def test_keywords(call, message):
    with pytest.raises(TypeError, match=message):
        call()


@pytest.mark.parametrize("call,meant", [
    (lambda m: m.get_layer("dens"), "dense"), (lambda m: m.to("numpi"), "numpy"),
    (lambda m: m.compile("sgd", {"dens": "mse"}), "dense"), (lambda m: m.predict({"imput": [[1.0]]}), "input"),
    (lambda m: K.variable(1.0, dtype="flot32"), "float32"), (lambda m: K.function([], [], update=[]), "updates"),
])  # fmt: skip
def test_names_of_parts(call, meant):
    x = kbackend.Input((1,), name="input")
    model = kbackend.Model(x, layers.Dense(1, name="dense")(x))
    model.compile("sgd", "mse")
    with pytest.raises((ValueError, TypeError, RuntimeError), match=f"Did you mean '{meant}'\\?"):
        call(model)


def test_asking_for_a_name_that_is_not_there_costs_nothing(monkeypatch):
    monkeypatch.setattr("kbackend.ground.suggest.get_close_matches", None)
    assert not hasattr(K.placeholder((2,)), "tocoo") and not hasattr(layers, "Dens")


def test_symbolic_tensors():
    with pytest.raises(AttributeError, match="a symbolic tensor has no 'reduce_mean'. Did you mean 'mean'"):
        K.placeholder((2,)).reduce_mean()


def test_nothing_is_suggested_where_nothing_is_close():
    assert closest("qqqq", ["mean", "sum"]) is None and closest(3, ["mean"]) is None
    with pytest.raises(AttributeError, match=r"has no attribute 'qqqqqqq'$"):
        getattr(K, "qqqqqqq")  # noqa: B009
    assert not hasattr(layers, "__wrapped__")


def test_names_of_other_libraries_lead_to_names_that_are_there():
    known = {*dir(ops), *dir(K), *dir(layers), *dir(losses), *dir(optimizers)}
    lost = {name: ours for name, ours in ELSEWHERE.items() if not known & set(ours)}
    assert not lost
