"""Files between Keras 3 and kbackend, both ways, over all layers that both have."""

import importlib.util
import json
import os
import subprocess
import sys

import numpy as np
import pytest
from support.keras3 import computed

import kbackend
from kbackend.models import load_model
from kbackend.saving import FormatError

pytestmark = pytest.mark.engine("tensorflow")

if importlib.util.find_spec("tensorflow") is None or importlib.util.find_spec("h5py") is None:
    pytest.skip("the oracle is Keras 3 on TensorFlow, and its files need h5py", allow_module_level=True)

from saving.keras.cases import CASES, Case, label, larger, larger_data  # noqa: E402

# tests of kbackend's own files decide what is exact; engines round sums of products in their own ways
CLOSE = {"rtol": 2e-5, "atol": 2e-6}


@pytest.fixture(autouse=True)
def on_numpy():
    with kbackend.use_backend("numpy"):
        yield


def randomized(model):
    """The model with weights that are all different, and positive where variances must be."""
    draws = np.random.RandomState(2)
    model.set_weights([draws.uniform(0.1, 1.0, w.shape).astype(w.dtype) for w in model.get_weights()])
    return model


def listed(values):
    return values if isinstance(values, list) else [values]


def assert_same(ours, theirs, data):
    if any(type(layer).__name__ == "RandomCrop" for layer in ours.layers):
        return  # Keras leaves images as they are in inference, kbackend gives the size of training
    found = listed(ours.predict(data if len(data) > 1 else data[0]))
    wanted = listed(computed(theirs, data if len(data) > 1 else data[0]))
    assert len(found) == len(wanted)
    for a, b in zip(found, wanted):
        assert a.shape == b.shape
        np.testing.assert_allclose(a, b, **CLOSE)


def without(config):
    """A configuration without what is made anew each time."""
    kept = {k: v for k, v in config.items() if k not in ("name", "dtype", "build_input_shape")}
    return json.loads(json.dumps(kept))


@pytest.mark.parametrize("case", CASES, ids=label)
def test_a_layer_from_keras(keras, tmp_path, case: Case):
    theirs = randomized(case.made(keras))
    # Keras itself cannot write an .h5 of RandomBrightness: it copies a module
    for kind in ("m.keras", "m.h5")[: 1 if case.layer == "RandomBrightness" else 2]:
        theirs.save(tmp_path / kind)
        assert_same(load_model(tmp_path / kind), theirs, case.data())
    theirs.save_weights(tmp_path / "m.weights.h5")
    ours = case.made(kbackend)
    ours.load_weights(tmp_path / "m.weights.h5")
    assert_same(ours, theirs, case.data())


@pytest.mark.parametrize("case", CASES, ids=label)
def test_a_layer_to_keras(keras, tmp_path, case: Case):
    ours = randomized(case.made(kbackend))
    for kind in ("m.keras", "m.h5"):
        ours.save(tmp_path / kind)
        theirs = keras.models.load_model(tmp_path / kind)
        assert_same(ours, theirs, case.data())
        given = case.made(keras).get_layer("tested").get_config()
        assert without(theirs.get_layer("tested").get_config()) == without(given)
    ours.save_weights(tmp_path / "m.weights.h5")
    fresh = case.made(keras)
    fresh.load_weights(tmp_path / "m.weights.h5")
    assert_same(ours, fresh, case.data())


@pytest.mark.parametrize("kind", ["m.keras", "m.h5"])
def test_a_larger_model_both_ways(keras, tmp_path, kind):
    theirs = randomized(larger(keras))
    theirs.save(tmp_path / kind)
    ours = load_model(tmp_path / kind)
    assert_same(ours, theirs, larger_data())
    (tmp_path / "back").mkdir()
    ours.save(tmp_path / "back" / kind)
    assert_same(ours, keras.models.load_model(tmp_path / "back" / kind), larger_data())


def test_weights_of_a_larger_model_both_ways(keras, tmp_path):
    theirs, ours = randomized(larger(keras)), larger(kbackend)
    theirs.save_weights(tmp_path / "m.weights.h5")
    assert ours.load_weights(tmp_path / "m.weights.h5") == []
    assert_same(ours, theirs, larger_data())
    ours.save_weights(tmp_path / "n.weights.h5")
    fresh = larger(keras)
    fresh.load_weights(tmp_path / "n.weights.h5")
    assert_same(ours, fresh, larger_data())


