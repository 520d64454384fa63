"""What layers compute, against NumPy written out; masks; dropout; initializers, regularizers, constraints."""

import numpy as np
import pytest
from support.arrays import rows

import kbackend
from kbackend import Input, K, Model, Sequential, activations, constraints, initializers, layers, regularizers
from kbackend.layers.base.layer import Layer


@pytest.fixture(autouse=True)
def _fresh():
    K.clear_session()
    K.set_seed(4)


def apply(layer, *values, phase=0, **kwargs):
    inputs = [Input(v.shape[1:]) for v in values]
    out = layer(inputs if len(inputs) > 1 else inputs[0], **kwargs)
    outs = out if isinstance(out, list) else [out]
    found = K.function([*inputs, K.learning_phase()], outs)([*values, phase])
    return found if isinstance(out, list) else found[0]


# ------------------------------------------------------------------------------------------------ core


def test_dense_of_any_rank():
    layer = layers.Dense(3, activation="tanh", bias_initializer="ones")
    x = rows(2, 5, 4)
    got = apply(layer, x)
    kernel, bias = layer.get_weights()
    np.testing.assert_allclose(got, np.tanh(x @ kernel + bias), rtol=1e-5)


def test_reshape_flatten_permute_repeat():
    x = rows(2, 3, 4)
    assert np.array_equal(apply(layers.Reshape((6, -1)), x), x.reshape(2, 6, 2))
    assert np.array_equal(apply(layers.Flatten(), x), x.reshape(2, 12))
    assert np.array_equal(apply(layers.Permute((2, 1)), x), x.transpose(0, 2, 1))
    assert np.array_equal(apply(layers.RepeatVector(3), x[:, 0]), np.repeat(x[:, :1], 3, axis=1))
    image = rows(2, 3, 4, 5)
    first = apply(layers.Flatten(data_format="channels_first"), image)
    assert np.array_equal(first, image.transpose(0, 2, 3, 1).reshape(2, -1))


def test_reshape_of_unknown_sizes():
    x = Input((None, 4))
    y = layers.Reshape((-1, 2))(x)
    assert y.shape == (None, None, 2)
    value = rows(3, 5, 4)
    assert np.array_equal(K.function([x], [y])([value])[0], value.reshape(3, 10, 2))


def test_compute_output_shape_changes_nothing():
    conv = layers.Conv2D(4, 3, strides=2, padding="same")
    assert conv.compute_output_shape((None, 7, 8, 3)) == (None, 4, 4, 4)
    assert not conv.built
    merge = layers.Concatenate()
    assert merge.compute_output_shape([(None, 2), (None, 3)]) == (None, 5)
    lstm = layers.LSTM(3, return_state=True)
    assert lstm.compute_output_shape((None, 5, 2)) == [(None, 3), (None, 3), (None, 3)]
    model = Sequential([layers.Dense(2, input_shape=(3,))])
    assert model.compute_output_shape((7, 3)) == (7, 2)


def test_activation_layers():
    x = rows(3, 4) * 3
    assert np.array_equal(apply(layers.Activation("relu"), x), np.maximum(x, 0))
    np.testing.assert_allclose(
        apply(layers.ReLU(2.0, 0.1, 0.5), x),
        np.where(x >= 2, 2, np.where(x >= 0.5, x, 0.1 * (x - 0.5))),
        rtol=1e-5,
    )
    np.testing.assert_allclose(apply(layers.LeakyReLU(), x), np.where(x > 0, x, 0.3 * x), rtol=1e-6)
    np.testing.assert_allclose(
        apply(layers.ELU(2.0), x), np.where(x > 0, x, 2 * np.expm1(np.minimum(x, 0))), rtol=1e-5
    )
    e = np.exp(x)
    np.testing.assert_allclose(apply(layers.Softmax(axis=1), x), e / e.sum(1, keepdims=True), rtol=1e-5)


@pytest.mark.parametrize("name", ["linear", "relu", "elu", "selu", "softmax", "softplus", "softsign", "tanh",
                                  "sigmoid",
                                  "hard_sigmoid", "exponential"])  # fmt: skip
def test_activation_names(name):
    function = activations.get(name)
    assert activations.serialize(function) == name
    assert np.isfinite(apply(layers.Activation(name), rows(2, 3))).all()


def test_selu_is_scaled():
    np.testing.assert_allclose(
        apply(layers.Activation("selu"), np.array([[1.0, -1.0]])), [[1.0507, -1.1113]], rtol=1e-4
    )


# ------------------------------------------------------------------------------------------------ dropout


