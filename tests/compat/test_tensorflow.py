"""The stand-in for tensorflow."""

from __future__ import annotations

import builtins
import importlib
import importlib.util
import sys

import pytest

from kbackend import compat, layers, models


@pytest.fixture
def stand_in():
    before = builtins.__import__, importlib.import_module, importlib.util.find_spec
    compat.install(tf_keras=True)
    yield
    compat.uninstall()
    assert before == (builtins.__import__, importlib.import_module, importlib.util.find_spec)


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
    "import importlib\nkeras = importlib.import_module('tensorflow.keras')\n"
    "Dense, Model = keras.layers.Dense, keras.Model",
    "from importlib import import_module\nDense = import_module('tensorflow.python.keras.layers').Dense\n"
    "Model = import_module('tensorflow').keras.Model",
    "import tensorflow.python.keras.layers as L\nfrom tensorflow.python import keras\n"
    "Dense, Model = L.Dense, keras.Model",
    "from tensorflow.python.keras import layers, Model\nfrom tensorflow.python.keras.layers.core import Dense",
    "from importlib.util import find_spec\nassert find_spec('tensorflow') and find_spec('tensorflow.keras')\n"
    "assert find_spec('tensorflow.contrib') is None\nDense = __import__('tensorflow').keras.layers.Dense\n"
    "Model = __import__('tensorflow.keras', fromlist=['Model']).Model",
])  # fmt: skip
@pytest.mark.parametrize("is_installed", [True, False])
def test_tensorflow_keras_is_kbackend(stand_in, program, is_installed, monkeypatch):
    if not is_installed:
        for name in [n for n in sys.modules if n.partition(".")[0] == "tensorflow"]:
            monkeypatch.delitem(sys.modules, name)
        monkeypatch.setitem(sys.modules, "tensorflow", None)
    scope = run(program)
    assert scope["Dense"] is layers.Dense and scope["Model"] is models.Model


@pytest.mark.parametrize(("program", "error", "words"), [
    ("import tensorflow as tf\ntf.reduce_mean([1.0])", AttributeError, ["tensorflow.reduce_mean", "K.mean"]),
    ("import tensorflow as tf\ntf.Session()", AttributeError, ["tensorflow.Session", "K.function"]),
    ("from tensorflow import GradientTape", ImportError, ["tensorflow.GradientTape", "K.gradients"]),
    ("import tensorflow.compat.v1 as tf", ImportError, ["tensorflow.compat.v1", "keras alone"]),
    ("from tensorflow.keras.layers import Nothing", ImportError, ["keras.layers", "'Nothing'"]),
    ("from tensorflow.keras import nothing", ImportError, ["keras", "'nothing'"]),
    ("import importlib\nimportlib.import_module('tensorflow.contrib')", ImportError, ["tensorflow.contrib", "alone"]),
    ("from tensorflow.python.ops import math_ops", ImportError, ["tensorflow.python.ops", "keras alone"]),
    ("from tensorflow.python import math_ops", ImportError, ["tensorflow.python.math_ops", "keras alone"]),
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