X = np.random.RandomState(0).normal(size=(32, 5)).astype(np.float32)
Y = X[:, :2]


def small(module):
    x = module.Input((5,))
    h = module.layers.Dense(4, activation="tanh")(x)
    return module.Model(x, module.layers.Dense(2)(module.layers.BatchNormalization()(h)))


OPTIMIZERS = {
    "SGD": {"learning_rate": 0.1, "momentum": 0.9, "nesterov": True},
    "Adam": {"learning_rate": 0.01, "beta_1": 0.8},
    "RMSprop": {"learning_rate": 0.01, "rho": 0.8},
    "Adadelta": {"learning_rate": 0.5},
}


@pytest.mark.parametrize("kind", ["m.keras", "m.h5"])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_training_goes_on_from_keras(keras, tmp_path, name, kind):
    theirs = small(keras)
    theirs.compile(getattr(keras.optimizers, name)(**OPTIMIZERS[name]), "mse", metrics=["mae"])
    theirs.fit(X, Y, epochs=3, shuffle=False, verbose=0)
    theirs.save(tmp_path / kind)
    ours = load_model(tmp_path / kind)
    found = ours.fit(X, Y, epochs=3, shuffle=False, verbose=0).history
    wanted = theirs.fit(X, Y, epochs=3, shuffle=False, verbose=0).history
    np.testing.assert_allclose(found["loss"], wanted["loss"], rtol=1e-4)
    np.testing.assert_allclose(found["mae"], wanted["mae"], rtol=1e-4)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_training_goes_on_in_keras(keras, tmp_path, name):
    ours = small(kbackend)
    ours.compile(getattr(kbackend.optimizers, name)(**OPTIMIZERS[name]), "mse", metrics=["mae"])
    ours.fit(X, Y, epochs=3, shuffle=False, verbose=0)
    ours.save(tmp_path / "m.keras")
    theirs = keras.models.load_model(tmp_path / "m.keras")
    wanted = theirs.fit(X, Y, epochs=3, shuffle=False, verbose=0).history["loss"]
    np.testing.assert_allclose(ours.fit(X, Y, epochs=3, shuffle=False, verbose=0).history["loss"], wanted, rtol=1e-4)


def test_a_gate_of_attention(keras, tmp_path):
    """Whose weights lie in a group that is named unlike those of the other projections."""
    x = keras.Input((4, 3))
    theirs = randomized(keras.Model(x, keras.layers.MultiHeadAttention(2, 2, use_gate=True)(x, x)))
    data = np.random.RandomState(0).normal(size=(2, 4, 3)).astype(np.float32)
    theirs.save(tmp_path / "m.keras")
    ours = load_model(tmp_path / "m.keras")
    assert_same(ours, theirs, [data])
    ours.save(tmp_path / "n.keras")
    assert_same(ours, keras.models.load_model(tmp_path / "n.keras"), [data])


def test_operations_between_layers(keras, tmp_path):
    x = keras.Input((4, 3))
    y = keras.ops.concatenate([x * 2 + 1, keras.ops.abs(x) / 3], axis=-1)[:, 1:]
    y = keras.ops.mean(keras.ops.reshape(y, (-1, 18)), axis=1, keepdims=True) - 0.5
    theirs = keras.Model(x, y)
    theirs.save(tmp_path / "m.keras")
    data = np.random.RandomState(0).normal(size=(2, 4, 3)).astype(np.float32)
    assert_same(load_model(tmp_path / "m.keras"), theirs, [data])


def test_operations_of_ours_that_keras_has(keras, tmp_path):
    x = kbackend.Input((3,))
    ours = kbackend.Model(x, kbackend.layers.Dense(2)(x * 2.0 + kbackend.K.abs(x)))
    ours.save(tmp_path / "m.keras")
    assert_same(ours, keras.models.load_model(tmp_path / "m.keras"), [X[:, :3]])


def test_nothing_of_keras_or_tensorflow_is_imported(keras, tmp_path):
    theirs = larger(keras)
    for kind in ("m.keras", "m.h5"):
        theirs.save(tmp_path / kind)
    code = (
        "import sys; from kbackend.models import load_model\n"
        "for path in sys.argv[1:]: load_model(path).predict\n"
        "print([m for m in ('keras', 'tensorflow', 'torch', 'tf_keras') if m in sys.modules])"
    )
    paths = [str(tmp_path / kind) for kind in ("m.keras", "m.h5")]
    done = subprocess.run([sys.executable, "-c", code, *paths], capture_output=True, text=True, check=True,
                          env={**os.environ, "KBACKEND": "numpy"})
    assert done.stdout.strip() == "[]"


