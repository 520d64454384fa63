"""Files between tf-keras and kbackend, both ways.

All layers that both have lie side by side in one model, one row of the table of layers each, with inputs and outputs of
their own; all rows with KBACKEND_TEST_SLOW=1.
"""

import importlib.util
import inspect
import os
import warnings

import numpy as np
import pytest

import kbackend
from kbackend import K, layers, optimizers
from kbackend.models import load_model

pytestmark = pytest.mark.engine("tensorflow")

if any(importlib.util.find_spec(name) is None for name in ("tensorflow", "h5py")):
    pytest.skip("files of tf-keras need TensorFlow and h5py", allow_module_level=True)
tf_keras = pytest.importorskip("tf_keras", reason="tf-keras is not installed (pip install --no-deps tf-keras)")

from layers.table import all_rows, last, weights_for  # noqa: E402
from saving.keras.cases import larger, larger_data  # noqa: E402

CLOSE = {"rtol": 1e-4, "atol": 1e-5}
#: layers that are not compared, and why
LEFT_OUT = {
    "Lambda": "holds a function", "Wrapper": "of tf-keras does nothing",
    "SpectralNormalization": "tf-keras reads from no file, not from its own",
}  # fmt: skip
#: rows that tf-keras computes otherwise, by layer and an argument
OTHER = {("Conv3DTranspose", "dilation_rate"): "tf-keras leaves the dilation out"}
#: arguments that tf-keras's layers have not
NEW = ("use_gate", "sliding_window", "flash_attention", "seed", "value_range", "data_format", "negative_slope",
       "pad_to_aspect_ratio", "antialias")


class TfKeras:
    """tf-keras, with the names of a module of layers."""

    layers, Model, Sequential, Input = tf_keras.layers, tf_keras.Model, tf_keras.Sequential, tf_keras.layers.Input


def has_arguments(row):
    """Whether tf-keras can make the row."""
    try:
        getattr(tf_keras.layers, row.layer)(**row.given(tf_keras.layers), **asked(row))
    except AttributeError:  # layers inside that tf-keras has not
        return False
    except (TypeError, ValueError):
        assert set(row.given()) & {*NEW, "activation"}, row
        return False
    return True


def is_too_deep(row):
    """Whether tf-keras refuses the input: it makes one-hot vectors of single categories only."""
    return row.given().get("output_mode") == "one_hot" and row.shapes[0][-1:] != (1,)


def has_constants(row):
    """Whether an argument of the call is an array: tf-keras writes it, and reads from no file, not from its own."""
    return any(isinstance(value, np.ndarray) for value in row.called.values())


def asked(row):
    has_format = "data_format" in inspect.signature(getattr(tf_keras.layers, row.layer).__init__).parameters
    return last(row) if has_format else {}


def chosen():
    rows = [
        row for row in all_rows()
        if hasattr(tf_keras.layers, row.layer) and row.layer not in LEFT_OUT
        and not any(layer == row.layer and argument in row.given() for layer, argument in OTHER)
        and not is_too_deep(row) and not has_constants(row)
    ]  # fmt: skip
    if not os.environ.get("KBACKEND_TEST_SLOW"):
        first = {}
        for row in rows:
            if row.layer not in first and has_arguments(row):
                first[row.layer] = row
        return list(first.values())
    return [row for row in rows if has_arguments(row)]


def model_of(module, rows):
    """A model with each row between inputs and an output of its own."""
    x, y = [], []
    for number, row in enumerate(rows):
        arguments = {**row.given(module.layers), **asked(row)}
        if "ConvLSTM" in row.layer:  # whose default is another one in Keras 2
            arguments.setdefault("recurrent_activation", "sigmoid")
        layer = getattr(module.layers, row.layer)(name=f"row{number}", **arguments)
        inputs = [module.Input(s, dtype=row.dtype or "float32") for s in row.shapes]
        apart = "query" in inspect.signature(layer.call).parameters
        found = layer(*(inputs if apart or len(inputs) == 1 else [inputs]), **row.called)
        x += inputs
        y.append(found[0] if isinstance(found, (list, tuple)) else found)
    return module.Model(x, y)


