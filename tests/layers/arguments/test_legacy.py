"""The spellings of Keras 1: each gives the layer of the new spelling, and a warning that names it."""

import inspect
import warnings

import numpy as np
import pytest

from kbackend import Input, K, Sequential, layers
from kbackend.layers.spellings import SPELLINGS
from kbackend.models import clone_model, load_model, model_from_json

OLD = [
    (lambda: layers.Dense(output_dim=3, init="zeros", W_regularizer="l2", bias=False),
     lambda: layers.Dense(3, kernel_initializer="zeros", kernel_regularizer="l2", use_bias=False)),
    (lambda: layers.Dense(3, b_constraint="non_neg", W_constraint="max_norm", b_regularizer="l1"),
     lambda: layers.Dense(3, bias_constraint="non_neg", kernel_constraint="max_norm", bias_regularizer="l1")),
    (lambda: layers.Embedding(5, 2, init="ones"), lambda: layers.Embedding(5, 2, embeddings_initializer="ones")),
    (lambda: layers.Conv1D(nb_filter=3, filter_length=2, border_mode="same", subsample_length=2, input_dim=2,
                           input_length=6),
     lambda: layers.Conv1D(3, 2, padding="same", strides=2, input_shape=(6, 2))),
    (lambda: layers.Conv1D(3, 2, input_dim=2), lambda: layers.Conv1D(3, 2, input_shape=(None, 2))),
    (lambda: layers.Conv2D(nb_filter=3, nb_row=2, nb_col=4, subsample=(1, 2), dim_ordering="th"),
     lambda: layers.Conv2D(3, (2, 4), strides=(1, 2), data_format="channels_first")),
    (lambda: layers.Convolution2D(3, 2, 4, border_mode="same"), lambda: layers.Conv2D(3, (2, 4), padding="same")),
    (lambda: layers.Convolution3D(3, 1, 2, 4), lambda: layers.Conv3D(3, (1, 2, 4))),
    (lambda: layers.Conv3D(3, kernel_dim1=1, kernel_dim2=2, kernel_dim3=4), lambda: layers.Conv3D(3, (1, 2, 4))),
    (lambda: layers.SeparableConvolution2D(3, 2, 4, depthwise_init="ones", pointwise_init="zeros"),
     lambda: layers.SeparableConv2D(3, (2, 4), depthwise_initializer="ones", pointwise_initializer="zeros")),
    (lambda: layers.AtrousConvolution2D(3, 2, 2, atrous_rate=(2, 2)), lambda: layers.Conv2D(3, 2, dilation_rate=2)),
    (lambda: layers.AtrousConvolution1D(3, 2, atrous_rate=2), lambda: layers.Conv1D(3, 2, dilation_rate=2)),
    (lambda: layers.SeparableConvolution2D(3, 2, 4, init="ones"),
     lambda: layers.SeparableConv2D(3, (2, 4), depthwise_initializer="ones", pointwise_initializer="ones")),
    (lambda: layers.Deconvolution2D(3, 2, 4, (None, 7, 9, 3), subsample=(1, 2)),
     lambda: layers.Conv2DTranspose(3, (2, 4), strides=(1, 2))),
    (lambda: layers.Deconvolution3D(3, 2, 4, 1, output_shape=(None, 7, 9, 5, 3)),
     lambda: layers.Conv3DTranspose(3, (2, 4, 1))),
    (lambda: layers.Deconvolution2D(nb_filter=3, nb_row=2, nb_col=2), lambda: layers.Conv2DTranspose(3, 2)),
    (lambda: layers.LocallyConnected1D(nb_filter=3, filter_length=2), lambda: layers.LocallyConnected1D(3, 2)),
    (lambda: layers.MaxPooling1D(pool_length=3, stride=1, border_mode="same"),
     lambda: layers.MaxPooling1D(3, strides=1, padding="same")),
    (lambda: layers.AveragePooling2D((2, 3), dim_ordering="tf"),
     lambda: layers.AveragePooling2D((2, 3), data_format="channels_last")),
    (lambda: layers.GlobalMaxPooling2D(dim_ordering="default"), lambda: layers.GlobalMaxPooling2D()),
    (lambda: layers.UpSampling1D(length=3), lambda: layers.UpSampling1D(3)),
    (lambda: layers.ZeroPadding2D(2, dim_ordering="th"), lambda: layers.ZeroPadding2D(2, data_format="channels_first")),
    (lambda: layers.BatchNormalization(beta_init="ones", gamma_init="zeros"),
     lambda: layers.BatchNormalization(beta_initializer="ones", gamma_initializer="zeros")),
    (lambda: layers.PReLU(init="ones"), lambda: layers.PReLU(alpha_initializer="ones")),
    (lambda: layers.Dropout(p=0.2), lambda: layers.Dropout(0.2)),
    (lambda: layers.SpatialDropout2D(p=0.2, dim_ordering="th"),
     lambda: layers.SpatialDropout2D(0.2, data_format="channels_first")),
    (lambda: layers.GaussianNoise(sigma=0.2), lambda: layers.GaussianNoise(0.2)),
    (lambda: layers.LSTM(output_dim=3, inner_activation="tanh", forget_bias_init="zero", input_dim=2, input_length=4),
     lambda: layers.LSTM(3, recurrent_activation="tanh", unit_forget_bias=False, input_shape=(4, 2))),
    (lambda: layers.SimpleRNN(3, inner_init="zeros", U_regularizer="l2"),
     lambda: layers.SimpleRNN(3, recurrent_initializer="zeros", recurrent_regularizer="l2")),
    (lambda: layers.GRU(3, consume_less="gpu"), lambda: layers.GRU(3)),
    (lambda: layers.BatchNormalization(mode=0), lambda: layers.BatchNormalization()),
    (lambda: layers.Embedding(5, 2, dropout=0.0), lambda: layers.Embedding(5, 2)),
]  # fmt: skip


