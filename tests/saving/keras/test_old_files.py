"""Files of Keras 1 and 2: stored ones that tf-keras 2.21 wrote or read, with what it predicted. Neither is needed here.

``files/expected.npz`` has the inputs and predictions of tf-keras. The files keras_1_* and cudnn hold random weights in
the layouts of Keras 1 and of the layers for cuDNN, which tf-keras converted.
"""

import json
import warnings
from pathlib import Path

import numpy as np
import pytest

import kbackend
from kbackend import Input, Model, layers
from kbackend.models import load_model, model_from_json
from kbackend.saving import FormatError
from kbackend.saving.keras import old

h5py = pytest.importorskip("h5py")

FILES = Path(__file__).parent / "files"
CLOSE = {"rtol": 2e-5, "atol": 2e-6}


@pytest.fixture(scope="module")
def expected():
    with np.load(FILES / "expected.npz") as found:
        return dict(found)


@pytest.fixture(autouse=True)
def on_numpy():
    with kbackend.use_backend("numpy"):
        yield


def nested_data(expected):
    return [expected["nested_words"], expected["nested_x"]]


@pytest.mark.parametrize("kind", [".h5", ".keras"])
def test_nested_models_wrappers_and_cells_of_tf_keras(expected, kind):
    model = load_model(FILES / f"tf_keras_nested{kind}")
    np.testing.assert_allclose(model.predict(nested_data(expected)), expected["nested_y"], **CLOSE)


def test_weights_alone_of_tf_keras(expected):
    for name in ("tf_keras_nested_by_name.h5", "tf_keras_nested.weights.h5"):
        model = model_from_json((FILES / "tf_keras_nested.json").read_text())
        assert model.load_weights(FILES / name) == []
        np.testing.assert_allclose(model.predict(nested_data(expected)), expected["nested_y"], **CLOSE)
    model = model_from_json((FILES / "tf_keras_nested.json").read_text())
    assert model.load_weights(FILES / "tf_keras_nested_by_name.h5", by_name=True) == []
    np.testing.assert_allclose(model.predict(nested_data(expected)), expected["nested_y"], **CLOSE)


def test_training_goes_on_from_the_state_of_the_optimizer(expected):
    model = load_model(FILES / "tf_keras_nested.h5")
    assert type(model.optimizer).__name__ == "Adam" and int(model.optimizer.iterations.numpy()) == 4
    history = model.fit(nested_data(expected), expected["nested_t"], 4, 3, verbose=0, shuffle=False).history["loss"]
    np.testing.assert_allclose(history, expected["nested_loss"], rtol=1e-4)


def test_a_convnet_of_tf_keras(expected):
    model = load_model(FILES / "tf_keras_convnet.h5")
    np.testing.assert_allclose(model.predict(expected["convnet_x"]), expected["convnet_y"], **CLOSE)
    assert model.optimizer.get_config()["momentum"] == pytest.approx(0.9)


def recurrent():
    x = Input((6, 5))
    h = layers.LSTM(3, return_sequences=True, name="lstm")(layers.Conv1D(4, 3, name="conv")(x))
    h = layers.Bidirectional(layers.GRU(2, reset_after=False, name="g"), name="both")(h)
    return Model(x, layers.Dense(2, name="y")(h))


def images():
    x = Input((3, 6, 6, 2))
    h = layers.ConvLSTM2D(2, (2, 2), recurrent_activation="sigmoid", name="convlstm")(x)
    h = layers.Conv2D(2, (3, 2), name="conv")(layers.Conv2DTranspose(3, (2, 2), name="up")(h))
    return Model(x, layers.Flatten(name="f")(h))


def gates():
    x = Input((6, 5))
    return Model(x, layers.GRU(3, name="gru")(layers.LSTM(4, return_sequences=True, name="lstm")(x)))


@pytest.mark.parametrize("by_name", [False, True])
@pytest.mark.parametrize("name, made", [("keras_1_recurrent", recurrent), ("keras_1_images", images), ("cudnn", gates)])
def test_layouts_of_keras_1_and_of_cudnn(expected, name, made, by_name):
    model = made()
    assert model.load_weights(FILES / f"{name}.h5", by_name=by_name) == []
    np.testing.assert_allclose(model.predict(expected[f"{name}_x"]), expected[f"{name}_y"], **CLOSE)


