"""The import hook: the module tree of Keras 2.3, what it refuses, and that it leaves nothing behind."""

from __future__ import annotations

import importlib
import os
import sys
from types import ModuleType

import pytest

from kbackend import K, compat, layers, models, optimizers
from kbackend.compat import modules, tree


@pytest.fixture
def hook():
    compat.install()
    yield
    compat.uninstall()


#: modules that programs of 2015 to 2019 import, and a name of each
IMPORTS = [
    ("keras", "Model"), ("keras.activations", "relu"), ("keras.backend", "placeholder"),
    ("keras.backend.tensorflow_backend", "mean"), ("keras.backend.common", "floatx"),
    ("keras.callbacks", "EarlyStopping"), ("keras.constraints", "maxnorm"), ("keras.engine", "Layer"),
    ("keras.engine.topology", "InputSpec"), ("keras.engine.base_layer", "Layer"), ("keras.engine.training", "Model"),
    ("keras.engine.input_layer", "Input"), ("keras.engine.network", "Network"), ("keras.engine.saving", "load_model"),
    ("keras.initializers", "glorot_uniform"), ("keras.initializations", "glorot_uniform"), ("keras.layers", "Dense"),
    ("keras.layers.core", "Dense"), ("keras.layers.convolutional", "Conv2D"), ("keras.layers.recurrent", "LSTM"),
    ("keras.layers.normalization", "BatchNormalization"), ("keras.layers.embeddings", "Embedding"),
    ("keras.layers.merge", "concatenate"), ("keras.layers.noise", "GaussianNoise"),
    ("keras.layers.advanced_activations", "LeakyReLU"), ("keras.layers.wrappers", "TimeDistributed"),
    ("keras.layers.pooling", "MaxPooling2D"), ("keras.layers.local", "LocallyConnected1D"),
    ("keras.layers.convolutional_recurrent", "ConvLSTM2D"), ("keras.layers.cudnn_recurrent", "CuDNNGRU"),
    ("keras.legacy.interfaces", "legacy_dense_support"), ("keras.legacy.layers", "Highway"),
    ("keras.losses", "mean_squared_error"), ("keras.objectives", "mse"), ("keras.metrics", "binary_accuracy"),
    ("keras.models", "save_model"), ("keras.optimizers", "adam"), ("keras.regularizers", "l2"),
    ("keras.utils.np_utils", "to_categorical"), ("keras.utils.generic_utils", "CustomObjectScope"),
    ("keras.utils.data_utils", "Sequence"), ("keras.utils.vis_utils", "plot_model"),
]  # fmt: skip


@pytest.mark.parametrize(("module", "name"), IMPORTS)
def test_old_paths_lead_to_kbackend(hook, module, name):
    found = importlib.import_module(module)
    assert isinstance(found, modules.KerasModule) and found.__name__ == module
    scope: dict[str, object] = {}
    exec(f"from {module} import {name}", scope)
    assert scope[name] is getattr(found, name)
    origin = getattr(scope[name], "__module__", "kbackend")
    assert origin.startswith("kbackend")


def test_every_module_of_the_tree_can_be_imported(hook):
    for path in tree.TREE:
        name = modules.full_name(path)
        assert importlib.import_module(name) is sys.modules[name]
        if path:
            parent, _, last = name.rpartition(".")
            assert getattr(sys.modules[parent], last) is sys.modules[name]


def test_classes_are_those_of_kbackend(hook):
    import keras
    import keras.backend as as_module
    from keras import backend
    from keras.layers import Dense

    assert keras.__version__ == "2.3.1"
    assert backend is as_module is keras.backend and K is not backend
    assert Dense is keras.layers.core.Dense is layers.Dense
    assert keras.models.Model is keras.Model is models.Model and keras.optimizers.Adam is optimizers.Adam
    assert keras.backend.dot is K.dot


def test_star_imports_bring_public_names(hook):
    scope: dict[str, object] = {}
    exec("from keras.layers import *\nfrom keras.models import *\nfrom keras.backend import *", scope)
    assert scope["Dense"] is layers.Dense and scope["Sequential"] is models.Sequential and scope["dot"] is K.dot
    assert [n for n, v in scope.items() if isinstance(v, ModuleType)] == ["merge"]
    assert not {"annotations", "Suggesting"} & scope.keys()


@pytest.mark.parametrize(("statement", "words"), [
    ("from keras.models import Graph", ["keras.models.Graph", "Keras 1", "Model(inputs, outputs)"]),
    ("from keras.layers import Dens", ["keras.layers", "'Dens'", "'Dense'"]),
    ("import keras.layers.cores", ["keras.layers", "'cores'"]),
    ("import keras.nothing.at_all", ["keras has no 'nothing'"]),
    ("from keras import nothing", ["keras", "'nothing'"]),
    ("from keras.backend import tf", ["keras.backend.tf", "any engine"]),
    ("from keras.engine import Node", ["keras.engine.Node", "internal"]),
])  # fmt: skip
def test_imports_of_what_is_not_there_say_why(hook, statement, words):
    with pytest.raises(ImportError) as error:
        exec(statement, {})
    assert all(word in str(error.value) for word in words), error.value


