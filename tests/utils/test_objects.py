"""Objects as plain values; names; settings of the process."""

from __future__ import annotations

import json
import random

import numpy as np
import pytest

from kbackend import (
    Input,
    K,
    Model,
    activations,
    constraints,
    initializers,
    layers,
    losses,
    metrics,
    optimizers,
    utils,
)
from kbackend import regularizers as penalties

OBJECTS = [
    layers.Dense(3, activation="tanh", name="d"), losses.Huber(0.3), metrics.AUC(num_thresholds=7),
    optimizers.Adam(0.02), optimizers.schedules.ExponentialDecay(0.1, 10, 0.5), initializers.HeNormal(seed=2),
    penalties.L1L2(0.1, 0.2), constraints.MaxNorm(3.0), losses.MeanSquaredError(), metrics.MeanSquaredError(),
]  # fmt: skip


@pytest.mark.parametrize("value", OBJECTS, ids=lambda v: f"{type(v).__module__}.{type(v).__name__}")
def test_objects_come_back_from_text(value):
    text = json.dumps(utils.serialize_keras_object(value))
    again = utils.deserialize_keras_object(json.loads(text))
    assert type(again) is type(value) and again.get_config() == value.get_config()


def test_models_functions_and_values_come_back():
    x = Input((3,), name="x")
    model = Model(x, layers.Dense(2, name="d")(x))
    again = utils.deserialize_keras_object(utils.serialize_keras_object(model))
    assert again.output_shape == (None, 2)
    config = utils.serialize_keras_object(activations.relu)
    assert utils.deserialize_keras_object(config) is activations.relu
    value = {"a": [1, None, "b"], "t": (1, 2), "n": np.array([1.5, 2.0], np.float32)}
    found = utils.deserialize_keras_object(json.loads(json.dumps(utils.serialize_keras_object(value))))
    assert found["a"] == [1, None, "b"] and found["t"] == (1, 2)
    np.testing.assert_array_equal(found["n"], value["n"])
    assert found["n"].dtype == np.float32


def test_the_form_of_keras_2_is_read():
    assert utils.deserialize_keras_object({"class_name": "Dense", "config": {"units": 4}}).units == 4


def test_names_of_ones_own(request):
    @utils.register_keras_serializable("tests", name="Doubled")
    class Twice(layers.Layer):
        def call(self, inputs):
            return inputs * 2

    request.addfinalizer(lambda: utils.get_custom_objects().pop("tests>Doubled"))
    assert utils.get_registered_name(Twice) == "tests>Doubled"
    assert utils.get_registered_object("tests>Doubled") is Twice
    config = utils.serialize_keras_object(Twice(name="t"))
    assert config["registered_name"] == config["class_name"] == "tests>Doubled"
    assert isinstance(utils.deserialize_keras_object(config), Twice)
    assert isinstance(layers.deserialize(layers.serialize(Twice(name="t"))), Twice)
    with pytest.raises(ValueError, match="needs a get_config"):
        utils.register_keras_serializable()(type("Plain", (), {}))


def test_objects_passed_in_and_unknown_ones():
    class Other(layers.Layer):
        pass

    config = {"class_name": "Other", "config": {"name": "o"}}
    assert isinstance(utils.deserialize_keras_object(config, {"Other": Other}), Other)
    assert isinstance(utils.deserialize_keras_object(config, module_objects={"Other": Other}), Other)
    with utils.CustomObjectScope({"Other": Other}):
        assert isinstance(utils.deserialize_keras_object(config), Other)
    with pytest.raises(ValueError, match="unknown object 'Other'"):
        utils.deserialize_keras_object(config)
    utils.get_custom_objects()["Other"] = Other
    try:
        assert isinstance(layers.deserialize(config), Other)
    finally:
        del utils.get_custom_objects()["Other"]
    assert utils.get_registered_object("Other") is None
    with pytest.raises(TypeError, match="cannot be written"):
        utils.serialize_keras_object(object())


def test_all_random_numbers_are_seeded(each_backend):
    def drawn():
        utils.set_random_seed(11)
        return random.random(), np.random.rand(), K.eval(K.random_normal((3,))).tolist()

    assert drawn() == drawn()


def test_questions_about_tensors():
    x, y = Input((2,), name="x"), Input((2,), name="y")
    h = layers.Dense(2)(x) + y
    assert [t.name for t in utils.get_source_inputs(h)] == ["x", "y"]
    assert utils.is_keras_tensor(h) and not utils.is_keras_tensor(np.ones(2))
    found = [utils.standardize_dtype(d) for d in (None, "float16", np.int32, bool)]
    assert found == ["float32", "float16", "int32", "bool"]
    utils.clear_session()
    assert layers.Dense(1).name == "dense_1"


def test_settings_can_be_fixed():
    config = utils.Config(a=1)
    config["b"] = 2
    config.update(c=3)
    assert config.as_dict() == {"a": 1, "b": 2, "c": 3} == json.loads(config.to_json())
    assert "a" in config and len(config) == 3 and config.get("z", 5) == 5 and list(config) == ["a", "b", "c"]
    assert config == utils.Config(a=1, b=2, c=3) and repr(config) == "Config(a=1, b=2, c=3)"
    with pytest.raises(ValueError, match="fixed"):
        config.freeze().a = 4
    del config.unfreeze().a
    with pytest.raises(AttributeError, match="no setting 'a'; there are b, c"):
        config.a  # noqa: B018 - the error is what is tested


def test_feature_spaces_say_what_to_use():
    with pytest.raises(NotImplementedError, match="scikit-learn"):
        utils.FeatureSpace({"a": "float"})
