"""Functions of SavedModel folders as layers."""

import copy
from pathlib import Path

import numpy as np
import pytest

import kbackend
from kbackend import Input, K, Model, Sequential, layers
from kbackend.models import load_model
from kbackend.saving import FormatError

pytestmark = pytest.mark.engine("tensorflow")
tf = pytest.importorskip("tensorflow")

X = np.random.RandomState(0).rand(8, 4).astype("float32")
SPEC = [tf.TensorSpec((None, 4))]


@pytest.fixture(autouse=True)
def _on_tensorflow():
    K.clear_session()
    with kbackend.use_backend("tensorflow"):
        yield


class Product(tf.Module):
    """A matrix, and a count of the calls of the second function."""

    def __init__(self):
        super().__init__()
        self.matrix = tf.Variable(tf.ones((4, 2)), name="inner/matrix")
        self.count = tf.Variable(0.0, trainable=False, name="count")

    @tf.function(input_signature=SPEC)
    def serve(self, x):
        return x @ self.matrix

    @tf.function(input_signature=SPEC)
    def train(self, x):
        self.count.assign_add(1.0)
        return 2.0 * (x @ self.matrix)

    @tf.function(input_signature=[tf.TensorSpec((None, 4), name="b"), tf.TensorSpec((None, 4), name="a")])
    def both(self, b, a):
        return {"difference": a - b}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("saved")
    module = Product()
    tf.saved_model.save(module, str(path), signatures={"serving_default": module.serve, "named": module.both})
    return path


def made(folder, **kwargs):
    x = Input((4,))
    return Model(x, layers.TFSMLayer(folder, name="net", **kwargs)(x))


def test_variables_are_weights_and_the_phase_chooses_the_function(folder):
    model = made(folder, call_training_endpoint="train")
    assert [(w.name, w.shape, w.trainable) for w in model.weights] == [
        ("net/inner_matrix", (4, 2), True), ("net/count", (), False)]  # fmt: skip
    total = X.sum(1, keepdims=True)
    np.testing.assert_allclose(model.predict(X), np.repeat(total, 2, 1), rtol=1e-6)
    model.compile("sgd", "mse")
    loss = model.train_on_batch(X, np.zeros((8, 2)))
    np.testing.assert_allclose(loss, np.mean((2 * total) ** 2), rtol=1e-5)
    matrix, count = model.get_weights()
    np.testing.assert_allclose(matrix, 1 - 0.01 * np.repeat(4 * X.T @ total * 2 / 16, 2, 1), rtol=1e-5)
    assert count == 1 and made(folder).count_params() == 8


def test_a_frozen_layer_keeps_to_the_function_of_tests(folder):
    model = made(folder, call_training_endpoint="train", trainable=False)
    model.compile("sgd", "mse")
    before = model.get_weights()
    model.train_on_batch(X, np.zeros((8, 2)))
    for a, b in zip(before, model.get_weights()):
        np.testing.assert_array_equal(a, b)


def test_signatures_take_tensors_by_name_or_in_the_order_of_names(folder):
    a, b = Input((4,)), Input((4,))
    for given in ({"a": a, "b": b}, [a, b]):
        made = layers.TFSMLayer(folder, "named")(given)
        assert list(made) == ["difference"]
        np.testing.assert_allclose(Model([a, b], made["difference"]).predict([X, 3 * X]), -2 * X, rtol=1e-6)
    with pytest.raises(ValueError, match=r"tfsm_layer_3 \(TFSMLayer\) called on .*the SavedModel failed"):
        layers.TFSMLayer(folder, "named")([a, b, a])


def test_what_kbackend_and_keras_export(tmp_path, keras):
    own = Sequential([Input((4,)), layers.Dense(3, activation="tanh")])
    own.export(tmp_path / "own", format="tf_saved_model")
    layer = layers.TFSMLayer(tmp_path / "own", "serving_default")
    x = Input((4,))
    np.testing.assert_allclose(Model(x, layer(x)["output_1"]).predict(X), own.predict(X), rtol=1e-6)
    theirs = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(3)])
    theirs.export(tmp_path / "theirs", verbose=False)
    layer = layers.TFSMLayer(tmp_path / "theirs")
    np.testing.assert_allclose(Model(x, layer(x)).predict(X), theirs.predict(X, verbose=0), rtol=1e-6)
    again = keras.layers.TFSMLayer(str(tmp_path / "theirs"))
    for ours, right in zip(layer.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, right)


def test_files_and_copies(tmp_path, folder):
    model = made(folder)
    model.compile("sgd", "mse")
    model.fit(X, np.zeros((8, 2)), verbose=0)
    model.save(tmp_path / "m.kb")
    for again in (load_model(tmp_path / "m.kb", custom_objects={"net": str(folder)}), copy.deepcopy(model)):
        np.testing.assert_array_equal(again.predict(X), model.predict(X))
        again.train_on_batch(X, np.zeros((8, 2)))
        assert not np.array_equal(again.get_weights()[0], model.get_weights()[0])


def test_no_configuration_loads_a_program(tmp_path, folder, monkeypatch):
    model = made(folder)
    layer = model.get_layer("net")
    config = layer.get_config()
    assert layers.TFSMLayer.from_config(config, safe_mode=False).get_config() == config
    assert layers.TFSMLayer.from_config({**config, "filepath": Path(folder)}).filepath == str(folder)
    model.save(tmp_path / "m.kb")
    monkeypatch.setattr(tf.saved_model, "load", lambda path: pytest.fail(f"{path} was loaded"))
    for read in (lambda: layers.TFSMLayer.from_config(config), lambda: Model.from_config(model.get_config()),
                 lambda: layers.deserialize(layers.serialize(layer))):  # fmt: skip
        with pytest.raises(ValueError, match="loads a SavedModel, which is a program.*safe_mode=False"):
            read()
    with pytest.raises(FormatError, match=r"'net' is a SavedModel of TensorFlow .*custom_objects={'net': filepath}"):
        load_model(tmp_path / "m.kb")


def test_what_is_not_there(tmp_path, folder):
    with pytest.raises(ValueError, match=r"net \(TFSMLayer\): there is no SavedModel in '.*nothing'"):
        layers.TFSMLayer(tmp_path / "nothing", name="net")
    with pytest.raises(ValueError, match="no function 'other'; it has both, named, serve, serving_default, train"):
        layers.TFSMLayer(folder, "other")
    with pytest.raises(ValueError, match="no function 'other'"):
        layers.TFSMLayer(folder, call_training_endpoint="other")
