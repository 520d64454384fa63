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
    (lambda: kbackend.random.SeedGenerator(sed=3), "Did you mean 'seed'"),
])  # fmt: skip
def test_keywords(call, message):
    with pytest.raises(TypeError, match=message):
        call()


def test_symbolic_tensors():
    with pytest.raises(AttributeError, match="a symbolic tensor has no 'reduce_mean'. Did you mean 'mean'"):
        K.placeholder((2,)).reduce_mean()


def test_nothing_is_suggested_where_nothing_is_close():
    assert closest("qqqq", ["mean", "sum"]) is None and closest(3, ["mean"]) is None
    with pytest.raises(AttributeError, match=r"has no attribute 'qqqqqqq'$"):
        getattr(K, "qqqqqqq")  # noqa: B009
    assert not hasattr(layers, "__wrapped__")


def test_names_of_other_libraries_lead_to_names_that_are_there():
    known = {*dir(ops), *dir(K), *layers.__all__, *dir(losses), *dir(optimizers)}
    lost = {name: ours for name, ours in ELSEWHERE.items() if not known & set(ours)}
    assert not lost