def arguments(layer):
    return {key: value for key, value in layer.get_config().items() if key != "name"}


@pytest.mark.parametrize("old, new", OLD, ids=lambda make: "")
def test_the_old_spelling_is_the_new_one(old, new):
    with pytest.warns(DeprecationWarning, match="is a spelling of Keras 1; (write|leave it out)"):
        found = old()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        wanted = new()
    assert isinstance(found, type(wanted))
    assert arguments(found) == arguments(wanted)


def test_the_warning_names_the_new_spelling_and_stands_where_the_layer_is_made():
    with pytest.warns(DeprecationWarning) as caught:
        layers.Dense(output_dim=3)
    assert str(caught[0].message) == "Dense(output_dim=...) is a spelling of Keras 1; write Dense(units=3)"
    assert caught[0].filename == __file__
    with pytest.warns(DeprecationWarning) as caught:
        layers.Convolution2D(4, 2, 3)
    assert "Conv2D(filters, (2, 3))" in str(caught[0].message)


def test_a_subclass_takes_the_old_spelling_too():
    class Mine(layers.Dense):
        def __init__(self, **kwargs):
            super().__init__(output_dim=3, **kwargs)

    with pytest.warns(DeprecationWarning, match="units=3"):
        assert Mine().units == 3


def test_an_argument_under_both_names_is_refused():
    with pytest.raises(TypeError, match="Dense got units twice, also as output_dim"):
        layers.Dense(units=3, output_dim=3)
    with pytest.raises(ValueError, match="dim_ordering must be one of tf, th, default, it is 'last'"):
        layers.Conv2D(3, 2, dim_ordering="last")
    with pytest.raises(TypeError, match="unknown argument"):
        layers.Conv2D(3, 2, nb_row=2)
    with pytest.raises(ValueError, match="consume_less must be one of cpu, mem, gpu, it is 'all'"):
        layers.LSTM(3, consume_less="all")
    with pytest.raises(ValueError, match="mode=2 of BatchNormalization went in Keras 2"):
        layers.BatchNormalization(mode=2)
    with pytest.raises(ValueError, match="dropout of Embedding went in Keras 2; put SpatialDropout1D"):
        layers.Embedding(5, 2, dropout=0.5)


def test_spellings_of_keras_2_and_3():
    with pytest.warns(DeprecationWarning, match=r"is a spelling of Keras 2; write LeakyReLU\(negative_slope=0.1"):
        assert layers.LeakyReLU(alpha=0.1).negative_slope == 0.1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert layers.Dense(3, input_dim=4)._batch_input_shape == (None, 4)


def test_two_integers_after_the_filters_are_a_window_and_a_stride_under_the_new_name():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert layers.Conv2D(4, 3, 2).strides == (2, 2)
        assert layers.Convolution2D(4, 3).kernel_size == (3, 3)
        assert layers.Convolution2D(4, (3, 3), (2, 2)).strides == (2, 2)


def test_every_old_name_leads_to_an_argument_that_there_is():
    for kind in SPELLINGS.keys() & set(dir(layers)):
        made = getattr(layers, kind)
        known = {*inspect.signature(made).parameters, *made.arguments, "input_shape"}
        assert {name for s in SPELLINGS[kind] for name in s.names} <= known, kind


A, B = np.array([[1.0, 2.0]], "float32"), np.array([[3.0, -4.0]], "float32")
MODES = {
    "sum": A + B,
    "mul": A * B,
    "ave": (A + B) / 2,
    "max": np.maximum(A, B),
    "concat": np.concatenate([A, B], 1),
    "dot": A @ B.T,
    "cos": A @ B.T / (np.linalg.norm(A) * np.linalg.norm(B)),
}


@pytest.mark.parametrize("mode", MODES)
def test_merge_of_each_mode(mode):
    a, b = Input((2,)), Input((2,))
    with pytest.warns(DeprecationWarning, match="is a spelling of Keras 1"):
        merged = layers.merge([a, b], mode=mode, name="merged")
    with pytest.warns(DeprecationWarning):
        again = layers.Merge(mode=mode)([a, b])
    found = K.function([a, b], [merged, again])([A, B])
    for value in found:
        np.testing.assert_allclose(value, MODES[mode], rtol=1e-5)
    assert merged.history.layer.name == "merged"