@pytest.fixture(scope="module", autouse=True)
def on_numpy():
    with kbackend.use_backend("numpy"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@pytest.fixture(scope="module")
def rows():
    found = chosen()
    assert len(found) > 80
    return found


@pytest.fixture(scope="module")
def theirs(rows):
    model = model_of(TfKeras, rows)
    model.set_weights(weights_for([(w.name.split(":")[0], tuple(w.shape)) for w in model.weights]))
    return model


@pytest.fixture(scope="module")
def data(rows):
    return [v.astype("float32") if v.dtype == np.float64 else v for row in rows for v in row.inputs()]


@pytest.fixture(scope="module")
def wanted(theirs, data):
    return theirs.predict(data, verbose=0)


def assert_rows(rows, found, wanted):
    wrong = []
    for row, a, b in zip(rows, found, wanted, strict=True):
        if a.shape != b.shape or not np.allclose(a, b, **CLOSE):
            wrong.append(f"{row}: {a.shape} {b.shape}")
    assert not wrong


@pytest.mark.parametrize("kind", ["m.keras", "m.h5"])
def test_each_layer_both_ways(rows, theirs, data, wanted, tmp_path, kind):
    theirs.save(tmp_path / kind)
    ours = load_model(tmp_path / kind)
    assert_rows(rows, ours.predict(data), wanted)
    ours.save(tmp_path / f"back-{kind}", keras_version=2)
    assert_rows(rows, tf_keras.models.load_model(tmp_path / f"back-{kind}").predict(data, verbose=0), wanted)
    again = load_model(tmp_path / f"back-{kind}")
    assert_rows(rows, again.predict(data), wanted)


def test_weights_of_each_layer_both_ways(rows, theirs, data, wanted, tmp_path):
    theirs.save_weights(tmp_path / "m.weights.h5")
    ours = model_of(kbackend, rows)
    ours.load_weights(tmp_path / "m.weights.h5")
    assert_rows(rows, ours.predict(data), wanted)
    ours.save_weights(tmp_path / "n.weights.h5")
    fresh = model_of(TfKeras, rows)
    fresh.load_weights(tmp_path / "n.weights.h5")
    assert_rows(rows, fresh.predict(data, verbose=0), wanted)


@pytest.mark.parametrize("kind", ["m.keras", "m.h5"])
def test_an_array_in_a_call(tmp_path, kind):
    """It stands in the file as nested lists."""
    x, mask = TfKeras.Input((3, 4)), np.tri(3, dtype=bool)[None]
    theirs = TfKeras.Model(x, TfKeras.layers.MultiHeadAttention(2, 3)(x, x, attention_mask=mask))
    theirs.save(tmp_path / kind)
    values = np.random.RandomState(0).normal(size=(2, 3, 4)).astype("float32")
    found = load_model(tmp_path / kind).predict(values)
    np.testing.assert_allclose(found, theirs.predict(values, verbose=0), **CLOSE)


@pytest.mark.parametrize("kind", ["m.keras", "m.h5"])
def test_models_of_several_calls(tmp_path, kind):
    """Inner models, states as keyword arguments, masks, a layer that is called twice."""
    ours = larger(kbackend)
    ours.save(tmp_path / kind, keras_version=2)
    theirs = tf_keras.models.load_model(tmp_path / kind)
    for a, b in zip(theirs.predict(larger_data(), verbose=0), ours.predict(larger_data()), strict=True):
        np.testing.assert_allclose(a, b, **CLOSE)


@pytest.mark.parametrize("kind", ["m.keras", "m.h5"])
def test_operations_between_layers(tmp_path, kind):
    x = kbackend.Input((3,))
    ours = kbackend.Model(x, layers.Dense(2)((1.0 - x) * 2.0 + K.abs(x) / K.exp(x)))
    ours.save(tmp_path / kind, keras_version=2)
    values = np.random.RandomState(0).randn(4, 3).astype("float32")
    found = tf_keras.models.load_model(tmp_path / kind).predict(values, verbose=0)
    np.testing.assert_allclose(found, ours.predict(values), **CLOSE)


@pytest.mark.parametrize("kind", ["m.keras", "m.h5"])
@pytest.mark.parametrize("optimizer", [optimizers.SGD(0.1, 0.9, nesterov=True), optimizers.Adam(0.01, 0.8)], ids=str)
def test_training_goes_on_in_tf_keras(tmp_path, kind, optimizer):
    values = np.random.RandomState(0).normal(size=(32, 5)).astype(np.float32)
    x = kbackend.Input((5,))
    ours = kbackend.Model(x, layers.Dense(2)(layers.BatchNormalization()(layers.Dense(4, activation="tanh")(x))))
    ours.compile(type(optimizer).from_config(optimizer.get_config()), "mse", metrics=["mae"])
    fit = {"x": values, "y": values[:, :2], "epochs": 2, "shuffle": False, "verbose": 0}
    ours.fit(**fit)
    ours.save(tmp_path / kind, keras_version=2)
    theirs = tf_keras.models.load_model(tmp_path / kind)
    assert int(theirs.optimizer.iterations) == 2
    np.testing.assert_allclose(theirs.fit(**fit).history["loss"], ours.fit(**fit).history["loss"], rtol=1e-5)
