"""Bad input to models and layers: one clear error that names layer, op and shapes, before any state has
changed."""

import numpy as np
import pytest

from kbackend import Input, K, Model, Sequential, layers
from kbackend.graph.walk import DisconnectedGraph
from kbackend.layers.base.layer import Layer

pytestmark = pytest.mark.usefixtures("fresh_session")


def test_a_disconnected_graph_names_the_tensor_that_is_missing():
    x, y = Input((3,), name="x"), Input((4,), name="y")
    out = layers.add([layers.Dense(2)(x), layers.Dense(2)(y)])
    with pytest.raises(
        ValueError, match=r"model m: .* needs the tensor 'y' of shape \(None, 4\).*'x' \(None, 3\)"
    ):
        Model(x, out, name="m")


def test_a_tensor_of_another_model_is_disconnected():
    a, b = Input((3,), name="a"), Input((3,), name="b")
    Model(a, layers.Dense(2)(a))
    other = Model(b, layers.Dense(2)(b))
    with pytest.raises(ValueError, match="needs the tensor 'b'"):
        Model(a, other.output)


def test_a_placeholder_inside_a_lambda_is_found():
    x, hidden = Input((3,)), K.placeholder((None, 3), name="hidden")
    out = layers.Lambda(lambda t: t + hidden)(x)
    with pytest.raises(ValueError, match="needs the tensor 'hidden'"):
        Model(x, out)


def test_two_layers_with_one_name():
    x = Input((3,))
    out = layers.Dense(2, name="same")(layers.Dense(2, name="same")(x))
    with pytest.raises(ValueError, match="model m: the name 'same' is used for 2 layers"):
        Model(x, out, name="m")


def test_inputs_that_cannot_be_inputs():
    x = Input((3,))
    out = layers.Dense(2)(x)
    with pytest.raises(TypeError, match=r"input 0 must be a symbolic tensor, made by Input\(shape\)"):
        Model(np.ones((2, 3)), out)
    with pytest.raises(TypeError, match="output 0 must be a symbolic tensor"):
        Model(x, np.ones(3))
    with pytest.raises(DisconnectedGraph, match=r"neither among the inputs \('v' \(2, 3\)\)"):
        Model(K.variable(np.ones((2, 3)), name="v"), out)
    with pytest.raises(ValueError, match="the input 'input_1' is listed twice"):
        Model([x, x], out)
    with pytest.raises(ValueError, match="Input needs a shape"):
        Input()


def test_missing_and_surplus_inputs_of_a_call():
    a, b = Input((3,), name="a"), Input((3,), name="b")
    model = Model([a, b], layers.add([a, b]), name="m")
    with pytest.raises(ValueError, match=r"model m takes 2 inputs \(a, b\), it was called on 1: 'a'"):
        model(a)
    with pytest.raises(ValueError, match="model m takes 2 inputs"):
        model([a, b, a])
    assert len(model._calls) == 0


def test_a_model_on_tensors_of_wrong_shape():
    x = Input((3,), name="x")
    model = Model(x, layers.Dense(2)(x), name="m")
    wrong = Input((4,), name="wrong")
    with pytest.raises(
        ValueError, match=r"the input 'x' has shape \(None, 3\), it was called on 'wrong' of shape"
    ):
        model(wrong)


def test_wrong_rank_names_layer_and_shapes_and_builds_nothing():
    conv = layers.Conv2D(4, 3, name="conv")
    with pytest.raises(
        ValueError,
        match=r"layer conv \(Conv2D\) expects an input of rank 4, it was given 'x' of shape "
        r"\(None, 8\)",
    ):
        conv(Input((8,), name="x"))
    assert not conv.built and conv.weights == [] and conv._calls == []


def test_wrong_size_after_building():
    dense = layers.Dense(2, name="d")
    dense(Input((3,)))
    with pytest.raises(ValueError, match=r"layer d \(Dense\) expects an input of size 3 along axis -1"):
        dense(Input((4,)))
    assert len(dense._calls) == 1


def test_unknown_last_dimension():
    dense = layers.Dense(2, name="d")
    with pytest.raises(ValueError, match=r"layer d \(Dense\).*the last dimension of the input must be known"):
        dense(Input((3, None)))
    assert not dense.built


def test_a_failure_inside_call_leaves_the_layer_as_it_was():
    class Picky(Layer):
        def build(self, input_shape):
            self.w = self.add_weight("w", (input_shape[-1], 2))

        def call(self, inputs):
            self.add_loss(K.sum(inputs))
            return K.dot(inputs, self.w) + K.ones_like(inputs)

    layer = Picky(name="picky")
    with pytest.raises(
        ValueError, match=r"layer picky \(Picky\) called on 'x' \(None, 5\): add\(.*do not broadcast"
    ):
        layer(Input((5,), name="x"))
    assert not layer.built and layer.losses == [] and layer.weights == [layer.w]
    layer(Input((2,)))
    assert len(layer._weights) == 1 and layer.get_weights()[0].shape == (2, 2)


def test_merges_name_the_shapes():
    a, b = Input((3,), name="a"), Input((4,), name="b")
    with pytest.raises(ValueError, match=r"layer add_1 \(Add\) called on 'a' \(None, 3\), 'b' \(None, 4\)"):
        layers.add([a, b])
    with pytest.raises(ValueError, match=r"layer c \(Concatenate\).*concatenate"):
        layers.Concatenate(axis=1, name="c")([Input((2, 3)), Input((2, 4))])
    with pytest.raises(ValueError, match="it needs a list of tensors"):
        layers.Add()(a)
    with pytest.raises(ValueError, match="it needs 2 tensors, it was given 3"):
        layers.subtract([a, a, a])


