"""Policies of layers by their paths."""

from __future__ import annotations

import json

import numpy as np
import pytest

from kbackend import Input, K, Model, Sequential, dtype_policies, layers
from kbackend.dtype_policies import DTypePolicy, DTypePolicyMap
from kbackend.models import clone_model, load_model

KEYS = {"head": "float64", "body/.*": "mixed_bfloat16", "body/dense": "float16"}


@pytest.fixture(autouse=True)
def _fresh():
    K.clear_session()
    yield
    dtype_policies.set_dtype_policy(None)


@pytest.mark.engine("tensorflow")
def test_paths_and_expressions_are_found_as_in_keras(keras):
    theirs = keras.dtype_policies.DTypePolicyMap(keras.DTypePolicy("float32"))
    ours = DTypePolicyMap("float32", KEYS)
    for key, name in KEYS.items():
        theirs[key] = keras.DTypePolicy(name)
    assert list(ours) == list(theirs) and len(ours) == 3 and "head" in ours and "body/other" not in ours
    for path in ("head", "head/dense", "body", "body/dense", "body/other/inner", "x/body/dense"):
        assert ours[path].name == theirs[path].name
    assert (ours.name, ours.compute_dtype, ours.variable_dtype) == ("map_float32", "float32", "float32")
    assert ours.get("nothing").name == "float32" and ours.pop("body/.*").name == "mixed_bfloat16"
    ours["body/.*"] = DTypePolicy("float16")
    with pytest.raises(ValueError, match=r"'body/a' fits 'body/\.\*', 'body/a\?'; one key at most"):
        ours["body/a?"] = "float32"
        ours["body/a"]


def test_a_key_is_for_whole_paths():
    policies = DTypePolicyMap("float32", KEYS)
    assert [policies[path].name for path in ("head", "head/dense", "x/head", "body/a/b")] == [
        "float64", "float32", "float32", "mixed_bfloat16"]  # fmt: skip


def test_configurations():
    policies = DTypePolicyMap(None, KEYS)
    again = dtype_policies.get(json.loads(json.dumps(dtype_policies.serialize(policies))))
    assert again == policies != DTypePolicyMap("float32", KEYS) and again.default_policy.name == "float32"
    dtype_policies.set_dtype_policy("mixed_float16")
    assert again["other"].name == "mixed_float16"
    dtype_policies.set_dtype_policy(again)
    assert dtype_policies.dtype_policy() is again and again["other"].name == "float32"


def test_layers_take_their_policy_and_keep_the_map(tmp_path):
    policies = DTypePolicyMap("float32", {"a": "mixed_bfloat16", "b": "float64"})
    x = Input((3,))
    made = [layers.Dense(2, name=name, dtype=policies) for name in "abc"]
    y = x
    for layer in made:
        y = layer(y)
    assert [(v.compute_dtype, v.dtype) for v in made] == [
        ("bfloat16", "float32"), ("float64", "float64"), ("float32", "float32")]  # fmt: skip
    assert [w.dtype for layer in made for w in layer.weights] == ["float32"] * 2 + ["float64"] * 2 + ["float32"] * 2
    model = Model(x, y)
    model.save(tmp_path / "m.kb")
    for other in (load_model(tmp_path / "m.kb"), clone_model(model), Model.from_config(model.get_config())):
        assert [layer.dtype_policy.name for layer in other.layers[1:]] == ["mixed_bfloat16", "float64", "float32"]
        assert other.layers[1].get_config()["dtype"]["class_name"] == "DTypePolicyMap"
    data = np.ones((2, 3), "float32")
    np.testing.assert_array_equal(load_model(tmp_path / "m.kb").predict(data), model.predict(data))
    made[0].dtype = "float32"
    assert made[0].get_config()["dtype"] == "float32" == made[0].compute_dtype


def test_files_of_keras_have_the_policy_of_each_layer(tmp_path):
    pytest.importorskip("h5py")
    model = Sequential([Input((3,)), layers.Dense(2, name="a", dtype=DTypePolicyMap("float32", {"a": "float64"}))])
    model.save(tmp_path / "m.keras")
    assert load_model(tmp_path / "m.keras").get_layer("a").get_config()["dtype"] == "float64"


