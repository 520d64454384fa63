"""Modules and functions of TensorFlow as layers."""

import copy

import numpy as np
import pytest

import kbackend
from kbackend import Input, K, Model, Sequential, layers, optimizers
from kbackend.models import load_model
from kbackend.plugin.gaps import MissingKernel
from kbackend.saving import FormatError

pytestmark = pytest.mark.engine("tensorflow")
tf = pytest.importorskip("tensorflow")

X = np.random.RandomState(0).randn(16, 4).astype("float32")
Y = X.sum(axis=1, keepdims=True)


@pytest.fixture(autouse=True)
def _on_tensorflow():
    K.clear_session()
    kbackend.set_seed(7)
    tf.random.set_seed(7)
    with kbackend.use_backend("tensorflow"):
        yield


class Net(tf.Module):
    """Two matrices, made at the first call, and a count of the calls in training; traced by itself or not."""

    def __init__(self, width=8, dtype="float32"):
        super().__init__()
        self.width, self.kind, self.matrices = width, dtype, []
        self.calls = tf.Variable(0, trainable=False)

    def __call__(self, x, training=False):
        if not self.matrices:
            for shape in ((x.shape[-1], self.width), (self.width, 3)):
                self.matrices.append(tf.Variable(0.3 * tf.random.normal(shape, dtype=self.kind)))
        if training:
            self.calls.assign_add(1)
        return tf.tanh(x @ self.matrices[0]) @ self.matrices[1]


class Traced(Net):
    __call__ = tf.function(Net.__call__)


def wrapped(module, **kwargs):
    x = Input((4,))
    return Model(x, layers.TFModule(module, name="net", **kwargs)(x))


def by_hand(module, x):
    a, b = (m.numpy() for m in module.matrices)
    return np.tanh(x @ a) @ b


# ------------------------------------------------------------------------------------- weights


@pytest.mark.parametrize("kind", [Net, Traced])
def test_variables_are_weights_with_paths_as_names(kind):
    module = kind()
    model = wrapped(module)
    layer = model.get_layer("net")
    assert [w.name for w in layer.trainable_weights] == ["net/matrices.0", "net/matrices.1"]
    assert [(w.name, w.dtype, w.shape) for w in layer.non_trainable_weights] == [("net/calls", "int32", ())]
    np.testing.assert_array_equal(layer.weights[0].numpy(), module.matrices[0].numpy())
    np.testing.assert_allclose(model.predict(X), by_hand(module, X), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "adagrad", "nadam"])
def test_training_changes_the_variables_of_the_module(optimizer):
    module = Net()
    model = wrapped(module)
    before = module.matrices[0].numpy()
    model.compile(optimizer, "mse")
    model.train_on_batch(X, X[:, :3])
    assert not np.array_equal(before, module.matrices[0].numpy()) and int(module.calls) == 1
    np.testing.assert_array_equal(module.matrices[0].numpy(), model.get_weights()[0])
    module.matrices[1].assign(tf.ones((8, 3)))
    np.testing.assert_allclose(model.predict(X), by_hand(module, X), rtol=1e-5, atol=1e-6)
    assert int(module.calls) == 1, "tests are no training"


def test_a_function_with_captured_variables():
    matrix = tf.Variable(tf.ones((4, 2)))
    model = wrapped(tf.function(lambda x: x @ matrix))
    assert [w.name for w in model.weights] == ["net/variable_0"]
    model.compile("sgd", "mse")
    model.train_on_batch(X, np.zeros((16, 2)))
    np.testing.assert_allclose(matrix.numpy(), 1 - 0.01 * 2 * X.T @ (X @ np.ones((4, 2))) / 32, rtol=1e-5)


