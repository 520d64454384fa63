"""Models as plain values and back: get_config, to_json, clone_model; and the summary."""

import json

import numpy as np
import pytest
from support.arrays import rows

from kbackend import Input, K, Model, Sequential, initializers, layers, models, registry
from kbackend.layers.base.layer import Layer
from kbackend.model.configuration import ConfigurationError


@pytest.fixture(autouse=True)
def _fresh():
    K.clear_session()
    K.set_seed(2)


def same(model, copy, *values):
    copy.set_weights(model.get_weights())
    left, right = (m.predict(list(values) if len(values) > 1 else values[0]) for m in (model, copy))
    for a, b in zip(
        left if isinstance(left, list) else [left], right if isinstance(right, list) else [right]
    ):
        np.testing.assert_array_equal(a, b)
    assert [x.name for x in copy.layers] == [x.name for x in model.layers]
    assert not {id(w) for w in copy.weights} & {id(w) for w in model.weights}


def through_json(model, **custom):
    return models.model_from_json(model.to_json(), custom_objects=custom)


def graph_model():
    a, b = Input((4,), name="a"), Input((4,), name="b")
    shared = layers.Dense(
        3,
        activation="relu",
        kernel_regularizer="l2",
        kernel_initializer="he_normal",
        kernel_constraint="max_norm",
    )
    both = layers.concatenate([shared(a), shared(b)])
    scale = K.variable([[1.0], [2.0]], name="scale")
    h = both[:, ::2] * 2.0 + K.mean(K.reshape(both, (-1, 6)), axis=1, keepdims=True)
    return Model([a, b], [layers.Dense(2)(h), K.dot(h[:, 0:2], scale)], name="graph")


def test_graph_with_shared_layers_and_ops():
    model = graph_model()
    copy = through_json(model)
    same(model, copy, rows(5, 4), rows(5, 4, seed=1))
    assert copy.get_config() == model.get_config()
    assert copy.layers[2].kernel_regularizer.l2 == 0.01


def test_calls_of_a_shared_layer_keep_their_numbers():
    x = Input((3,))
    shared = layers.Dense(3, activation="tanh")
    late = shared(layers.Dense(3)(x))
    model = Model(x, layers.subtract([late, shared(x) * 2.0]))
    same(model, through_json(model), rows(4, 3))


def test_nested_models_and_sequentials():
    x = Input((4,))
    inner = Sequential([layers.Dense(3, input_shape=(4,)), layers.Dropout(0.5)], name="seq")
    model = Model(x, graph_model()([x, inner(x)[:, :1] + x]), name="outer")
    same(model, through_json(model), rows(5, 4))


def test_every_layer_through_json():
    image = Input((6, 6, 2))
    h = layers.Conv2D(4, 3, strides=2, padding="same", activation="elu")(image)
    h = layers.BatchNormalization(momentum=0.8)(layers.AveragePooling2D(2, 1)(layers.MaxPooling2D(1)(h)))
    h = layers.LeakyReLU(0.2)(layers.ReLU(6.0)(layers.ELU(0.5)(layers.Permute((2, 1, 3))(h))))
    pooled = layers.add([layers.GlobalAveragePooling2D()(h), layers.GlobalMaxPooling2D()(h)])
    steps = layers.Conv1D(3, 2, padding="causal")(layers.Reshape((-1, 4))(layers.GaussianNoise(0.1)(h)))
    steps = layers.SimpleRNN(3, return_sequences=True, go_backwards=True)(layers.Masking(-1.0)(steps))
    last = layers.LSTM(4, dropout=0.1, recurrent_dropout=0.2)(steps)
    h = layers.multiply([last, layers.subtract([pooled, last]), layers.average([last, pooled])])
    h = layers.maximum([h, layers.minimum([last, pooled])])
    h = layers.concatenate([h, layers.dot([h, last], axes=1), layers.Flatten()(layers.RepeatVector(2)(h))])
    h = layers.Softmax()(layers.ActivityRegularization(l2=0.1)(layers.Lambda(K.tanh)(h)))
    ids = Input((3,))
    embedded = layers.GlobalAveragePooling1D()(layers.Embedding(7, 4, mask_zero=True)(ids))
    model = Model([image, ids], layers.add([layers.Dense(4, activation="softplus")(h), embedded]))
    copy = through_json(model)
    assert json.loads(copy.to_json()) == json.loads(model.to_json())
    same(model, copy, rows(2, 6, 6, 2), np.array([[1, 2, 0], [3, 4, 5]]))


