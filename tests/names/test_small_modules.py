"""Activations, regularizers, constraints and initializers against Keras 3."""

from __future__ import annotations

import numpy as np
import pytest

from kbackend import K, activations, constraints, initializers, regularizers

RNG = np.random.default_rng(4)
X = RNG.normal(size=(5, 4)).astype(np.float32) * 2

ACTIVATIONS = {
    "celu": {"alpha": 0.7}, "elu": {"alpha": 0.7}, "exponential": {}, "gelu": {}, "glu": {}, "hard_shrink": {},
    "hard_silu": {}, "hard_swish": {}, "hard_tanh": {}, "leaky_relu": {}, "linear": {}, "log_sigmoid": {},
    "log_softmax": {"axis": 0}, "mish": {}, "relu": {"negative_slope": 0.1, "max_value": 2.0, "threshold": 0.3},
    "relu6": {}, "selu": {}, "sigmoid": {}, "silu": {}, "soft_shrink": {"threshold": 0.3}, "softmax": {"axis": 0},
    "softplus": {}, "softsign": {}, "sparse_plus": {}, "sparse_sigmoid": {}, "squareplus": {"b": 2},
    "swish": {}, "tanh": {}, "tanh_shrink": {}, "threshold": {"threshold": 0.5, "default_value": -1.0},
}  # fmt: skip


def test_activations_are_those_of_keras(each_backend, keras):
    x = K.placeholder((5, 4))
    found = K.function([x], [getattr(activations, name)(x, **o) for name, o in ACTIVATIONS.items()])([X])
    for value, (name, options) in zip(found, ACTIVATIONS.items()):
        expected = np.array(getattr(keras.activations, name)(X, **options))
        np.testing.assert_allclose(value, expected, rtol=1e-5, atol=2e-6, err_msg=name)
        assert activations.get(activations.serialize(getattr(activations, name))) is getattr(activations, name)
    own = {"hard_sigmoid", "sparsemax", "get", "serialize", "deserialize"}
    assert {*ACTIVATIONS, *own} == set(activations.__all__)


def test_sparsemax_is_the_nearest_point_of_the_simplex(each_backend):
    """Keras 3.15 gives rows here that do not sum to 1."""
    found = K.eval(activations.sparsemax(K.constant(X)))
    np.testing.assert_allclose(found.sum(1), 1.0, rtol=1e-6)
    for row, point in zip(X.astype(np.float64), found):
        ranked = np.sort(row)[::-1]
        sizes = [k for k in range(1, 5) if 1 + k * ranked[k - 1] > ranked[:k].sum()]
        level = (ranked[: sizes[-1]].sum() - 1) / sizes[-1]
        np.testing.assert_allclose(point, np.maximum(row - level, 0), atol=1e-6)


def test_relu_takes_the_slope_by_both_names():
    both = [activations.relu(K.constant(X), **{name: 0.3}) for name in ("alpha", "negative_slope")]
    np.testing.assert_array_equal(*map(K.eval, both))


REGULARIZERS = {
    "L1": {"l1": 0.3}, "L2": {"l2": 0.3}, "L1L2": {"l1": 0.1, "l2": 0.2}, "OrthogonalRegularizer": {"factor": 0.3},
    "orthogonal_regularizer": {"factor": 0.3, "mode": "columns"}, "l1": {}, "l2": {}, "l1_l2": {"l1": 0.5},
}  # fmt: skip


@pytest.mark.parametrize("name", REGULARIZERS)
def test_regularizers_are_those_of_keras(each_backend, keras, name):
    made = getattr(regularizers, name)(**REGULARIZERS[name])
    expected = float(getattr(keras.regularizers, name)(**REGULARIZERS[name])(keras.ops.convert_to_tensor(X)))
    assert float(K.eval(made(K.constant(X)))) == pytest.approx(expected, rel=1e-5)
    again = regularizers.deserialize(regularizers.serialize(made))
    assert type(again) is type(made) and again.get_config() == made.get_config()


def test_regularizers_of_keras_2():
    assert regularizers.l1(l=0.5).get_config() == regularizers.l1(0.5).get_config()
    assert isinstance(regularizers.get("l1_l2"), regularizers.L1L2)
    factor = K.variable(0.5)
    penalty = regularizers.l2(factor)(K.constant([2.0]))
    factor.assign(1.0)
    assert float(K.eval(penalty)) == 4.0


CONSTRAINTS = {"MaxNorm": {"max_value": 1.5}, "MinMaxNorm": {"min_value": 1.0, "max_value": 2.0, "rate": 0.5},
               "NonNeg": {}, "UnitNorm": {"axis": 1}}  # fmt: skip


@pytest.mark.parametrize("name", CONSTRAINTS)
def test_constraints_are_those_of_keras(each_backend, keras, name):
    made = getattr(constraints, name)(**CONSTRAINTS[name])
    expected = np.array(getattr(keras.constraints, name)(**CONSTRAINTS[name])(X))
    np.testing.assert_allclose(K.eval(made(K.constant(X))), expected, rtol=1e-5, atol=1e-6)
    again = constraints.deserialize(constraints.serialize(made))
    assert type(again) is type(made) and again.get_config() == made.get_config()


@pytest.mark.parametrize("options", [
    {}, {"side": "imag", "scaling": "spectrum"}, {"window": "hamming", "periodic": True}, {"window": None},
    {"window": "blackman", "scaling": None}, {"window": [1.0, 2.0, 3.0, 2.0, 1.0, 0.5]},
])  # fmt: skip
def test_stft_kernels_are_those_of_keras(keras, options):
    expected = np.array(keras.initializers.STFT(**options)((6, 1, 5)))
    np.testing.assert_allclose(K.eval(initializers.STFT(**options)((6, 1, 5))), expected, atol=3e-6)
    again = initializers.deserialize(initializers.serialize(initializers.STFT(**options)))
    assert again.get_config() == initializers.STFT(**options).get_config()


def test_axes_of_inputs_and_outputs():
    axes = {"input_axes": [0], "output_axes": [1, 2]}
    scaled = initializers.VarianceScaling(2.0, "fan_out", "uniform", seed=3, **axes)
    values = K.eval(scaled((50, 20, 30)))
    assert np.abs(values).max() <= np.sqrt(3 * 2 / 600)
    assert values.var() == pytest.approx(2 / 600, rel=0.05)
    assert initializers.get(initializers.serialize(initializers.HeNormal(3, **axes))).output_axes == [1, 2]


@pytest.mark.parametrize(("make", "message"), [
    (lambda: regularizers.L1(-1.0), "l1 must be a number that is not negative, it is -1.0"),
    (lambda: regularizers.OrthogonalRegularizer(mode="all"), "mode must be 'rows' or 'columns', it is 'all'"),
    (lambda: regularizers.OrthogonalRegularizer()(K.zeros((2,))), r"needs a matrix, the shape is \(2,\)"),
    (lambda: initializers.STFT(side="left"), "side must be 'real' or 'imag', it is 'left'"),
    (lambda: initializers.STFT(window="han"), "window must be one of hann, .* it is 'han'"),
    (lambda: initializers.STFT()((3, 3)), r"needs a shape \(length, 1, bins\), it was given \(3, 3\)"),
    (lambda: initializers.VarianceScaling(input_axes=[0]), "give both input_axes and output_axes"),
])  # fmt: skip
def test_bad_arguments_are_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()