def test_shapes_keep_unknown_sizes_and_results_their_structure():
    class Two(tf.Module):
        def __call__(self, a, b):
            return {"sum": a + b, "parts": [a - b, tf.reduce_sum(a, 1)]}

    a, b = Input((None, 4)), Input((None, 4))
    for found in (layers.TFModule(Two())([a, b]), layers.TFModule(Two())({"b": b, "a": a})):
        assert found["sum"].shape == (None, None, 4) and found["parts"][1].shape == (None, 4)
        model = Model([a, b], [found["sum"], *found["parts"]])
        steps = X[:, None]
        for value, wanted in zip(model.predict([steps, 2 * steps]), (3 * steps, -steps, X)):
            np.testing.assert_allclose(value, wanted, rtol=1e-6)
    assert layers.TFModule(Net()).compute_output_shape((None, 4)) == (None, 3)


def test_a_module_whose_flow_depends_on_values():
    class Chosen(tf.Module):
        def __call__(self, x):
            if tf.reduce_sum(x) > 0:
                return x + 1
            return x * 2

    model = wrapped(Chosen())
    np.testing.assert_allclose(model.predict(np.abs(X)), np.abs(X) + 1, rtol=1e-6)
    np.testing.assert_allclose(model.predict(-np.abs(X)), -2 * np.abs(X), rtol=1e-6)


# ------------------------------------------------------------------------------------- gradients


@pytest.mark.parametrize("kind", [Net, Traced])
def test_gradients_are_those_of_numpy(kind):
    x = Input((4,), dtype="float64")
    layer = layers.TFModule(kind(5, "float64"))
    out = layer(x)
    a, b = layer.trainable_weights
    loss = K.sum(K.square(out)) + K.sum(a)  # read by the program and by the module
    found = K.function([x], K.gradients(loss, [x, a, b]))([X.astype("float64")])
    a, b = a.numpy(), b.numpy()
    h = np.tanh(X @ a)
    y = h @ b
    of_h = (2 * y @ b.T) * (1 - h * h)
    for value, wanted in zip(found, (of_h @ a.T, X.T @ of_h + 1, 2 * h.T @ y), strict=True):
        np.testing.assert_allclose(value, wanted, rtol=1e-9, atol=1e-12)


def test_gradients_of_gradients():
    x = Input((4,), dtype="float64")
    layer = layers.TFModule(Net(1, "float64"))
    (slope,) = K.gradients(K.sum(layer(x)), [x])
    a, b = layer.trainable_weights
    (found,) = K.function([x], K.gradients(K.sum(K.square(slope)), [a]))([X.astype("float64")])
    w, c = a.numpy(), b.numpy().sum()
    t = np.tanh(X @ w)
    s = 1 - t * t
    wanted = c**2 * ((2 * s**2).sum() * w + X.T @ (2 * s * -2 * t * s) * (w * w).sum())
    np.testing.assert_allclose(found, wanted, rtol=1e-9)


def test_gradients_inside_a_loop_count_what_the_module_reads():
    """The body reads the weight as an operand of the loop, the module by itself."""
    layer = layers.TFModule(Net(2, "float64"))
    x = Input((4,), dtype="float64")
    layer(x)
    weight = layer.trainable_weights[1]

    def slope(row):
        return K.sum(K.gradients(K.sum(layer(K.expand_dims(row, 0))) + 3 * K.sum(weight), [weight])[0])

    (found,) = K.function([x], [K.map_fn(slope, x)])([X.astype("float64")])
    h = np.tanh(X.astype("float64") @ layer.trainable_weights[0].numpy())
    np.testing.assert_allclose(found, 3 * h.sum(1) + 3 * 6, rtol=1e-9)


def test_weights_of_no_module_keep_their_gradients():
    wrapped(Net())
    x = Input((4,))
    dense = layers.Dense(1)
    out = dense(x)
    unused = K.variable(1.0)
    found = K.function([x], K.gradients(K.sum(out), [dense.weights[0], dense.weights[1]]))([X])
    np.testing.assert_allclose(found[0][:, 0], X.sum(0), rtol=1e-5)
    assert K.gradients(K.sum(out), [unused]) == [None]


