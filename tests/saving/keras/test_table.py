"""Files between Keras 3 and kbackend over the table of layers, and over architectures of keras.applications.

One row of each layer in the ordinary run; all of them, and the slower architectures, with KBACKEND_TEST_SLOW=1.
"""

import importlib.util
import inspect
import os

import numpy as np
import pytest
from support.keras3 import computed

import kbackend
from kbackend.ground.tree import tree_leaves
from kbackend.models import load_model

pytestmark = pytest.mark.engine("tensorflow")

if importlib.util.find_spec("tensorflow") is None or importlib.util.find_spec("h5py") is None:
    pytest.skip("the oracle is Keras 3 on TensorFlow, and its files need h5py", allow_module_level=True)

from layers.table import all_rows, last, weights_for  # noqa: E402

SLOW = bool(os.environ.get("KBACKEND_TEST_SLOW"))
slow = pytest.mark.skipif(not SLOW, reason="takes minutes; KBACKEND_TEST_SLOW=1 runs it")
RELATIVE, ABSOLUTE = 1e-4, 1e-5


def chosen():
    """Rows that Keras computes too, those that differ in masks or phases alone once."""
    found = {}
    for row in all_rows():
        if row.keras is True:
            given = id(row) if callable(row.arguments) else str(row.arguments)
            found.setdefault((row.layer, given, str(row.shapes)), row)
    if SLOW:
        return list(found.values())
    return list({row.layer: row for row in reversed(found.values())}.values())[::-1]


@pytest.fixture(autouse=True)
def on_numpy(keras):
    keras.config.set_dtype_policy("float32")
    with kbackend.use_backend("numpy"):
        yield


def model_of(module, row):
    layer = getattr(module.layers, row.layer)(name="tested", **row.given(module.layers), **last(row))
    inputs = [module.Input(s, dtype=row.dtype or "float32", name=f"in{i}") for i, s in enumerate(row.shapes)]
    apart = "query" in inspect.signature(layer.call).parameters
    given = inputs if apart or len(inputs) == 1 else [inputs]
    return module.Model(inputs, layer(*given, **row.called))


def of_keras(keras, row):
    """Keras's model, its data and what it predicts."""
    theirs = model_of(keras, row)
    weights = [w for w in theirs.weights if "seed_generator" not in w.path]
    for weight, value in zip(weights, weights_for([(w.name, tuple(w.shape)) for w in weights])):
        weight.assign(value)
    values = [v.astype("float32") if v.dtype == np.float64 else v for v in row.inputs()]
    data = values if len(values) > 1 else values[0]
    try:
        return theirs, data, computed(theirs, data)
    except Exception as error:
        pytest.skip(f"Keras cannot predict it: {type(error).__name__}")


def assert_close(found, wanted):
    for a, b in zip(tree_leaves(found), tree_leaves(wanted), strict=True):
        # errors are relative to the largest value: decibels of a spectrogram are sums around -70 and cross zero
        np.testing.assert_allclose(a, b, RELATIVE, ABSOLUTE * max(1.0, np.abs(b).max(initial=0)))


#: layers whose files Keras 3.15 does not read or write itself, with what it does
NOT_OF_KERAS = {
    "RandomBrightness": "it cannot copy its configuration", "RandomPosterization": "it cannot copy its configuration",
    "RandomSharpness": "it cannot copy its configuration", "Solarization": "it cannot copy its configuration",
    "RandomColorDegeneration": "it writes a factor of [-0.2, 0.2] for 0.2, and refuses it",
    "RandomSaturation": "it writes a factor of [-0.2, 0.2] for 0.2, and refuses it",
    "RandomShear": "it writes a factor of [-0.2, 0.2] for 0.2, and refuses it",
}  # fmt: skip


def ends_the_process(row):
    """Whether Keras divides by zero: the adaptive maximum over the whole last axis, in float32 on TensorFlow."""
    return row.layer.startswith("AdaptiveMaxPooling") and tree_leaves(row.given()["output_size"])[-1] == 1


@pytest.mark.parametrize("row", chosen(), ids=str)
def test_a_row_both_ways(keras, tmp_path, row):
    if row.layer in NOT_OF_KERAS:
        pytest.skip(NOT_OF_KERAS[row.layer])
    if ends_the_process(row):
        pytest.skip("Keras ends the process")
    theirs, data, wanted = of_keras(keras, row)
    for kind in ("m.keras", "m.h5"):
        theirs.save(tmp_path / kind)
        ours = load_model(tmp_path / kind)
        assert_close(ours.predict(data), wanted)
        ours.save(tmp_path / f"back-{kind}")
        assert_close(computed(keras.models.load_model(tmp_path / f"back-{kind}"), data), wanted)
    theirs.save_weights(tmp_path / "m.weights.h5")
    ours = model_of(kbackend, row)
    ours.load_weights(tmp_path / "m.weights.h5")
    assert_close(ours.predict(data), wanted)
    ours.save_weights(tmp_path / "n.weights.h5")
    fresh = model_of(keras, row)
    fresh.load_weights(tmp_path / "n.weights.h5")
    assert_close(computed(fresh, data), wanted)


ARCHITECTURES = ["MobileNetV2", "EfficientNetB0", *(pytest.param(n, marks=slow) for n in ("ResNet50", "DenseNet121"))]


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_architectures_both_ways(keras, tmp_path, name):
    """With random weights, and logits as outputs, which a softmax would make alike."""
    keras.utils.set_random_seed(1)
    size = (32, 32, 3)
    theirs = getattr(keras.applications, name)(weights=None, classes=10, input_shape=size, classifier_activation=None)
    draws = np.random.RandomState(0)
    theirs.set_weights([w + draws.uniform(0, 0.01, w.shape).astype(w.dtype) for w in theirs.get_weights()])
    images = draws.uniform(0, 255, (2, *size)).astype("float32")
    wanted = computed(theirs, images)
    bound = 1e-4 * np.abs(wanted).max()  # of more than a hundred layers in float32
    for kind in ("m.keras", "m.h5"):
        theirs.save(tmp_path / kind)
        ours = load_model(tmp_path / kind)
        assert np.abs(ours.predict(images) - wanted).max() < bound
        ours.save(tmp_path / f"back-{kind}")
        again = keras.models.load_model(tmp_path / f"back-{kind}")
        assert np.abs(computed(again, images) - wanted).max() < bound
