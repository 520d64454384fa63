"""The stand-in for tensorflow."""

from __future__ import annotations

import builtins

import pytest

from kbackend import compat, layers, models


@pytest.fixture
def stand_in():
    before = builtins.__import__
    compat.install(tf_keras=True)
    yield
    compat.uninstall()
    assert builtins.__import__ is before


def run(program: str) -> dict:
    scope: dict = {"__name__": "program"}
    exec(program, scope)
    return scope


@pytest.mark.parametrize("program", [
    "import tensorflow as tf\nDense, Model = tf.keras.layers.Dense, tf.keras.Model",
    "from tensorflow.keras.layers import Dense\nfrom tensorflow.keras import Model",
    "from tensorflow.python.keras.layers import Dense\nfrom tensorflow.python.keras.models import Model",
    "from tensorflow import keras\nDense, Model = keras.layers.Dense, keras.Model",
    "import tensorflow.keras.layers as L\nimport tensorflow.keras.models\n"
    "Dense, Model = L.Dense, tensorflow.keras.models.Model",
])  # fmt: skip
def test_tensorflow_keras_is_kbackend(stand_in, program):
    scope = run(program)
    assert scope["Dense"] is layers.Dense and scope["Model"] is models.Model


@pytest.mark.parametrize(("program", "error", "words"), [
    ("import tensorflow as tf\ntf.reduce_mean([1.0])", AttributeError, ["tensorflow.reduce_mean", "K.mean"]),
    ("import tensorflow as tf\ntf.Session()", AttributeError, ["tensorflow.Session", "K.function"]),
    ("from tensorflow import GradientTape", ImportError, ["tensorflow.GradientTape", "K.gradients"]),
    ("import tensorflow.compat.v1 as tf", ImportError, ["tensorflow.compat.v1", "keras alone"]),
    ("from tensorflow.keras.layers import Nothing", ImportError, ["keras.layers", "'Nothing'"]),
    ("from tensorflow.keras import nothing", ImportError, ["keras", "'nothing'"]),
])  # fmt: skip
def test_other_names_say_what_to_do(stand_in, program, error, words):
    with pytest.raises(error) as raised:
        run(program)
    assert all(word in str(raised.value) for word in words), raised.value


def test_engines_import_the_real_one(stand_in):
    scope = {"__name__": "kbackend_tensorflow.probe", "__file__": "probe.py"}
    try:
        exec("import tensorflow", scope)
    except ModuleNotFoundError:
        return
    assert hasattr(scope["tensorflow"], "Tensor")