def test_hard_sigmoid_of_keras_3_is_another_function(keras, tmp_path):
    x = keras.Input((5,))
    theirs = keras.Model(x, keras.layers.Dense(3, activation="hard_sigmoid", name="d")(x))
    theirs.save(tmp_path / "m.keras")
    with pytest.raises(FormatError, match="layer 'd': hard_sigmoid of Keras 3 is another function"):
        load_model(tmp_path / "m.keras")
    assert_same(load_model(tmp_path / "m.keras", {"hard_sigmoid": kbackend.ops.hard_sigmoid}), theirs, [X])
    x = kbackend.Input((5,))
    with pytest.raises(ValueError, match="hard_sigmoid is another function in Keras 3"):
        kbackend.Model(x, kbackend.layers.Dense(3, activation="hard_sigmoid")(x)).save(tmp_path / "n.keras")


def test_custom_layers_of_keras(keras, tmp_path):
    @keras.saving.register_keras_serializable("mine")
    class Twice(keras.layers.Layer):
        def call(self, inputs):
            return inputs * 2

    class Doubled(kbackend.layers.Layer):
        def call(self, inputs):
            return inputs * 2

    x = keras.Input((5,))
    theirs = keras.Model(x, Twice(name="twice")(x))
    theirs.save(tmp_path / "m.keras")
    with pytest.raises(FormatError, match=r"layer 'twice': no layer 'Twice' is known.*custom_objects"):
        load_model(tmp_path / "m.keras")
    assert_same(load_model(tmp_path / "m.keras", {"Twice": Doubled}), theirs, [X])


def test_lambdas_of_keras(keras, tmp_path):
    x = keras.Input((5,))
    theirs = keras.Model(x, keras.layers.Lambda(lambda v: v * 3, name="thrice")(x))
    for kind in ("m.keras", "m.h5"):
        theirs.save(tmp_path / kind)
        with pytest.raises(FormatError, match=r"layer 'thrice': it is a Lambda .*custom_objects=\{'thrice': function"):
            load_model(tmp_path / kind)
        assert_same(load_model(tmp_path / kind, {"thrice": lambda v: v * 3}), theirs, [X])


@pytest.mark.parametrize("name", ["own.keras", "own.h5"])
def test_layers_of_ones_own_are_written_by_name(tmp_path, keras, name):
    from kbackend import Input, K, Model, layers

    class Scale(layers.Layer):
        def __init__(self, by=2.0, **kwargs):
            super().__init__(**kwargs)
            self.by = by

        def build(self, input_shape):
            self.w = self.add_weight("w", (input_shape[-1],), initializer="normal")

        def call(self, inputs):
            return inputs * self.w * self.by

        def get_config(self):
            return {**super().get_config(), "by": self.by}

    class Theirs(keras.layers.Layer):
        def __init__(self, by=2.0, **kwargs):
            super().__init__(**kwargs)
            self.by = by

        def build(self, input_shape):
            self.w = self.add_weight(shape=(input_shape[-1],), name="w")

        def call(self, inputs):
            return inputs * self.w * self.by

    Theirs.__name__ = "Scale"  # groups of .keras files are named by classes

    def halved(t):
        return K.square(t) * 0.5

    x = Input((3,))
    model = Model(x, layers.Lambda(halved, name="half")(Scale(3.0)(x)))
    path, data = tmp_path / name, np.arange(6.0, dtype="float32").reshape(2, 3)
    model.save(path)
    again = load_model(path, custom_objects={"Scale": Scale, "half": halved})
    np.testing.assert_array_equal(again.predict(data), model.predict(data))
    with pytest.raises(FormatError, match="no layer 'Scale' is known; give its class"):
        load_model(path, custom_objects={"half": halved})
    alone = Model(x, model.layers[1].output)
    alone.save(path)
    theirs = keras.models.load_model(path, custom_objects={"Scale": Theirs}, compile=False)
    np.testing.assert_allclose(computed(theirs, data), alone.predict(data), rtol=1e-6)
