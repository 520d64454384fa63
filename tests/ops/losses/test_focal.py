"""Focal crossentropies against the formula of the paper and against Keras 3, with live weights and from logits."""

from __future__ import annotations

import numpy as np
import pytest

import kbackend
from kbackend import K

RNG = np.random.default_rng(11)
LABELS = RNG.integers(0, 2, (6, 4)).astype("float32")
SHARES = RNG.uniform(0.02, 0.98, (6, 4)).astype("float32")
LOGITS = RNG.normal(size=(6, 4)).astype("float32") * 3
CLASSES = np.eye(4, dtype="float32")[[0, 3, 1, 1, 2, 0]]


def sigmoid(x):
    return 1 / (1 + np.exp(-np.asarray(x, "float64")))


def softmax(x, axis=-1):
    powers = np.exp(np.asarray(x, "float64"))
    return powers / powers.sum(axis=axis, keepdims=True)


def binary(t, p, alpha=None, gamma=2.0):
    """FL of the paper: the probability given to the truth, and alpha for the class that is true."""
    p_t = np.where(t == 1, p, 1 - np.asarray(p, "float64"))
    weight = 1.0 if alpha is None else np.where(t == 1, alpha, 1 - alpha)
    return -weight * (1 - p_t) ** gamma * np.log(p_t)


@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0, 3])
def test_binary_against_the_paper(each_backend, gamma):
    for alpha in (None, 0.25, 0.9):
        options = {"apply_class_balancing": alpha is not None, "alpha": alpha or 0.25, "gamma": gamma}
        found = K.eval(K.binary_focal_crossentropy(LABELS, SHARES, **options))
        np.testing.assert_allclose(found, binary(LABELS, SHARES, alpha, gamma), rtol=1e-5, atol=1e-7)
        found = K.eval(K.binary_focal_crossentropy(LABELS, LOGITS, from_logits=True, **options))
        np.testing.assert_allclose(found, binary(LABELS, sigmoid(LOGITS), alpha, gamma), rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0, 3])
def test_categorical_against_the_paper(each_backend, gamma):
    def wanted(shares, alpha):
        terms = alpha * (1 - shares) ** gamma * np.log(shares) * CLASSES
        return -terms.sum(axis=-1)

    shares = SHARES / SHARES.sum(axis=-1, keepdims=True)
    weights = [0.1, 0.2, 0.3, 0.4]
    for alpha in (0.25, weights):
        found = K.eval(K.categorical_focal_crossentropy(CLASSES, SHARES, alpha, gamma))
        np.testing.assert_allclose(found, wanted(shares.astype("float64"), np.array(alpha)), rtol=1e-5, atol=1e-7)
        found = K.eval(K.categorical_focal_crossentropy(CLASSES, LOGITS, alpha, gamma, True))
        np.testing.assert_allclose(found, wanted(softmax(LOGITS), np.array(alpha)), rtol=1e-5, atol=1e-7)


def test_gamma_of_zero_is_the_crossentropy(each_backend):
    plain = K.eval(K.binary_crossentropy(LABELS, SHARES))
    np.testing.assert_allclose(K.eval(K.binary_focal_crossentropy(LABELS, SHARES, gamma=0.0)), plain, rtol=1e-6)
    plain = K.eval(K.categorical_crossentropy(CLASSES, SHARES))
    focal = K.eval(K.categorical_focal_crossentropy(CLASSES, SHARES, 1.0, 0.0))
    np.testing.assert_allclose(focal, plain, rtol=1e-6)


def test_an_inner_axis_is_the_last_one_moved(each_backend):
    moved = K.eval(K.categorical_focal_crossentropy(CLASSES.T, LOGITS.T, from_logits=True, axis=0))
    last = K.eval(K.categorical_focal_crossentropy(CLASSES, LOGITS, from_logits=True))
    np.testing.assert_allclose(moved, last, rtol=1e-6)