def test_merge_of_a_function():
    a, b = Input((2,)), Input((2,))
    with pytest.warns(DeprecationWarning, match="Lambda"):
        merged = layers.merge([a, b], mode=lambda pair: pair[0] - pair[1])
    np.testing.assert_allclose(K.function([a, b], [merged])([A, B])[0], A - B)
    with pytest.raises(ValueError, match="the mode of a merge must be one of sum, mul"):
        layers.merge([a, b], mode="add")


def two_branches(mode):
    left = Sequential([layers.Dense(2, "tanh", input_shape=(4,)), layers.BatchNormalization()])
    right = layers.Dense(2, input_shape=(3,))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        joint = layers.Merge([left, right], mode=mode)
    return left, right, Sequential([joint, layers.Dense(1)])


DATA = [np.random.default_rng(i).normal(size=(6, n)).astype("float32") for i, n in enumerate((4, 3))]


@pytest.mark.parametrize("mode", [*MODES, lambda pair: pair[0] - 2 * pair[1]], ids=lambda mode: str(mode)[:4])
def test_a_sequential_begins_with_a_merge_of_branches(mode):
    left, right, model = two_branches(mode)
    assert model.input_shape == [(None, 4), (None, 3)] and len(model.get_weights()) == 10
    a, b = left.predict(DATA[0]), DATA[1] @ right.get_weights()[0] + right.get_weights()[1]
    x, y = Input((2,)), Input((2,))
    with pytest.warns(DeprecationWarning):
        merged = K.function([x, y], [layers.merge([x, y], mode=mode)])([a, b])[0]
    kernel, bias = model.layers[-1].get_weights()
    np.testing.assert_allclose(model.predict(DATA), merged @ kernel + bias, rtol=1e-4, atol=1e-6)


def test_a_merge_of_branches_trains_and_is_saved(each_backend, tmp_path):
    _, _, model = two_branches("concat")
    model.compile("adam", "mse")
    before = model.get_weights()
    model.fit(DATA, DATA[0].sum(axis=1), epochs=2, verbose=0)
    assert all((a != b).any() for a, b in zip(before, model.get_weights(), strict=True))
    model.save(tmp_path / "m.kb")
    copies = [load_model(tmp_path / "m.kb"), model_from_json(model.to_json()), clone_model(model)]
    for copy in copies[1:]:
        copy.set_weights(model.get_weights())
    for copy in copies:
        np.testing.assert_allclose(copy.predict(DATA), model.predict(DATA), rtol=1e-5)


def test_branches_that_share_an_input_have_it_once():
    """As in the memory networks of 2016: the question is merged twice."""
    facts, question = (Sequential([layers.Embedding(9, 5, input_length=n)]) for n in (4, 3))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        match = Sequential([layers.Merge([facts, question], mode="dot", dot_axes=[(2,), (2,)])])
        answer = Sequential([layers.Merge([match, layers.Embedding(9, 3, input_length=4)], mode="sum")])
        answer.add(layers.Permute((2, 1)))
        whole = Sequential([layers.Merge([answer, question], mode="concat"), layers.Flatten()])
    assert whole.input_shape == [(None, 4), (None, 3), (None, 4)] and whole.output_shape == (None, 27)
    assert [w.shape for w in whole.get_weights()] == [(9, 5), (9, 5), (9, 3)]
    assert model_from_json(whole.to_json()).input_shape == whole.input_shape


def test_a_merge_of_branches_that_cannot_be():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        with pytest.raises(ValueError, match="does not know the shape of the input of dense_.*input_shape"):
            layers.Merge([layers.Dense(2), layers.Dense(2)], mode="sum")
        with pytest.raises(ValueError, match="needs two layers or more, it was given 1"):
            layers.Merge([layers.Dense(2, input_shape=(3,))])
        with pytest.raises(TypeError, match="takes models and layers, it was given 3"):
            layers.Merge([3, 4])
        joint = layers.Merge([layers.Dense(2, input_shape=(3,)), layers.Dense(2, input_shape=(3,))])
        model = Sequential([layers.Dense(2, input_shape=(3,))])
        with pytest.raises(ValueError, match="a Merge of layers can only come first"):
            model.add(joint)
    model = Sequential([joint])
    model.pop()
    model.add(layers.Dense(2, input_shape=(5,)))
    assert model.input_shape == (None, 5) and model.is_chain


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_first_sizes_of_a_window_by_position_and_the_others_by_name():
    assert layers.Convolution2D(4, 2, nb_col=3).kernel_size == (2, 3)
    assert layers.ConvLSTM2D(4, kernel_size=2, nb_col=3).kernel_size == (2, 3)
    assert layers.Convolution3D(4, 2, 3, kernel_dim3=1).kernel_size == (2, 3, 1)
    assert layers.Convolution3D(4, 2, kernel_dim2=3, kernel_dim3=1).kernel_size == (2, 3, 1)
    assert layers.Deconvolution2D(4, 2, nb_col=3, output_shape=(6, 7, 5)).kernel_size == (2, 3)
    assert layers.Deconvolution2D(4, 2, 3, (6, 7, 5)).strides == (1, 1)
    with pytest.raises(TypeError):
        layers.Convolution3D(4, 2, kernel_dim3=1)
