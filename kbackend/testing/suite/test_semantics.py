"""Rows of the table of semantics that are not a single call of an op."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from kbackend import K
from kbackend.plugin.contract import Target
from kbackend.plugin.select import use_target
from kbackend.testing.plugin import kit_target


@pytest.fixture
def active(kit_backend: str) -> Iterator[Target]:
    """The backend that is checked, as the active one."""
    with use_target(kit_target(kit_backend)) as target:
        yield target


@pytest.mark.row(4)
def test_kernels_are_laid_out_as_keras_lays_them_out(active: Target) -> None:
    rng = np.random.default_rng(4)
    x, kernel = rng.normal(size=(1, 3, 3, 2)), rng.normal(size=(3, 3, 2, 4))
    found = active.backend.to_numpy(K.conv2d(x, kernel))
    np.testing.assert_allclose(found[0, 0, 0], np.einsum("hwi,hwio->o", x[0], kernel), rtol=1e-12)
    separate = rng.normal(size=(3, 3, 2, 5))
    found = active.backend.to_numpy(K.depthwise_conv2d(x, separate))
    np.testing.assert_allclose(found[0, 0, 0], np.einsum("hwc,hwcm->cm", x[0], separate).ravel(), rtol=1e-12)


@pytest.mark.row(9)
def test_moving_variance_is_biased(active: Target) -> None:
    from kbackend import Input, Model, layers

    inputs = Input((2,))
    layer = layers.BatchNormalization(momentum=0.75)
    model = Model(inputs, layer(inputs))
    model.compile("sgd", "mse")
    x = np.array([[1.0, 10.0], [3.0, 14.0]], np.float32)
    model.train_on_batch(x, x)
    moving_mean, moving_variance = layer.get_weights()[2:]
    np.testing.assert_allclose(moving_mean, 0.25 * x.mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(moving_variance, 0.75 + 0.25 * x.var(axis=0), rtol=1e-6)


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def _recurrent_weights(gates: int, units: int = 2, features: int = 3) -> list[np.ndarray]:
    rng = np.random.default_rng(gates)
    return [rng.normal(size=shape) for shape in ((4, features), (4, units), (features, gates * units),
                                                 (units, gates * units))]


@pytest.mark.row(13, 14, 15)
def test_gru_resets_after_the_product_by_default_with_gates_z_r_h(active: Target) -> None:
    x, h, kernel, recurrent = _recurrent_weights(3)
    bias = np.random.default_rng(0).normal(size=(2, 6))
    outputs, last = map(active.backend.to_numpy, K.gru(x[:, None], h, kernel, recurrent, bias))
    xz, xr, xh = np.split(x @ kernel + bias[0], 3, axis=1)
    hz, hr, hh = np.split(h @ recurrent + bias[1], 3, axis=1)
    z, r = _sigmoid(xz + hz), _sigmoid(xr + hr)
    np.testing.assert_allclose(last, z * h + (1 - z) * np.tanh(xh + r * hh), rtol=1e-12)
    np.testing.assert_allclose(outputs[:, 0], last, rtol=0)
    before = K.gru(x[:, None], h, kernel, recurrent, bias[0], reset_after=False)[1]
    z, r = _sigmoid(xz + h @ recurrent[:, :2]), _sigmoid(xr + h @ recurrent[:, 2:4])
    wanted = z * h + (1 - z) * np.tanh(xh + (r * h) @ recurrent[:, 4:])
    np.testing.assert_allclose(active.backend.to_numpy(before), wanted, rtol=1e-12)


@pytest.mark.row(14, 15)
def test_lstm_has_gates_i_f_c_o_and_one_bias(active: Target) -> None:
    x, h, kernel, recurrent = _recurrent_weights(4)
    c, bias = np.random.default_rng(1).normal(size=(4, 2)), np.random.default_rng(0).normal(size=8)
    _, last_h, last_c = map(active.backend.to_numpy, K.lstm(x[:, None], h, c, kernel, recurrent, bias))
    i, f, g, o = np.split(x @ kernel + h @ recurrent + bias, 4, axis=1)
    new = _sigmoid(f) * c + _sigmoid(i) * np.tanh(g)
    np.testing.assert_allclose(last_c, new, rtol=1e-12)
    np.testing.assert_allclose(last_h, _sigmoid(o) * np.tanh(new), rtol=1e-12)


@pytest.mark.row(14)
def test_the_forget_gate_starts_with_a_bias_of_one(active: Target) -> None:
    from kbackend import Input, layers

    layer = layers.LSTM(2)
    layer(Input((5, 3)))
    assert layer.get_weights()[2].tolist() == [0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0]


@pytest.mark.row(36)
def test_float64_becomes_floatx_at_the_door(active: Target) -> None:
    values = np.array([0.1, 0.2])
    assert values.dtype == np.float64
    assert K.get_value(K.variable(values)).dtype == np.float32
    x = K.placeholder((2,))
    found = K.function([x], [x + values, K.constant(values)])([values])
    assert [t.dtype.name for t in found] == ["float32", "float32"]


@pytest.mark.row(48)
def test_truncated_normal_stays_within_two_deviations(active: Target) -> None:
    draws = K.function([], [K.truncated_normal((2_000_000,), mean=1.0, stddev=0.5, seed=3)])([])[0]
    assert draws.min() >= 0.0 and draws.max() <= 2.0
    assert draws.min() < 0.01 and draws.max() > 1.99, "the tails are missing"
    assert abs(draws.mean() - 1.0) < 1e-3


@pytest.mark.row(53)
def test_tensors_do_not_share_the_memory_they_were_made_from(active: Target) -> None:
    array = np.ones(3, np.float32)
    tensor = active.from_numpy(array)
    array[:] = 7.0
    assert active.backend.to_numpy(tensor).tolist() == [1.0, 1.0, 1.0]


def _trained(optimizer: object, start: list[float], steps: int) -> np.ndarray:
    """The weights after some steps on sum(w * w / 2), whose gradient is w."""
    w = K.variable(start)
    loss = K.sum(w * w) * 0.5
    step = K.function([], [loss], updates=optimizer.get_updates(loss, [w]))  # type: ignore[attr-defined]
    for _ in range(steps):
        step([])
    return K.get_value(w)


@pytest.mark.row(55)
def test_constants_of_adam_and_rmsprop_are_those_of_keras(active: Target) -> None:
    from kbackend import optimizers

    w = np.array([1.0, 1e-7])
    mean, square = 0.1 * w, 0.001 * w * w
    adam = w - 1e-3 * np.sqrt(1 - 0.999) / (1 - 0.9) * mean / (np.sqrt(square) + 1e-7)
    np.testing.assert_allclose(_trained(optimizers.Adam(1e-3), w.tolist(), 1), adam, rtol=1e-5)
    rmsprop = w - 1e-3 * w / np.sqrt(0.1 * w * w + 1e-7)
    np.testing.assert_allclose(_trained(optimizers.RMSprop(1e-3), w.tolist(), 1), rmsprop, rtol=1e-5)


@pytest.mark.row(56)
def test_the_rate_is_inside_the_velocity(active: Target) -> None:
    from kbackend import optimizers

    rate = K.variable(0.5)
    optimizer = optimizers.SGD(rate, momentum=0.5)
    w = K.variable([1.0])
    loss = K.sum(w * w) * 0.5
    step = K.function([], [loss], updates=optimizer.get_updates(loss, [w]))
    step([])  # velocity -0.5, weight 0.5
    K.set_value(rate, 0.0)
    step([])  # velocity -0.25: the old step goes on at the rate it was made with
    assert K.get_value(w).tolist() == [0.25]


@pytest.mark.row(62)
def test_gradients_of_what_is_multiplied_by_zero_or_not_chosen(active: Target) -> None:
    x = K.placeholder((2,))
    times_zero = K.gradients(K.sum(0.0 * K.sqrt(x)), [x])[0]
    chosen = K.gradients(K.sum(K.switch(K.greater(x, 0.0), K.sqrt(x), x)), [x])[0]
    found = K.function([x], [times_zero, chosen])([[0.0, 4.0]])
    assert found[0].tolist() == [0.0, 0.0]
    assert found[1].tolist() == [1.0, 0.25]


@pytest.mark.row(57)
def test_factors_of_matrix_products_keep_their_bits(active: Target) -> None:
    """TensorFloat-32 would round the factor to 10 bits."""
    factor = np.full((64, 64), 1 + 2.0**-12, np.float32)
    one = np.eye(64, dtype=np.float32)
    assert K.matmul_precision() == "highest"
    found = active.backend.to_numpy(K.dot(active.from_numpy(factor), active.from_numpy(one)))
    np.testing.assert_array_equal(found, factor)