class Scale(Layer):
    arguments = ("factor",)

    def __init__(self, factor, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor

    def call(self, inputs):
        return inputs * self.factor


def test_custom_layers_need_to_be_passed_or_registered():
    model = Sequential([Scale(3.0, input_shape=(2,))])
    with pytest.raises(ValueError, match="unknown layer 'Scale'; pass it in custom_objects or register it"):
        through_json(model)
    assert through_json(model, Scale=Scale).layers[0].factor == 3.0
    with registry.custom_object_scope({"Scale": Scale}):
        assert through_json(model).layers[0].factor == 3.0


def test_registered_names():
    @registry.register("tests>Twice")
    class Twice(Layer):
        def call(self, inputs):
            return inputs * 2

    model = Sequential([Twice(input_shape=(2,))])
    assert '"tests>Twice"' in model.to_json()
    assert through_json(model).predict(np.ones((1, 2))).tolist() == [[2, 2]]
    with pytest.raises(ValueError, match="the name 'tests>Twice' is registered already"):
        registry.register("tests>Twice")(Scale)
    del registry._registered["tests>Twice"]


def double(x):
    return x * 2


def test_a_lambda_is_written_by_name_only():
    model = Sequential([layers.Lambda(double, input_shape=(2,))])
    with pytest.raises(ValueError, match=r"Lambda of a Python function \(double\)"):
        through_json(model)
    assert through_json(model, double=double).predict(np.ones((1, 2))).tolist() == [[2, 2]]


def test_layer_calls_with_tensors_as_arguments():
    x, h, c = Input((3, 2)), Input((4,)), Input((4,))
    out, *states = layers.LSTM(4, return_state=True)(x, initial_state=[h, c])
    again = layers.LSTM(4)(x, initial_state=states)
    model = Model([x, h, c], layers.add([out, again]))
    same(model, through_json(model), rows(2, 3, 2), rows(2, 4), rows(2, 4))


def test_what_cannot_be_written_is_an_error():
    x = Input((3,))
    hidden = layers.Dense(3)(x)
    model = Model(x, layers.Lambda(lambda t: t + hidden, name="reads")(x), name="m")
    with pytest.raises(
        ConfigurationError, match="model m: the layer reads reads .* without having been given it"
    ):
        model.get_config()


def test_references_that_lead_nowhere():
    config = graph_model().get_config()
    config["layers"][2]["inbound_nodes"][0]["inputs"]["tensor"][0] = "nobody"
    with pytest.raises(ConfigurationError, match="refers to something that is not there"):
        Model.from_config(config)
    config = graph_model().get_config()
    config["ops"][0]["op"] = "os.system"
    with pytest.raises(ConfigurationError, match="unknown op 'os.system'"):
        Model.from_config(config)


# ------------------------------------------------------------------------------------------------ clones


def test_clone_has_the_structure_and_its_own_weights():
    model = graph_model()
    same(model, models.clone_model(model), rows(5, 4), rows(5, 4, seed=1))


def test_clone_keeps_functions_and_live_rates():
    rate = K.variable(0.5)
    x = Input((2,))
    inner = Model(x, layers.Lambda(lambda t: t * 3)(layers.Dropout(rate)(x)))
    model = Sequential([inner, layers.Activation(lambda t: t + 1)])
    clone = models.clone_model(model)
    assert clone.predict(np.ones((1, 2))).tolist() == [[4, 4]]
    assert clone.layers[0].layers[1].rate is rate


def test_clone_on_given_tensors_and_with_other_layers():
    model = Sequential([layers.Dense(3, input_shape=(4,)), layers.Dense(2)])
    x = Input((4,), name="mine")
    assert models.clone_model(model, x).input is x

    def wider(layer):
        return type(layer).from_config({**layer.get_config(), "units": layer.units * 2})

    assert models.clone_model(model, clone_function=wider).output_shape == (None, 4)
    with pytest.raises(ValueError, match="clone_model needs a model"):
        models.clone_model(layers.Dense(2))


# ------------------------------------------------------------------------------------------------ parts


@pytest.mark.parametrize("value", [
    initializers.Constant(2.0), initializers.RandomUniform(-1, 1, seed=3),
    initializers.VarianceScaling(2.0, "fan_out"),
    initializers.GlorotNormal(seed=1), initializers.Orthogonal(2.0), initializers.Identity(),
])  # fmt: skip
def test_initializers_through_plain_values(value):
    copy = initializers.deserialize(json.loads(json.dumps(initializers.serialize(value))))
    assert type(copy) is type(value) and copy.get_config() == value.get_config()


# ------------------------------------------------------------------------------------------------ summary


def lines_of(model, **options):
    lines = []
    model.summary(print_fn=lines.append, **options)
    return lines


def test_summary_of_a_chain():
    model = Sequential(
        [layers.Dense(3, input_shape=(4,), name="first"), layers.BatchNormalization()], name="chain"
    )
    text = "\n".join(lines_of(model))
    assert 'Model "chain"' in text and "Connected to" not in text
    assert any(
        "first (Dense)" in line and "(None, 3)" in line and " 15 " in line for line in text.splitlines()
    )
    assert text.endswith("Total parameters: 27\nTrainable: 21\nNon-trainable: 6")


def rows_of(model):
    """The cells of each row of a summary that is wide enough."""
    found = [line.split("│") for line in lines_of(model, line_length=200) if line.startswith("│")]
    return [[cell.strip() for cell in cells[1:-1]] for cells in found]


def test_summary_of_a_graph_shows_the_operations_between_layers():
    lines = lines_of(graph_model(), line_length=200)
    rows = rows_of(graph_model())
    names = [row[0] for row in rows]
    added = next(row for row in rows if "(add)" in row[0])
    sliced = next(row for row in rows if "(getitem)" in row[0])
    dense = next(row for row in rows if "(Dense)" in row[0] and row[2] == "8")
    assert dense[3] == added[0].split()[0] and sliced[3].startswith("concatenate_") and sliced[1] == "(None, 3)"
    assert names.index(added[0]) < names.index(dense[0]) and "(matmul)" in names[-1]
    assert rows[-1][2] == "2" and rows[-1][3].endswith("scale")
    assert any("concatenate_1" in line and "dense_1[0][0], dense_1[1][0]" in line for line in lines)
    assert lines[-1] == "Of these in ops between layers: 2"


def test_summary_keeps_its_width_and_counts_shared_weights_once():
    x = Input((4,))
    shared = layers.Dense(4)
    model = Model(x, shared(shared(x)))
    lines = lines_of(model, line_length=60)
    assert max(map(len, lines)) <= 60
    assert "Total parameters: 20" in lines