# ------------------------------------------------------------------------------------- in models


def test_a_frozen_layer_rests():
    module = Net()
    layer = layers.TFModule(module, trainable=False)
    x = Input((4,))
    model = Model(x, layers.Dense(1)(layer(x)))
    model.compile("sgd", "mse")
    before = [v.numpy() for v in module.variables]
    model.fit(X, Y, epochs=2, verbose=0)
    assert all(np.array_equal(a, v.numpy()) for a, v in zip(before, module.variables))
    assert len(model.trainable_weights) == 2


def test_a_module_in_a_sequential_in_a_functional_model_and_called_twice():
    inner = Sequential([layers.Dense(4, input_shape=(4,)), layers.TFModule(Traced())])
    a, b = Input((4,)), Input((4,))
    model = Model([a, b], layers.subtract([inner(a), inner(b)]))
    assert len(model.weights) == 2 + 3
    model.compile(optimizers.Adam(0.02), "mse")
    history = model.fit([X, X[::-1]], X[:, :3] - X[::-1, :3], epochs=40, verbose=0).history["loss"]
    assert history[-1] < 0.5 * history[0]


def test_the_compiler_runs_a_step():
    model = wrapped(Net())
    plain = copy.deepcopy(model)
    for jit, each in ((True, model), (False, plain)):
        each.compile("sgd", "mse", jit=jit)
        for _ in range(3):
            each.train_on_batch(X, X[:, :3])
    for a, b in zip(model.get_weights(), plain.get_weights()):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("other", ["numpy", pytest.param("torch", marks=pytest.mark.engine("torch"))])
def test_another_engine_is_refused_by_the_name_of_the_layer_until_the_model_is_moved_back(other):
    model = wrapped(Net())
    wanted = model.predict(X)
    model.to(other)
    with pytest.raises(MissingKernel, match=rf"layer net \(TFModule\) holds a module of tensorflow.* on {other}"):
        model.predict(X)
    weights = model.get_weights()
    model.get_layer("net").set_weights([weights[0], 2 * weights[1], weights[2]])
    np.testing.assert_allclose(model.to("tensorflow").predict(X), 2 * wanted, rtol=1e-5)


# ------------------------------------------------------------------------------------- files, errors


def test_files_hold_the_weights_and_the_name_of_the_class(tmp_path):
    model = wrapped(Net())
    model.compile("adam", "mse")
    model.fit(X, X[:, :3], verbose=0)
    model.save(tmp_path / "m.kb")
    for given in ({"Net": Net}, {"Net": lambda: Net(8)}, {"net": Net(8)}):
        again = load_model(tmp_path / "m.kb", custom_objects=given)
        np.testing.assert_array_equal(again.predict(X), model.predict(X))
    with pytest.raises(FormatError, match=r"'net' is a module of TensorFlow \(Net\), whose code no file holds"):
        load_model(tmp_path / "m.kb")


def test_copies_have_modules_of_their_own():
    model = wrapped(Net(6))
    model.compile("sgd", "mse")
    other = copy.deepcopy(model)
    np.testing.assert_array_equal(other.predict(X), model.predict(X))
    other.train_on_batch(X, X[:, :3])
    assert not np.array_equal(other.get_weights()[0], model.get_weights()[0])


def test_what_is_refused():
    for wrong in (3, tf.Module()):
        with pytest.raises(TypeError, match=r"layer net \(TFModule\) needs a tf.Module that can be called"):
            layers.TFModule(wrong, name="net")
    module = Net()
    kept = layers.TFModule(module, name="first")
    kept(Input((4,)))
    with pytest.raises(ValueError, match="the module is in the layer first already"):
        layers.TFModule(module)
    with pytest.raises(ValueError, match=r"first \(TFModule\) called on .*Net failed on tensors like"):
        kept(Input((5,)))