@pytest.mark.parametrize(("expression", "words"), [
    ("keras.models.Graph()", ["keras.models.Graph", "functional"]),
    ("keras.layers.Dens(3)", ["'Dens'", "Did you mean 'Dense'?"]),
    ("keras.backend.get_session()", ["no sessions", "K.function"]),
    ("keras.optimizers.TFOptimizer(None)", ["TensorFlow 1", "adam"]),
])
def test_uses_of_what_is_not_there_say_why(hook, expression, words):
    import keras

    with pytest.raises((AttributeError, NotImplementedError, TypeError)) as error:
        eval(expression, {"keras": keras})
    assert all(word.lower() in str(error.value).lower() for word in words), error.value


def test_a_module_of_kbackend_that_is_missing_is_named(hook, monkeypatch):
    gone = tree.Entry("datasets", ("kbackend.datasets.gone",))
    monkeypatch.setattr(tree, "TREE", {**tree.TREE, "datasets.mnist": gone})
    monkeypatch.setattr(modules, "TREE", tree.TREE)
    with pytest.raises(ImportError, match=r"keras\.datasets\.mnist needs kbackend\.datasets\.gone"):
        exec("from keras.datasets.mnist import load_data", {})


def test_what_a_program_assigns_is_known_to_configurations(hook, tmp_path):
    import keras.losses

    def doubled(y_true, y_pred):
        return 2 * K.square(y_true - y_pred)

    keras.losses.doubled_for_test = doubled
    model = keras.models.Sequential([keras.layers.Dense(1, input_shape=(1,))])
    model.compile("sgd", "doubled_for_test")
    assert model.train_on_batch([[0.0]], [[1.0]]) == pytest.approx(2.0)
    compat.uninstall()
    with pytest.raises(ValueError, match="doubled_for_test"):
        models.Sequential([layers.Dense(1)]).compile("sgd", "doubled_for_test")


def test_installed_modules_come_back():
    stand = ModuleType("keras")
    before = {name: module for name, module in sys.modules.items() if name.partition(".")[0] == "keras"}
    sys.modules["keras"] = stand
    try:
        compat.install()
        import keras

        assert keras is not stand and compat.installed()
        compat.install(report_backend="theano")
        from keras import backend

        assert backend.backend() == "theano"
        compat.uninstall()
        compat.uninstall()
        assert sys.modules["keras"] is stand and not compat.installed()
        assert "keras.backend" not in sys.modules or sys.modules["keras.backend"] is before.get("keras.backend")
        assert not any(type(finder).__name__ == "KerasFinder" for finder in sys.meta_path)
    finally:
        del sys.modules["keras"]
        sys.modules.update(before)


def test_reported_backends(hook):
    import keras.backend

    assert keras.backend.backend() == K.backend()
    with pytest.raises(ValueError, match="'tensorflow', 'theano', 'cntk' or None, it is 'pytorch'"):
        compat.install(report_backend="pytorch")
    assert compat.installed()  # a refused call changes nothing


@pytest.mark.engine("torch")
def test_nothing_of_tensorflow_is_imported(fresh_python):
    code = """
import sys
from kbackend import compat
compat.install(report_backend="tensorflow", tf_keras=True)
print(sorted({m.partition(".")[0] for m in sys.modules} & {"torch", "tensorflow", "keras"}))
import numpy as np
from tensorflow.keras.models import Sequential
from keras.layers import Dense
model = Sequential([Dense(1, input_shape=(2,))])
model.compile("sgd", "mse")
model.fit(np.ones((4, 2)), np.ones((4, 1)), verbose=0)
print(model.engine, [m for m in sys.modules if m.partition(".")[0] in ("tensorflow", "tensorboard")])
"""
    environment = {"KBACKEND": "torch", "PYTHONPATH": os.environ.get("PYTHONPATH", "")}
    assert fresh_python(code, env=environment).splitlines() == ["[]", "torch:cpu []"]


@pytest.mark.engine("tensorflow")
def test_the_engine_tensorflow_loads_under_the_hook(fresh_python):
    code = """
from kbackend import compat
compat.install(tf_keras=True)
import tensorflow as tf
import numpy as np
model = tf.keras.models.Sequential([tf.keras.layers.Dense(1, input_shape=(2,))])
model.compile("sgd", "mse")
model.fit(np.ones((4, 2)), np.ones((4, 1)), verbose=0)
print(model.engine, type(tf).__name__)
"""
    environment = {"KBACKEND": "tensorflow", "PYTHONPATH": os.environ.get("PYTHONPATH", "")}
    assert fresh_python(code, env=environment).splitlines() == ["tensorflow:cpu StandIn"]


def test_merge_is_a_module_and_a_function(hook):
    from keras.layers import Input, merge

    with pytest.warns(DeprecationWarning, match="concatenate|Concatenate"):
        assert merge([Input((2,)), Input((3,))], mode="concat").shape == (None, 5)
    assert merge.concatenate is layers.concatenate
    with pytest.raises(TypeError, match=r"keras\.layers cannot be called"):
        sys.modules["keras.layers"]()
