"""Model files with one thing changed: a model, or a FormatError that names the place."""

import json
import re

import pytest

from kbackend import Input, K, Model, Sequential, layers, models
from kbackend.saving import FormatError
from tests.support.mutations import mutations

PLACE = re.compile(
    r"layers\[\d+\]|ops\[\d+\]|variables\[\d+\]|(in|out)put_layers|batch_input_shape|single|the model|the configuration"
)

pytestmark = pytest.mark.usefixtures("fresh_session")


def graph():
    a, b = Input((4,), name="a"), Input((4,), name="b")
    shared = layers.Dense(3, activation="relu", kernel_regularizer="l2", kernel_constraint="max_norm")
    both = layers.concatenate([shared(a), shared(b)])
    scale = K.variable([[1.0], [2.0]], name="scale")
    h = both[:, ::2] * 2.0 + K.mean(K.reshape(both, (-1, 6)), axis=1, keepdims=True)
    return Model([a, b], [layers.Dense(2)(h), K.dot(h[:, 0:2], scale)], name="graph")


def images():
    x = Input((8, 8, 2))
    h = layers.BatchNormalization()(layers.Conv2D(4, 3, strides=2, padding="same")(x))
    h = layers.MaxPooling2D()(layers.LeakyReLU(0.2)(h))
    h = layers.add([layers.GlobalAveragePooling2D()(h), layers.GlobalMaxPooling2D()(h)])
    return Model(x, layers.Softmax()(layers.Dropout(0.2)(h)))


def sequences():
    ids = Input((5,), dtype="int32")
    h = layers.Embedding(7, 4, mask_zero=True)(ids)
    out, *states = layers.LSTM(4, return_state=True)(h)
    return Model(ids, layers.SimpleRNN(4)(h, initial_state=states[:1]) + out)


def nested():
    inner = Sequential([layers.Dense(3, input_shape=(4,)), layers.Reshape((3, 1)), layers.Flatten()], name="inner")
    x = Input((4,))
    return Model(x, layers.Dense(1)(inner(x)), name="outer")


def chain():
    return Sequential([layers.Dense(3, input_shape=(4,)), layers.Activation("tanh"), layers.GaussianNoise(0.1)])


@pytest.mark.parametrize("make", [graph, images, sequences, nested, chain])
def test_a_changed_model_file_is_refused_at_its_place_or_is_a_model(make):
    document = json.loads(make().to_json())
    refused = 0
    for what, changed in mutations(document, 120, seed=3):
        try:
            made = models.model_from_json(json.dumps(changed))
        except FormatError as error:
            refused += 1
            assert PLACE.search(str(error)), f"{what}: {error}"
        except Exception as error:
            pytest.fail(f"{what}: {type(error).__name__}: {error}")
        else:
            assert isinstance(made, layers.Layer), what
    assert refused > 50


@pytest.mark.parametrize("change,message", [
    (lambda c: c["layers"][2]["config"].update(units="a"), r"layers\[2\] \(dense_1\): config: .*units must be"),
    (lambda c: c["layers"][2]["config"].pop("units"), r"layers\[2\] \(dense_1\): config: .*'units'"),
    (lambda c: c["layers"][2].pop("class_name"), r"layers\[2\] \(dense_1\): class_name is missing"),
    (lambda c: c["layers"][2].update(class_name="Dens"), r"layers\[2\] \(dense_1\): config: unknown layer 'Dens'"),
    (lambda c: c["layers"][2].update(name=5), r"layers\[2\].*: name must be a string, it is an integer"),
    (lambda c: c["layers"][0].update(name="b"), r"layers\[1\] \(b\): the name is that of another layer"),
    (lambda c: c.update(layers=None), "layers must be a list, it is null"),
    (lambda c: c["input_layers"].clear(), "a model needs an input"),
    (lambda c: c["input_layers"][0].__setitem__(0, "dense_1"), r"input_layers\[0\]: 'dense_1' is no input"),
    (lambda c: c["output_layers"][0].__setitem__(2, 4), r"output_layers\[0\] refers to something that is not there"),
    (lambda c: c["output_layers"][0].__setitem__(2, -1), r"output_layers\[0\]: a tensor is \[layer, call, result\]"),
    (lambda c: c["ops"][0]["attrs"].clear(), r"ops\[0\] \(getitem\): its attributes are \[\], .* \['index'\]"),
    (lambda c: c["ops"][0]["args"].clear(), r"ops\[0\] \(getitem\): it has 0 operands, it should have 1"),
    (lambda c: c["ops"][0]["args"].__setitem__(0, None), r"ops\[0\] \(getitem\): x is not what the op takes"),
    (lambda c: c["variables"][0].update(shape=None), r"variables\[0\] \(scale\): shape must be a list, it is null"),
    (lambda c: c["variables"][0].update(value=None), r"variables\[0\] \(scale\): the values are not all float32"),
    (lambda c: c["variables"][0].update(dtype="object"), r"variables\[0\] \(scale\): 'object' is not a dtype"),
])  # fmt: skip
def test_the_message_names_the_place(change, message):
    config = json.loads(graph().to_json())["config"]
    change(config)
    with pytest.raises(FormatError, match=message):
        Model.from_config(config)


@pytest.mark.parametrize("text", ["", "[", "null", "3", "[]", "{}", "[" * 100_000, None])
def test_what_is_no_model_is_refused(text):
    with pytest.raises(FormatError, match="model: it is|the model"):
        models.model_from_json(text)


def test_a_layer_may_be_named_op():
    x = Input((2,), name="variable")
    model = Model(x, layers.Dense(2, name="op")(x) * 2.0)
    assert [x.name for x in models.model_from_json(model.to_json()).layers] == ["variable", "op"]
