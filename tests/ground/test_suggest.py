"""Wrong names: every message asks for the name that was probably meant."""

import inspect

import pytest

import kbackend
from kbackend import (
    K,
    activations,
    callbacks,
    constraints,
    initializers,
    layers,
    losses,
    metrics,
    ops,
    optimizers,
    regularizers,
    utils,
)
from kbackend.ground.public import Public
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


def model():
    x = kbackend.Input((3,))
    model = kbackend.Model(x, layers.Dense(1, name="d")(x))
    model.compile("adam", "mse")
    return model


@pytest.mark.parametrize("get,meant", [
    (lambda: model().fitt, "fit"), (lambda: model().complie, "compile"), (lambda: kbackend.Sequential().ad, "add"),
    (lambda: model().layers[1].kernal, "kernel"), (lambda: layers.LSTM(2).get_weight, "get_weights"),
    (lambda: model().optimizer.learning_rat, "learning_rate"), (lambda: losses.Huber().cal, "call"),
    (lambda: metrics.AUC().reslt, "result"), (lambda: callbacks.EarlyStopping().patence, "patience"),
    (lambda: callbacks.History().histroy, "history"), (lambda: regularizers.OrthogonalRegularizer().facter, "factor"),
    (lambda: initializers.Constant(2.0).vale, "value"), (lambda: constraints.MaxNorm().max_valu, "max_value"),
    (lambda: optimizers.schedules.ExponentialDecay(0.1, 2, 0.5).decay_rat, "decay_rate"),
    (lambda: K.function([], [K.constant(1.0)]).surce, "source"), (lambda: utils.Sequence().num_batch, "num_batches"),
])  # fmt: skip
def test_attributes_of_objects(get, meant):
    with pytest.raises(AttributeError, match=rf"^'\w+' object has no attribute '\w+'\. Did you mean '{meant}'\?$"):
        get()


def test_a_property_that_fails_gives_its_own_message():
    class Own(layers.Layer):
        @property
        def broken(self):
            return [].first

    with pytest.raises(AttributeError, match="'list' object has no attribute 'first'"):
        _ = Own().broken
    with pytest.raises(AttributeError, match="does not know its input's shape yet"):
        _ = kbackend.Sequential([layers.Dense(2)]).inputs


def test_what_classes_have_and_objects_do_not():
    assert not hasattr(initializers.Constant(1.0), "__name__") and not hasattr(model(), "__mro__")


class OwnDense(layers.Dense):
    def __init__(self):
        super().__init__()


@pytest.mark.parametrize("call,message", [
    (lambda: layers.Dense(), r"Dense\(\) needs the argument 'units'"),
    (lambda: layers.Conv2D(3), r"Conv2D\(\) needs the argument 'kernel_size'"),
    (lambda: layers.Conv2D(), r"Conv2D\(\) needs the arguments 'filters' and 'kernel_size'"),
    (lambda: OwnDense(), r"Dense\(\) needs the argument 'units'"),
    (lambda: layers.Dense(3, units=4), r"Dense\(\) got the argument 'units' by position and by name"),
    (lambda: optimizers.SGD(*[0] * 9), r"SGD\(\) takes 3 arguments by position, it got 9"),
    (lambda: losses.Huber(delt=1), r"Huber\(\) got the unknown argument 'delt'\. Did you mean 'delta'\?"),
    (lambda: metrics.MeanIoU(), r"MeanIoU\(\) needs the argument 'num_classes'"),
    (lambda: constraints.MaxNorm(axes=1), r"MaxNorm\(\) got the unknown argument 'axes'\. Did you mean 'axis'\?"),
    (lambda: callbacks.ModelCheckpoint(), r"ModelCheckpoint\(\) needs the argument 'filepath'"),
    (lambda: model().predict(), r"predict\(\) needs the argument 'x'"),
    (lambda: model().save(), r"^save\(\) missing"), (lambda: model().load_weights(), r"^load_weights\(\) missing"),
    (lambda: layers.Dense(3)(), r"^__call__\(\) missing .* 'inputs'"),
])  # fmt: skip
def test_arguments_that_do_not_fit(call, message):
    with pytest.raises(TypeError, match=message):
        call()


def public_classes():
    modules = (kbackend, layers, losses, metrics, optimizers, callbacks, initializers, regularizers, constraints, utils)
    found = {v for m in modules for n, v in vars(m).items() if inspect.isclass(v) and not n.startswith("_")}
    return sorted((c for c in found if issubclass(c, Public)), key=lambda c: (c.__module__, c.__name__))


def test_no_method_names_a_class_that_users_do_not_name():
    wrong, count = [], 0
    for cls in public_classes():
        for name in (n for n in dir(cls) if not n.startswith("_")):
            method = inspect.getattr_static(cls, name)
            count += inspect.isfunction(method)
            if inspect.isfunction(method) and "." in method.__qualname__.replace("<locals>.", ""):
                wrong.append(f"{cls.__name__}: {method.__qualname__}")
    print(f"{count} methods of {len(public_classes())} classes")
    assert not wrong and count > 3000


def test_asking_for_a_name_that_is_not_there_costs_nothing(monkeypatch):
    monkeypatch.setattr("difflib.get_close_matches", None)
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
