"""What is written for Keras 2, without tf-keras: kbackend reads it back, and refuses what Keras 2 has not.

test_tf_keras.py has tf-keras read it.
"""

import json
import zipfile

import numpy as np
import pytest

import kbackend
from kbackend import Input, Model, Sequential, layers
from kbackend.models import load_model
from kbackend.saving import FormatError

h5py = pytest.importorskip("h5py")
pytestmark = pytest.mark.engine("numpy")


def recurrent():
    x, start = Input((4, 3), name="x"), Input((2,), name="start")
    inner = Sequential([layers.Dense(3, activation="hard_sigmoid", input_shape=(3,))], name="inner")
    h = layers.TimeDistributed(inner)(x)
    h = layers.GRU(2, return_sequences=True, name="gru")(h, initial_state=[start])
    h = layers.MultiHeadAttention(2, 2, name="attention")(h, h, use_causal_mask=True)
    return Model([x, start], layers.LeakyReLU(0.2)(h))


def data():
    draws = np.random.RandomState(0)
    return [draws.randn(2, 4, 3).astype("float32"), draws.randn(2, 2).astype("float32")]


@pytest.mark.parametrize("kind", ["m.keras", "m.h5"])
def test_what_is_written_for_keras_2_is_read_back(tmp_path, kind):
    model = recurrent()
    model.save(tmp_path / kind, keras_version=2)
    found = load_model(tmp_path / kind)
    assert (found.predict(data()) == model.predict(data())).all()
    assert found.layers[1].layer.layers[0].activation is kbackend.activations.get("hard_sigmoid")


def test_the_form_is_that_of_keras_2(tmp_path):
    recurrent().save(tmp_path / "m.keras", keras_version=2)
    with zipfile.ZipFile(tmp_path / "m.keras") as file:
        config = json.loads(file.read("config.json"))["config"]
        assert json.loads(file.read("metadata.json"))["keras_version"].startswith("2.")
    entries = {entry["name"]: entry for entry in config["layers"]}
    assert entries["x"]["config"]["batch_input_shape"] == [None, 4, 3]
    assert entries["gru"]["inbound_nodes"][0][0][3]["initial_state"] == [["start", 0, 0]]
    call = entries["attention"]["inbound_nodes"][0][0]
    assert call[0] == "gru" and call[3]["value"] == ["gru", 0, 0]


def test_operations_are_those_of_tensorflow(tmp_path):
    """Which are refused in reading unless their functions are given."""
    x = Input((3,), name="x")
    model = Model(x, layers.Dense(2)(1.0 - x))
    model.save(tmp_path / "m.h5", keras_version=2)
    with pytest.raises(FormatError, match=r"operation of TensorFlow \(math\.subtract\).*custom_objects") as caught:
        load_model(tmp_path / "m.h5")
    name = caught.value.reason.partition("custom_objects={'")[2].partition("'")[0]
    values = np.random.RandomState(0).randn(2, 3).astype("float32")
    found = load_model(tmp_path / "m.h5", {name: lambda x, y: x - y})
    np.testing.assert_array_equal(found.predict(values), model.predict(values))


@pytest.mark.parametrize(
    ("layer", "version", "words"),
    [
        (layers.RMSNormalization(name="n"), 2, "the layer n is a RMSNormalization, which Keras 2 has not"),
        (layers.ThresholdedReLU(name="n"), 3, "the layer n is a ThresholdedReLU, which Keras 3 has not"),
        (layers.SpectralNormalization(layers.Dense(2), name="n"), 2, "reads from no file"),
        (layers.ZeroPadding1D(data_format="channels_first", name="n"), 2, "no data_format, which is 'channels_first'"),
    ],
)
def test_what_a_version_has_not_is_refused(tmp_path, layer, version, words):
    x = Input((4, 3) if isinstance(layer, layers.ZeroPadding1D) else (4,))
    with pytest.raises(ValueError, match=words):
        Model(x, layer(x)).save(tmp_path / "m.keras", keras_version=version)
    assert not (tmp_path / "m.keras").exists()


@pytest.mark.parametrize(("name", "version"), [("m.keras", 4), ("m.h5", "2"), ("m.kb", 3)])
def test_versions_that_are_none(tmp_path, name, version):
    x = Input((4,))
    with pytest.raises(ValueError, match="keras_version"):
        Model(x, layers.Dense(2)(x)).save(tmp_path / name, keras_version=version)


def test_settings_that_optimizers_of_keras_2_have_not(tmp_path):
    x = Input((4,))
    model = Model(x, layers.Dense(2)(x))
    model.compile(kbackend.optimizers.Adam(gradient_accumulation_steps=2), "mse")
    with pytest.raises(ValueError, match="gradient_accumulation_steps=2, which Keras 2 has not"):
        model.save(tmp_path / "m.keras", keras_version=2)
    model.save(tmp_path / "m.keras", include_optimizer=False, keras_version=2)


@pytest.mark.parametrize(("kind", "version"), [("m.keras", 2), ("m.keras", 3), ("m.h5", 2)])
def test_the_state_of_the_optimizer_goes_along(tmp_path, kind, version):
    x = Input((4,))
    model = Model(x, layers.Dense(2)(layers.Dense(3)(x)))
    model.compile(kbackend.optimizers.Adam(0.01), "mse")
    values = np.random.RandomState(0).randn(8, 4).astype("float32")
    fit = {"x": values, "y": values[:, :2], "epochs": 2, "shuffle": False, "verbose": 0}
    model.fit(**fit)
    model.save(tmp_path / kind, keras_version=version)
    assert load_model(tmp_path / kind).fit(**fit).history["loss"] == model.fit(**fit).history["loss"]