@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
def test_cudnn_layouts_both_ways(kind):
    """Weights of a plain layer, converted for cuDNN's and back, and the two layers on the same input."""
    x = Input((5, 3))
    plain, fast = getattr(layers, kind)(4), getattr(layers, f"CuDNN{kind}")(4)
    outputs = Model(x, [plain(x), fast(x)])
    draws = np.random.RandomState(0)
    arrays = [draws.uniform(-1, 1, w.shape).astype("float32") for w in fast.get_weights()]
    fast.set_weights(arrays)
    found = old.weights(plain, arrays, old.Origin("2.2.4"))
    plain.set_weights(found)
    one, other = outputs.predict(draws.normal(size=(2, 5, 3)))
    np.testing.assert_allclose(one, other, **CLOSE)
    again = old.weights(fast, found, old.Origin("2.2.4"))
    assert again[0].tobytes() == arrays[0].tobytes() and again[1].tobytes() == arrays[1].tobytes()
    fast.set_weights(again)
    np.testing.assert_allclose(outputs.predict(np.ones((1, 5, 3)))[1], outputs.predict(np.ones((1, 5, 3)))[0], **CLOSE)


def test_kernels_of_theano_are_turned():
    x = Input((5, 5, 2))
    layer = layers.Conv2D(3, 2)
    layer(x)
    kernel = np.arange(24.0).reshape(2, 2, 2, 3)
    turned, bias = old.weights(layer, [kernel, np.ones(3)], old.Origin("2.1.0", "theano"))
    assert turned.tolist() == kernel[::-1, ::-1].tolist() and bias.tolist() == [1.0] * 3
    assert old.weights(layer, [kernel], old.Origin("2.1.0", "tensorflow"))[0] is kernel


def test_kernels_of_keras_1_with_the_channels_first():
    x = Input((2, 5, 6))
    for layer, order in ((layers.Conv2D(3, (2, 4), data_format="channels_first"), (3, 2, 0, 1)),
                         (layers.Conv2DTranspose(3, (2, 4), data_format="channels_first"), (2, 3, 0, 1))):
        layer(x)
        wanted = np.random.RandomState(0).normal(size=layer.get_weights()[0].shape)
        stored = wanted.transpose(order)  # (filters, channels, rows, columns)
        if isinstance(layer, layers.Conv2DTranspose):
            stored = wanted.transpose(2, 3, 0, 1)  # of the layer whose gradient it is
        assert old.weights(layer, [stored], old.Origin())[0].tolist() == wanted.tolist()


KERAS_1 = {
    "class_name": "Sequential", "keras_version": "1.2.2", "config": [
        {"class_name": "Convolution2D", "config": {
            "name": "c", "nb_filter": 3, "nb_row": 2, "nb_col": 3, "border_mode": "same", "subsample": [1, 1],
            "dim_ordering": "tf", "init": "glorot_uniform", "activation": "relu", "bias": True, "W_constraint": None,
            "W_regularizer": {"name": "WeightRegularizer", "l1": 0.0, "l2": 0.01}, "b_regularizer": None,
            "activity_regularizer": None, "b_constraint": {"name": "MaxNorm", "m": 2.0, "axis": 0},
            "batch_input_shape": [None, 6, 5, 2], "input_dtype": "float32", "trainable": True}},
        {"class_name": "BatchNormalization", "config": {
            "name": "n", "mode": 0, "axis": -1, "epsilon": 0.001, "momentum": 0.99, "beta_regularizer": None,
            "gamma_regularizer": None, "trainable": True}},
        {"class_name": "MaxPooling2D", "config": {
            "name": "p", "pool_size": [2, 2], "strides": [2, 2], "border_mode": "valid", "dim_ordering": "tf"}},
        {"class_name": "Dropout", "config": {"name": "drop", "p": 0.3}},
        {"class_name": "Reshape", "config": {"name": "r", "target_shape": [3, 6]}},
        {"class_name": "LSTM", "config": {
            "name": "l", "output_dim": 4, "init": "glorot_uniform", "inner_init": "orthogonal",
            "forget_bias_init": "one", "activation": "tanh", "inner_activation": "hard_sigmoid", "dropout_W": 0.1,
            "dropout_U": 0.0, "W_regularizer": None, "U_regularizer": None, "b_regularizer": None,
            "return_sequences": False, "go_backwards": False, "stateful": False, "unroll": False,
            "consume_less": "cpu", "input_dim": 6, "input_length": None}},
        {"class_name": "Dense", "config": {
            "name": "d", "output_dim": 2, "init": "uniform", "activation": "softmax", "bias": True, "input_dim": None,
            "W_regularizer": None, "b_regularizer": None, "activity_regularizer": None, "W_constraint": None,
            "b_constraint": None}},
    ]}  # fmt: skip