def test_dropout_in_both_phases():
    x = np.ones((50, 40), "float32")
    assert np.array_equal(apply(layers.Dropout(0.25), x), x)
    got = apply(layers.Dropout(0.25), x, phase=1)
    assert set(np.unique(got.round(4))) == {0.0, np.float32(1.3333)}
    assert abs((got == 0).mean() - 0.25) < 0.05
    assert np.array_equal(apply(layers.Dropout(1), x, phase=1), np.zeros_like(x))
    assert np.array_equal(apply(layers.Dropout(0), x, phase=1), x)


def test_dropout_with_noise_shape_and_seed():
    x = np.ones((6, 5, 4), "float32")
    got = apply(layers.Dropout(0.5, noise_shape=(None, 1, 4), seed=3), x, phase=1)
    assert np.array_equal(got, np.repeat(got[:, :1], 5, axis=1)) and 0 < (got == 0).mean() < 1
    again = apply(layers.Dropout(0.5, noise_shape=(None, 1, 4), seed=3), x, phase=1)
    assert np.array_equal(got, again)


def test_a_live_rate_changes_nothing_but_the_rate():
    rate = K.variable(0.0)
    x = Input((100,))
    f = K.function([x, K.learning_phase()], [layers.Dropout(rate)(x)])
    value = np.ones((20, 100))
    assert (f([value, 1])[0] == 1).all()
    programs = len(f._programs)
    K.set_value(rate, 0.5)
    assert 0.4 < (f([value, 1])[0] == 0).mean() < 0.6
    K.set_value(rate, 1.0)
    assert (f([value, 1])[0] == 0).all()
    assert len(f._programs) == programs