def test_alpha_and_gamma_may_be_variables(each_backend):
    alpha, gamma = K.variable(0.25), K.variable(2.0)
    t, p = K.placeholder((None, 4)), K.placeholder((None, 4))
    both = [K.binary_focal_crossentropy(t, p, True, alpha, gamma), K.categorical_focal_crossentropy(t, p, alpha, gamma)]
    program = K.function([t, p], both)
    shares = SHARES / SHARES.sum(axis=-1, keepdims=True)
    for a, g in [(0.25, 2.0), (0.8, 1.5)]:
        K.set_value(alpha, a)
        K.set_value(gamma, g)
        found = program([CLASSES, shares])
        np.testing.assert_allclose(found[0], binary(CLASSES, shares, a, g), rtol=1e-4, atol=1e-6)
        wanted = -(a * (1 - shares) ** g * np.log(shares) * CLASSES).sum(axis=-1)
        np.testing.assert_allclose(found[1], wanted, rtol=1e-4, atol=1e-6)


def test_probabilities_of_a_sigmoid_lose_no_digits(each_backend):
    """The crossentropy inside is computed from the logits; like that of probabilities it is clipped."""
    t, x = K.placeholder((4,)), K.placeholder((4,))
    loss = K.binary_focal_crossentropy(t, K.sigmoid(x))
    program = K.function([t, x], [loss, *K.gradients(K.sum(loss), [x])])
    found = program([[1.0, 0.0, 1.0, 0.0], [-16.0, 16.0, -60.0, 60.0]])
    most = -np.log(K.epsilon())
    np.testing.assert_allclose(found[0], [16.0, 16.0, most, most], rtol=1e-6)
    p = 1 / (1 + np.exp(16.0))
    slope = (1 - p) ** 3 - 2 * p * (1 - p) ** 2 * np.log(p)
    np.testing.assert_allclose(found[1], [-slope, slope, 0.0, 0.0], rtol=1e-6, atol=1e-20)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_the_dtype_is_kept(each_backend, dtype):
    t, p = CLASSES.astype(dtype), SHARES.astype(dtype)
    assert K.eval(K.binary_focal_crossentropy(t, p)).dtype == dtype
    assert K.eval(K.categorical_focal_crossentropy(t, p)).dtype == dtype
    assert K.eval(K.binary_focal_crossentropy(t.astype("int32"), p)).dtype == dtype


def test_errors_hold_the_values_and_come_with_the_call(each_backend):
    for make in (K.placeholder, np.zeros):
        for loss in (K.binary_focal_crossentropy, K.categorical_focal_crossentropy):
            with pytest.raises(ValueError, match=r"\(2, 3\) and \(2, 4\)"):
                loss(make((2, 3)), make((2, 4)))
        with pytest.raises(ValueError, match="axis 2 is out of range"):
            K.categorical_focal_crossentropy(make((2, 3)), make((2, 3)), axis=2)


@pytest.mark.engine("tensorflow")
@pytest.mark.parametrize("from_logits", [False, True])
def test_keras_agrees(keras, from_logits):
    output = LOGITS if from_logits else SHARES
    with kbackend.use_backend("numpy"):
        for balanced, alpha, gamma in [(False, 0.25, 2.0), (True, 0.3, 1.5)]:
            found = K.eval(K.binary_focal_crossentropy(LABELS, output, balanced, alpha, gamma, from_logits))
            wanted = keras.losses.binary_focal_crossentropy(LABELS, output, balanced, alpha, gamma, from_logits)
            np.testing.assert_allclose(found.mean(axis=-1), np.asarray(wanted), rtol=1e-5, atol=1e-7)
            found = K.eval(K.categorical_focal_crossentropy(CLASSES, output, alpha, gamma, from_logits))
            wanted = keras.losses.categorical_focal_crossentropy(CLASSES, output, alpha, gamma, from_logits)
            np.testing.assert_allclose(found, np.asarray(wanted), rtol=1e-5, atol=1e-7)