def test_a_configuration_of_keras_1():
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # spellings in a file are no fault of its reader
        model = model_from_json(json.dumps(KERAS_1))
    conv, norm, pool, drop, _, lstm, dense = model.layers
    assert (conv.filters, conv.kernel_size, conv.padding, conv.data_format) == (3, (2, 3), "same", "channels_last")
    assert conv.kernel_regularizer.get_config()["l2"] == pytest.approx(0.01)
    assert conv.bias_constraint.get_config()["max_value"] == 2.0
    assert (norm.epsilon, pool.pool_size, drop.rate) == (0.001, (2, 2), 0.3)
    assert (lstm.units, lstm.dropout, lstm.unit_forget_bias, dense.units) == (4, 0.1, True, 2)
    assert lstm.recurrent_activation.__name__ == "hard_sigmoid"
    assert model.output_shape == (None, 2)


def test_a_model_inside_a_sequential_of_keras_1_has_its_layers_in_the_file(tmp_path):
    inner = kbackend.Sequential([layers.Dense(3, input_shape=(4,), name="a")], name="inner")
    model = kbackend.Sequential([inner, layers.Dense(2, name="b")])
    arrays = {"a": [np.ones((4, 3)), np.zeros(3)], "b": [np.full((3, 2), 2.0), np.ones(2)]}
    with h5py.File(tmp_path / "w.h5", "w") as file:
        file.attrs["layer_names"] = np.array([b"a", b"b"])
        for name, values in arrays.items():
            group = file.create_group(name)
            group.attrs["weight_names"] = np.array([f"{name}_W".encode(), f"{name}_b".encode()])
            for place, value in zip("Wb", values):
                group[f"{name}_{place}"] = value
    for by_name in (False, True):
        model.set_weights([w * 0 for w in model.get_weights()])
        assert model.load_weights(tmp_path / "w.h5", by_name=by_name) == []
        assert model.predict(np.ones((1, 4))).tolist() == [[25.0, 25.0]]


def test_an_odd_number_of_weights_of_two_directions_is_refused():
    layer = layers.Bidirectional(layers.LSTM(2))
    layer(Input((3, 2)))
    with pytest.raises(FormatError, match="the two directions have 5 weights together"):
        old.weights(layer, [np.zeros(1)] * 5, old.Origin())


def test_operations_of_tensorflow_become_functions_of_the_caller():
    def entry(kind, name, inbound, **config):
        return {"class_name": kind, "config": {"name": name, "dtype": "float32", **config}, "name": name,
                "inbound_nodes": inbound}  # fmt: skip

    found = [
        entry("InputLayer", "x", [], batch_input_shape=[None, 3]),
        entry("TFOpLambda", "tf.math.add", [["x", 0, 0, {"y": ["x", 0, 0], "name": None}]], function="math.add"),
        entry("SlicingOpLambda", "item", [["tf.math.add", 0, 0, {"slice_spec": [{"start": 1}]}]], function="_slice"),
    ]
    config = {"name": "m", "layers": found, "input_layers": [["x", 0, 0]], "output_layers": [["item", 0, 0]]}
    text = json.dumps({"class_name": "Functional", "config": config, "keras_version": "2.15.0"})
    with pytest.raises(FormatError, match=r"tf.math.add.*custom_objects=\{'tf.math.add': function\}"):
        model_from_json(text)
    functions = {"tf.math.add": lambda x, y: x + y, "item": lambda x, slice_spec: x[:, slice_spec[0]["start"]]}
    assert model_from_json(text, functions).predict(np.array([[1.0, 2.0, 3.0]])).tolist() == [4.0]