@pytest.mark.parametrize("rate", [-0.1, 1.5, "half", True, float("nan")])
def test_a_rate_outside_0_and_1(rate):
    with pytest.raises(ValueError, match=r"layer dropout_1 \(Dropout\): the rate must be in \[0, 1\], it is"):
        layers.Dropout(rate)


def test_a_rate_that_is_no_scalar():
    with pytest.raises(ValueError, match=r"the rate must be a scalar, 'r' has shape \(2,\)"):
        layers.Dropout(K.variable([0.1, 0.2], name="r"))


@pytest.mark.parametrize("make, message", [
    (lambda: layers.Dense(0), r"layer dense_1 \(Dense\): units must be a positive integer, it is 0"),
    (lambda: layers.Dense(2.5), "units must be a positive integer, it is 2.5"),
    (lambda: layers.Conv2D(2, (3, 3, 3)), r"kernel_size must be an integer or 2 of them, it is \(3, 3, 3\)"),
    (lambda: layers.Conv2D(2, 3, padding="causal"), "padding must be one of valid, same, it is 'causal'"),
    (lambda: layers.Conv2D(2, 3, strides=2, dilation_rate=2),
     "strides and dilation_rate cannot both be above 1"),
    (lambda: layers.Conv2D(3, 3, groups=2), r"filters \(3\) must be a multiple of groups \(2\)"),
    (lambda: layers.MaxPooling2D(0), "pool_size must be a positive integer, it is 0"),
    (lambda: layers.Permute((2, 3)), "dims must hold each of 1 to 2 once"),
    (lambda: layers.Reshape((-1, -1)), "may hold one -1"),
    (lambda: layers.LSTM(2, dropout=2.0), r"layer lstm_1 \(LSTM\): the rate must be in"),
    (lambda: layers.Dense(2, activation="nope"), "unknown activation 'nope'"),
    (lambda: layers.Dense(2, kernel_initializer="nope"), "unknown initializer 'nope'"),
    (lambda: layers.Dense(2, name=""), "Dense: name must be a non-empty string or None, it is ''"),
    (lambda: layers.Dot(axes="last"), "axes must be an integer or two of them"),
])  # fmt: skip
def test_bad_arguments_of_layers(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_unknown_arguments():
    with pytest.raises(TypeError, match=r"Dense\(\) got the unknown argument 'unit'. Did you mean 'units'\?"):
        layers.Dense(2, unit=3)
    with pytest.raises(
        TypeError, match=r"layer dense_1 \(Dense\) takes no argument 'train' when it is called"
    ):
        layers.Dense(2)(Input((3,)), train=True)


def test_reshape_to_another_number_of_elements():
    with pytest.raises(
        ValueError, match=r"layer r \(Reshape\).*shape \(6,\) has 6 elements.*target_shape \(4, 2\)"
    ):
        layers.Reshape((4, 2), name="r")(Input((6,)))


def test_batch_normalization_without_a_feature_axis():
    with pytest.raises(ValueError, match=r"layer n \(BatchNormalization\).*axis 3 is not a feature axis"):
        layers.BatchNormalization(axis=3, name="n")(Input((6,)))


def test_embedding_of_another_length():
    with pytest.raises(ValueError, match=r"layer e \(Embedding\) expects an input of shape \(None, 5\)"):
        layers.Embedding(3, 2, input_length=5, name="e")(Input((4,)))


def test_stateful_needs_a_batch_size():
    with pytest.raises(ValueError, match=r"layer l \(LSTM\).*needs a known batch size.*write Input\(batch_shape="):
        layers.LSTM(2, stateful=True, name="l")(Input((4, 3)))


def test_a_mask_where_none_is_supported():
    x = layers.Embedding(5, 2, mask_zero=True)(Input((4,)))
    flatten = layers.Flatten(name="f")
    with pytest.raises(TypeError, match=r"layer f \(Flatten\) does not support masking"):
        flatten(x)
    assert not flatten.built


def test_wrong_initial_states():
    lstm = layers.LSTM(2, name="l")
    with pytest.raises(ValueError, match=r"layer l \(LSTM\) has 2 states, initial_state holds 1"):
        lstm(Input((3, 4)), initial_state=[Input((2,))])
    with pytest.raises(ValueError, match=r"layer l \(LSTM\) expects \(batch, steps, features\) of rank 3"):
        lstm(Input((4,)))
    assert not lstm.built


def test_a_phase_tensor_as_training_argument_of_a_model():
    x = Input((2,))
    model = Model(x, layers.Dense(2)(x), name="m")
    with pytest.raises(TypeError, match="model m: training must be True, False or None"):
        model(x, training=K.learning_phase())


def test_get_layer_that_is_not_there():
    model = Sequential([layers.Dense(2, input_shape=(3,), name="a")], name="m")
    with pytest.raises(ValueError, match="model m has no layer 'b'; it has a"):
        model.get_layer("b")
    with pytest.raises(ValueError, match="model m has 1 layers; there is none at index 3"):
        model.get_layer(index=3)
    with pytest.raises(ValueError, match="needs a name or an index"):
        model.get_layer()


def test_a_layer_never_called():
    layer = layers.Dense(2, name="d")
    with pytest.raises(AttributeError, match="layer d has never been called; it has no output"):
        _ = layer.output
    with pytest.raises(RuntimeError, match="never been called"):
        layer.get_output_at(0)


def test_call_that_returns_no_tensor():
    class Wrong(Layer):
        def call(self, inputs):
            return 3

    with pytest.raises(TypeError, match=r"layer wrong_1 \(Wrong\).*call must return tensors, it returned 3"):
        Wrong()(Input((2,)))