def test_a_live_rate_between_two_fits(each_backend):
    rate = K.variable(0.0)
    model = Sequential([layers.Dense(4, input_shape=(4,)), layers.Dropout(rate), layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(rows(8, 4), rows(8, 1), epochs=1, verbose=0)
    before = float(K.get_value(rate)), model._steps.train().function
    K.set_value(rate, 0.5)
    model.fit(rows(8, 4), rows(8, 1), epochs=1, verbose=0)
    assert before[0] == 0.0 and float(K.get_value(rate)) == 0.5
    assert model._steps.train().function is before[1]


def test_gaussian_noise():
    x = np.zeros((100, 50), "float32")
    assert (apply(layers.GaussianNoise(2.0), x) == 0).all()
    assert abs(apply(layers.GaussianNoise(2.0), x, phase=1).std() - 2) < 0.1


# ------------------------------------------------------------------------------------------------ merges


def test_merges():
    a, b, c = rows(2, 3), rows(2, 3, seed=1), rows(2, 3, seed=2)
    for layer, expected in (
        (layers.Add(), a + b + c), (layers.Multiply(), a * b * c), (layers.Average(), (a + b + c) / 3),
        (layers.Maximum(), np.maximum(np.maximum(a, b), c)),
        (layers.Minimum(), np.minimum(np.minimum(a, b), c)),
        (layers.Concatenate(), np.concatenate([a, b, c], -1)),
    ):  # fmt: skip
        np.testing.assert_allclose(apply(layer, a, b, c), expected, rtol=1e-6)
    np.testing.assert_allclose(apply(layers.Subtract(), a, b), a - b)


def test_function_forms_of_merges_make_the_layers():
    x, y = Input((3,)), Input((3,))
    for name in ("add", "subtract", "multiply", "average", "maximum", "minimum", "concatenate"):
        made = getattr(layers, name)([x, y], name=f"my_{name}")
        assert made.history.layer.name == f"my_{name}" and type(made.history.layer).__name__.lower() == name
    assert layers.dot([x, y], axes=1).shape == (None, 1)


def test_merges_of_different_rank():
    a, b = rows(2, 5, 3), rows(2, 3)
    np.testing.assert_allclose(apply(layers.Add(), a, b), a + b[:, None])


def test_dot_and_cosine():
    a, b = rows(2, 3), rows(2, 3, seed=1)
    np.testing.assert_allclose(apply(layers.Dot(axes=1), a, b), (a * b).sum(1, keepdims=True), rtol=1e-5)
    norms = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    np.testing.assert_allclose(
        apply(layers.Dot(-1, normalize=True), a, b)[:, 0], (a * b).sum(1) / norms, rtol=1e-5
    )
    u, v = rows(2, 3, 4), rows(2, 5, 4, seed=1)
    np.testing.assert_allclose(apply(layers.Dot(axes=2), u, v), u @ v.transpose(0, 2, 1), rtol=1e-5)


# ------------------------------------------------------------------------------------------------ masks


def embedded(**kwargs):
    x = Input((4,))
    return x, layers.Embedding(9, 3, mask_zero=True, **kwargs)(x)


def test_masks_travel_through_layers_that_support_them():
    x, h = embedded()
    for layer in (
        layers.Dropout(0.5),
        layers.Dense(2),
        layers.Activation("relu"),
        layers.BatchNormalization(),
        layers.LeakyReLU(),
        layers.GaussianNoise(0.1),
        layers.LSTM(2, return_sequences=True),
    ):
        h = layer(h)
        assert h._keras_mask is not None, layer.name
    assert layers.LSTM(2)(h)._keras_mask is None
    ids = np.array([[1, 2, 0, 0]])
    assert K.function([x], [h._keras_mask])([ids])[0].tolist() == [[True, True, False, False]]


def test_masks_of_merges():
    x, h = embedded()
    y, g = embedded()
    free = Input((4, 3))
    ids = [np.array([[1, 2, 0, 0]]), np.array([[1, 0, 3, 0]])]

    def mask(t):
        return K.function([x, y, free], [t._keras_mask])([*ids, np.zeros((1, 4, 3))])[0].tolist()[0]

    assert mask(layers.add([h, g])) == [True, False, False, False]
    assert mask(layers.add([h, free])) == [True, True, False, False]
    assert mask(layers.concatenate([h, g])) == [True, False, False, False]
    assert mask(layers.concatenate([free, h])) == [True, True, False, False]
    assert mask(layers.concatenate([h, free, g], axis=1)) == [True, True, False, False] + [True] * 4 + [
        True,
        False,
        True,
        False,
    ]
    assert layers.concatenate([free, free])._keras_mask is None


def test_masks_travel_through_nested_models():
    x, h = embedded()
    inner = Model(x, layers.Dense(3)(h))
    y = Input((4,))
    out = inner(y)
    assert out._keras_mask is not None
    sums = layers.GlobalAveragePooling1D()(out)
    got = K.function([y], [sums, out])([np.array([[1, 2, 0, 0]])])
    np.testing.assert_allclose(got[0], got[1][:, :2].mean(1), rtol=1e-5)


def test_a_model_can_be_called_with_another_mask():
    x = Input((3, 2))
    model = Model(x, layers.LSTM(2)(x))
    y, mask = Input((3, 2)), Input((3,), dtype="bool")
    masked = Model([y, mask], model(y, mask=mask))
    value = rows(2, 3, 2)
    got = masked.predict([value, np.array([[1, 1, 0], [1, 0, 0]], bool)])
    np.testing.assert_allclose(got[0], prefix(model, value[:1], 2), rtol=1e-5)
    np.testing.assert_allclose(got[1], prefix(model, value[1:], 1), rtol=1e-5)


def prefix(model, value, steps):
    """What the model's LSTM gives after some steps."""
    lstm = layers.LSTM(2)
    x = Input((steps, 2))
    short = Model(x, lstm(x))
    lstm.set_weights(model.get_weights())
    return short.predict(value[:, :steps])[0]


def test_masking():
    x = rows(2, 4, 3)
    x[0, 2:] = -1.0
    i = Input((4, 3))
    out = layers.Masking(-1.0)(i)
    values, mask = K.function([i], [out, out._keras_mask])([x])
    assert mask.tolist() == [[True, True, False, False], [True] * 4]
    assert (values[0, 2:] == 0).all() and np.array_equal(values[1], x[1])


def test_embedding():
    layer = layers.Embedding(5, 3, input_length=2)
    got = apply(layer, np.array([[1.0, 4.0], [0.0, 1.0]]))
    assert np.array_equal(got, layer.get_weights()[0][[[1, 4], [0, 1]]])
    assert Sequential([layers.Embedding(5, 3)]).output_shape == (None, None, 3)
    with pytest.raises(IndexError):
        apply(layer, np.array([[1, 5]]))


# ------------------------------------------------------------------------------------------------ images


def test_channels_first_is_channels_last_moved():
    x = rows(2, 3, 7, 6)
    for make in (
        lambda f: layers.Conv2D(4, 3, padding="same", strides=2, data_format=f, kernel_initializer="ones"),
        lambda f: layers.MaxPooling2D(2, data_format=f),
        lambda f: layers.AveragePooling2D(3, 1, "same", f),
    ):
        last = apply(make("channels_last"), x.transpose(0, 2, 3, 1))
        np.testing.assert_allclose(apply(make("channels_first"), x), last.transpose(0, 3, 1, 2), rtol=1e-5)
    for pooling, function in ((layers.GlobalAveragePooling2D, np.mean), (layers.GlobalMaxPooling2D, np.max)):
        np.testing.assert_allclose(apply(pooling("channels_first"), x), function(x, axis=(2, 3)), rtol=1e-5)
        np.testing.assert_allclose(apply(pooling(), x), function(x, axis=(1, 2)), rtol=1e-5)


def test_convolution_written_out():
    layer = layers.Conv2D(2, (2, 3), activation="relu", bias_initializer="ones")
    x = rows(1, 4, 5, 3)
    got = apply(layer, x)
    kernel, bias = layer.get_weights()
    assert kernel.shape == (2, 3, 3, 2)
    expected = np.zeros((1, 3, 3, 2))
    for r in range(3):
        for c in range(3):
            expected[0, r, c] = np.einsum("rci,rcio->o", x[0, r : r + 2, c : c + 3], kernel) + bias
    np.testing.assert_allclose(got, np.maximum(expected, 0), rtol=1e-4, atol=1e-5)


def test_grouped_convolution_keeps_groups_apart():
    layer = layers.Conv2D(4, 1, groups=2, use_bias=False, kernel_initializer="ones")
    x = rows(1, 2, 2, 4)
    expected = np.stack([x[..., :2].sum(-1)] * 2 + [x[..., 2:].sum(-1)] * 2, -1)
    np.testing.assert_allclose(apply(layer, x), expected, rtol=1e-5)


def test_causal_convolution_sees_no_later_step():
    layer = layers.Conv1D(1, 3, padding="causal", kernel_initializer="ones", use_bias=False)
    x = np.arange(1.0, 6.0, dtype="float32").reshape(1, 5, 1)
    assert apply(layer, x)[0, :, 0].tolist() == [1, 3, 6, 9, 12]


# ---------------------------------------------------------------------------------------------- normalization


@pytest.mark.parametrize("axis", [-1, 1])
@pytest.mark.parametrize("center, scale", [(True, True), (False, True), (True, False), (False, False)])
def test_batch_normalization_in_both_phases(axis, center, scale):
    layer = layers.BatchNormalization(axis=axis, center=center, scale=scale, epsilon=0.01)
    x = rows(8, 3, 4) * 2 + 1
    apply(layer, x)
    size = x.shape[axis]
    names = [w.name.split("/")[1] for w in layer.weights]
    assert names == ["gamma"] * scale + ["beta"] * center + ["moving_mean", "moving_variance"]
    values = [rows(size, seed=i + 1) ** 2 + 0.5 for i in range(len(names))]
    layer.set_weights(values)
    given = {"gamma": np.ones(size), "beta": np.zeros(size), **dict(zip(names, values))}
    shape = [1, 1, 1]
    shape[axis] = size
    given = {k: v.reshape(shape) for k, v in given.items()}
    axes = tuple(i for i in range(3) if i != axis % 3)

    def normed(mean, variance):
        return (x - mean) / np.sqrt(variance + 0.01) * given["gamma"] + given["beta"]

    np.testing.assert_allclose(
        apply(layer, x), normed(given["moving_mean"], given["moving_variance"]), rtol=1e-4, atol=1e-5
    )
    expected = normed(x.mean(axes, keepdims=True), x.var(axes, keepdims=True))
    np.testing.assert_allclose(apply(layer, x, phase=1), expected, rtol=1e-4, atol=1e-5)


# ---------------------------------------------------------------------------------------------- custom layers


def test_layer_that_gives_its_input_back_gives_a_tensor_of_its_own():
    class Same(Layer):
        def call(self, inputs):
            return inputs

    x = Input((2,))
    y = Same()(x)
    assert y is not x and y.history.layer.name == "same_1" and x.history.layer.name == "input_1"


def test_training_and_mask_are_given_to_layers_that_take_them():
    seen = {}

    class Curious(Layer):
        supports_masking = True

        def call(self, inputs, mask=None, training=None):
            seen.update(mask=mask, training=training)
            return inputs * 1.0

    x, h = embedded()
    Curious()(h, training=True)
    assert seen["mask"] is h._keras_mask and seen["training"] is True


def test_constraints_and_regularizers_reach_the_training_step(each_backend):
    model = Sequential(
        [
            layers.Dense(
                3,
                use_bias=False,
                input_shape=(2,),
                kernel_constraint="non_neg",
                kernel_regularizer=regularizers.l2(1.0),
            )
        ]
    )
    model.compile(kbackend.optimizers.SGD(0.1), "mse")
    x = np.zeros((4, 2), "float32")
    model.set_weights([np.array([[1.0, -1.0, 0.5], [2.0, 3.0, -4.0]])])
    loss = model.train_on_batch(x, np.zeros((4, 3), "float32"))
    assert abs(loss - 31.25) < 1e-4
    np.testing.assert_allclose(model.get_weights()[0], [[0.8, 0, 0.4], [1.6, 2.4, 0]], rtol=1e-5)


# ------------------------------------------------------------------------------------------------ parts


def value(initializer, *shape):
    return initializers.initial_value(initializers.get(initializer), shape, "float32")()


def test_initializers_have_their_moments():
    assert (value("zeros", 2, 3) == 0).all() and (value("ones", 2) == 1).all()
    assert (value(initializers.Constant([1, 2]), 3, 2) == [1, 2]).all()
    for name, variance in (
        ("glorot_uniform", 2 / 500),
        ("glorot_normal", 2 / 500),
        ("he_uniform", 2 / 200),
        ("he_normal", 2 / 200),
        ("lecun_uniform", 1 / 200),
        ("lecun_normal", 1 / 200),
        ("random_normal", 0.05**2),
        ("random_uniform", 0.1**2 / 12),
    ):
        drawn = value(name, 200, 300)
        assert abs(drawn.mean()) < 3 * np.sqrt(variance / drawn.size), name
        np.testing.assert_allclose(drawn.var(), variance, rtol=0.03, err_msg=name)
    assert np.abs(value(initializers.TruncatedNormal(0.0, 1.0), 100, 100)).max() <= 2


def test_orthogonal_and_identity():
    for shape in ((5, 3), (3, 5), (2, 3, 4)):
        flat = value(initializers.Orthogonal(2.0), *shape).reshape(-1, shape[-1])
        product = flat.T @ flat if flat.shape[0] >= flat.shape[1] else flat @ flat.T
        np.testing.assert_allclose(product, 4 * np.eye(len(product)), atol=1e-5)
    assert np.array_equal(value(initializers.Identity(3.0), 2, 3), 3 * np.eye(2, 3))
    with pytest.raises(ValueError, match="rank 2"):
        value("orthogonal", 3)


def test_seeds_of_initializers():
    same = initializers.GlorotUniform(seed=5)
    assert np.array_equal(value(same, 3, 4), value(same, 3, 4))
    assert not np.array_equal(value("glorot_uniform", 3, 4), value("glorot_uniform", 3, 4))


def test_an_initializer_of_the_wrong_shape():
    with pytest.raises(ValueError, match=r"gave the shape \(2, 2\) for a weight of \(3, 3\)"):
        value(lambda shape, dtype: np.ones((2, 2)), 3, 3)


def test_regularizers_written_out():
    w = np.array([[1.0, -2.0], [3.0, 0.5]])
    for regularizer, expected in (
        (regularizers.l1(0.1), 0.65),
        (regularizers.l2(0.1), 1.425),
        (regularizers.l1_l2(0.1, 0.1), 2.075),
        (regularizers.L1L2(), 0.0),
    ):
        assert abs(float(K.eval(regularizer(K.constant(w)))) - expected) < 1e-6
    live = K.variable(0.0)
    penalty = regularizers.L1L2(l2=live)(K.constant(w))
    K.set_value(live, 1.0)
    assert float(K.eval(penalty)) == 14.25


def test_constraints_written_out():
    w = np.array([[3.0, 0.3], [4.0, 0.4]])
    for constraint, expected in (
        (constraints.max_norm(1.0), [[0.6, 0.3], [0.8, 0.4]]),
        (constraints.unit_norm(), [[0.6, 0.6], [0.8, 0.8]]),
        (constraints.min_max_norm(1.0, 2.0, rate=0.5), [[2.1, 0.45], [2.8, 0.6]]), (constraints.non_neg(), w),
    ):  # fmt: skip
        np.testing.assert_allclose(K.eval(constraint(K.constant(w))), expected, rtol=1e-5)
    assert K.eval(constraints.get("non_neg")(K.constant([-1.0, 2.0]))).tolist() == [0, 2]


@pytest.mark.parametrize("name", ["sum", "abs", "all", "round", "tanh", "square"])
def test_a_function_of_k_is_found_again_by_its_name_there(name):
    layer = layers.Lambda(getattr(K, name))
    config = layer.get_config()
    assert config["function"] == name
    assert layers.Lambda.from_config(config).function is getattr(K, name)


def test_tensors_of_engines_are_no_inputs():
    with pytest.raises(TypeError, match="symbolic tensor of K, not list"):
        Input(tensor=[[1.0, 2.0, 3.0]])