class Outer(layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.inner = layers.Dense(2, name="inner")

    def call(self, inputs):
        return self.inner(inputs)


def test_a_map_of_the_process_reaches_layers_inside_layers():
    dtype_policies.set_dtype_policy(DTypePolicyMap(policy_map={"outer/inner": "float16", "inner": "float64"}))
    outer = Outer(name="outer")
    assert outer.inner.dtype_policy.name == "float64"  # until it is known where it is called
    outer(Input((3,)))
    assert outer.inner.dtype_policy.name == "float16" == outer.inner.kernel.dtype
    assert outer.dtype_policy.name == "float32" and layers.Dense(1, name="inner").dtype == "float64"


CELLS = {"lstm": "mixed_bfloat16", "rnn/own": "float64", "rnn/below": "float64", "outer/lstm": "float64"}


def test_a_map_of_the_process_reaches_cells():
    dtype_policies.set_dtype_policy(DTypePolicyMap("float32", CELLS))
    x = Input((4, 2))
    layer = layers.LSTM(3, name="lstm")
    assert layer(x).dtype == "bfloat16" == layer.cell.compute_dtype
    own, below = layers.LSTMCell(3, name="own"), layers.GRUCell(2, name="below")
    layer = layers.RNN(own, name="rnn", return_state=True)
    results = layer(x)
    assert [w.dtype for w in layer.weights] == ["float64"] * 3 and [r.dtype for r in results] == ["float32"] * 3
    stacked = layers.RNN([layers.LSTMCell(3, name="other"), below], name="rnn")
    assert stacked(x).dtype == "float32" and [w.dtype for w in stacked.weights] == ["float32"] * 3 + ["float64"] * 3
    alike = layers.RNN(layers.LSTMCell(3))
    alike(x)
    alike.set_weights(layer.get_weights())
    data = np.random.RandomState(0).rand(2, 4, 2)
    both = K.function([x], [results[0], alike(x)])([data])
    np.testing.assert_allclose(*both, atol=1e-6)
    assert not np.array_equal(*both)  # the steps of one are in float64


def test_a_layer_whose_path_is_known_late_tells_its_cell():
    dtype_policies.set_dtype_policy(DTypePolicyMap("float32", CELLS))

    class Around(layers.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.inner = layers.LSTM(3, name="lstm")

        def call(self, inputs):
            return self.inner(inputs)

    outer = Around(name="outer")
    outer(Input((4, 2)))
    assert outer.inner.cell.dtype_policy.name == "float64" == outer.inner.kernel.dtype


def test_a_cell_computes_in_its_dtype():
    """A step of bfloat16 inside a layer of float32."""
    x, data = Input((4, 2)), np.random.RandomState(0).rand(2, 4, 2)
    layer, plain = (layers.RNN(layers.GRUCell(3, dtype=d)) for d in ("mixed_bfloat16", None))
    results = [layer(x), plain(x)]
    plain.set_weights(layer.get_weights())
    rough, exact = K.function([x], results)([data])
    assert rough.dtype == "float32" and 1e-6 < np.abs(rough - exact).max() < 2e-2


WRONG = {
    "default": (ValueError, lambda: DTypePolicyMap(DTypePolicyMap()), "the default policy of a map must be one policy"),
    "no mapping": (TypeError, lambda: DTypePolicyMap(None, ["a"]), "as a mapping from paths"),
    "map": (ValueError, lambda: DTypePolicyMap(None, {"a": DTypePolicyMap()}), "for 'a' must be one policy"),
    "policy": (ValueError, lambda: DTypePolicyMap(None, {"a": "float31"}), "a dtype policy is"),
    "expression": (ValueError, lambda: DTypePolicyMap(None, {"(": "float32"}), "a path or a regular expression"),
    "number": (ValueError, lambda: DTypePolicyMap(None, {3: "float32"}), "a path or a regular expression, not 3"),
    "twice": (ValueError, lambda: DTypePolicyMap(None, KEYS).__setitem__("head", "float32"), "delete it first"),
    "layer": (ValueError, lambda: layers.Dense(1, name="ab", dtype=DTypePolicyMap(None, {"a.": "float16",
                                                                                        ".b": "float32"})), "fits"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_errors(name):
    kind, call, words = WRONG[name]
    with pytest.raises(kind, match=words):
        call()
