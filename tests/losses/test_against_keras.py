"""Every loss against Keras 3, as a function and as a class with weights, masks and reductions."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pytest

from kbackend import K, losses

RNG = np.random.default_rng(5)
NUMBERS = RNG.normal(size=(6, 4)).astype(np.float32), RNG.normal(size=(6, 4)).astype(np.float32)
POSITIVE = RNG.uniform(0.1, 2, (6, 4)).astype(np.float32), RNG.uniform(0.1, 2, (6, 4)).astype(np.float32)
SHARES = RNG.dirichlet(np.ones(4), 6).astype(np.float32)
LABELS = RNG.integers(0, 4, 6).astype(np.int32)
ONE_HOT = np.eye(4, dtype=np.float32)[LABELS]
BITS = RNG.integers(0, 2, (6, 4)).astype(np.float32)
CHANCES = RNG.uniform(0.02, 0.98, (6, 4)).astype(np.float32)
UNIT = (NUMBERS[0] / np.linalg.norm(NUMBERS[0], axis=1, keepdims=True)).astype(np.float32)
PAIRS = np.array([0, 1, 0, 1, 2, 2], np.int32)
PIXELS = RNG.integers(-1, 3, (2, 5)).astype(np.int32)
PIXEL_SHARES = RNG.dirichlet(np.ones(3), (2, 5)).astype(np.float32)
SPOKEN = np.array([[1, 2, 0], [2, 2, 1]], np.int32), RNG.normal(size=(2, 7, 4)).astype(np.float32)

#: function, class, operands, options
CASES: dict[str, tuple[str, str, Any, dict[str, Any]]] = {
    "mse": ("mean_squared_error", "MeanSquaredError", NUMBERS, {}),
    "mae": ("mean_absolute_error", "MeanAbsoluteError", NUMBERS, {}),
    "mape": ("mean_absolute_percentage_error", "MeanAbsolutePercentageError", NUMBERS, {}),
    "msle": ("mean_squared_logarithmic_error", "MeanSquaredLogarithmicError", NUMBERS, {}),
    "cosine": ("cosine_similarity", "CosineSimilarity", NUMBERS, {}),
    "cosine axis": ("cosine_similarity", "CosineSimilarity", NUMBERS, {"axis": 0}),
    "huber": ("huber", "Huber", NUMBERS, {"delta": 0.7}),
    "log_cosh": ("log_cosh", "LogCosh", NUMBERS, {}),
    "poisson": ("poisson", "Poisson", POSITIVE, {}),
    "hinge": ("hinge", "Hinge", (np.sign(NUMBERS[0]), NUMBERS[1]), {}),
    "hinge of bits": ("hinge", "Hinge", (BITS, NUMBERS[1]), {}),
    "squared_hinge": ("squared_hinge", "SquaredHinge", (BITS, NUMBERS[1]), {}),
    "categorical_hinge": ("categorical_hinge", "CategoricalHinge", (ONE_HOT, NUMBERS[1]), {}),
    "kl": ("kl_divergence", "KLDivergence", (SHARES[::-1].copy(), SHARES), {}),
    "categorical": ("categorical_crossentropy", "CategoricalCrossentropy", (ONE_HOT, SHARES), {}),
    "categorical smoothed logits": (
        "categorical_crossentropy", "CategoricalCrossentropy", (ONE_HOT, NUMBERS[0]),
        {"from_logits": True, "label_smoothing": 0.1}),
    "sparse": ("sparse_categorical_crossentropy", "SparseCategoricalCrossentropy", (LABELS, SHARES), {}),
    "sparse column": (
        "sparse_categorical_crossentropy", "SparseCategoricalCrossentropy", (LABELS[:, None], NUMBERS[0]),
        {"from_logits": True}),
    "sparse ignored": (
        "sparse_categorical_crossentropy", "SparseCategoricalCrossentropy", (PIXELS, PIXEL_SHARES),
        {"ignore_class": -1}),
    "binary": ("binary_crossentropy", "BinaryCrossentropy", (BITS, CHANCES), {"label_smoothing": 0.2}),
    "binary logits": ("binary_crossentropy", "BinaryCrossentropy", (BITS, NUMBERS[0]), {"from_logits": True}),
    "binary focal": (
        "binary_focal_crossentropy", "BinaryFocalCrossentropy", (BITS, CHANCES),
        {"apply_class_balancing": True, "alpha": 0.3, "gamma": 1.5}),
    "binary focal logits": (
        "binary_focal_crossentropy", "BinaryFocalCrossentropy", (BITS, NUMBERS[0]), {"from_logits": True}),
    "categorical focal logits": (
        "categorical_focal_crossentropy", "CategoricalFocalCrossentropy", (ONE_HOT, NUMBERS[0]),
        {"from_logits": True, "gamma": 1.5}),
    "categorical focal": (
        "categorical_focal_crossentropy", "CategoricalFocalCrossentropy", (ONE_HOT, SHARES),
        {"alpha": 0.4, "label_smoothing": 0.1}),
    "generalized": (
        "categorical_generalized_cross_entropy", "CategoricalGeneralizedCrossEntropy", (LABELS, SHARES), {"q": 0.3}),
    "ctc": ("ctc", "CTC", SPOKEN, {}),
    "dice": ("dice", "Dice", (BITS, CHANCES), {}),
    "dice axis": ("dice", "Dice", (BITS, CHANCES), {"axis": 1}),
    "tversky": ("tversky", "Tversky", (BITS, CHANCES), {"alpha": 0.3, "beta": 0.6, "axis": 1}),
    "circle": ("circle", "Circle", (PAIRS, UNIT), {"gamma": 8.0, "margin": 0.3}),
    "circle with itself": ("circle", "Circle", (PAIRS, UNIT), {"gamma": 8.0, "remove_diagonal": False}),
}  # fmt: skip
REDUCTIONS = ("sum_over_batch_size", "sum", "none", "mean_with_sample_weight")


def weights_of(case):
    weights = np.linspace(0.0, 2.0, len(CASES[case][2][0])).astype(np.float32)
    return weights[:, None] if case == "sparse ignored" else weights  # Keras takes no others beside a mask



@functools.cache
def of_keras():
    """The values of all cases: the function's, then the classes' without and with weights."""
    import keras

    found = {}
    for case, (function, class_name, operands, options) in CASES.items():
        values = [np.array(getattr(keras.losses, function)(*operands, **options))]
        for reduction in REDUCTIONS:
            loss = getattr(keras.losses, class_name)(**options, reduction=reduction)
            values.append(np.array(loss(*operands)))
            if weighted(case):
                values.append(np.array(loss(*operands, sample_weight=weights_of(case))))
        found[case] = values
    return found


def weighted(case):
    """Whether there is a value for each sample."""
    name, options = CASES[case][0], CASES[case][3]
    return not (name in ("dice", "tversky") and "axis" not in options) and options.get("axis") != 0


def of_ours(call):
    found = {}
    for case, (function, class_name, operands, options) in CASES.items():
        values = [call(getattr(losses, function), operands, None, options)]
        for reduction in REDUCTIONS:
            loss = getattr(losses, class_name)(**options, reduction=reduction)
            values.append(call(loss, operands, None, {}))
            if weighted(case):
                values.append(call(loss, operands, weights_of(case), {}))
        found[case] = values
    return found


def compare(found):
    for case, expected in of_keras().items():
        for a, b in zip(found[case], expected, strict=True):
            assert a.shape == b.shape, case
            np.testing.assert_allclose(a, b, rtol=2e-5, atol=2e-6, err_msg=case)


def test_losses_in_one_program_are_those_of_keras(each_backend, keras):
    feeds: list[Any] = []
    tensors: list[Any] = []

    def fed(value):
        feeds.append(value)
        tensors.append(K.placeholder(value.shape, dtype=str(value.dtype)))
        return tensors[-1]

    def call(function, operands, weight, options):
        extra = {} if weight is None else {"sample_weight": fed(weight)}
        return function(*map(fed, operands), **extra, **options)

    symbolic = of_ours(call)
    values = iter(K.function(tensors, [v for case in symbolic.values() for v in case])(feeds))
    compare({case: [next(values) for _ in of] for case, of in symbolic.items()})


def test_losses_of_arrays_are_those_of_keras(keras):
    def call(function, operands, weight, options):
        extra = {} if weight is None else {"sample_weight": weight}
        return K.eval(function(*operands, **extra, **options))

    compare(of_ours(call))


def test_a_mask_excludes_what_it_masks(each_backend, keras):
    mask = np.array([True, True, False, True, False, True])
    theirs = keras.ops.convert_to_tensor(NUMBERS[1])
    theirs._keras_mask = keras.ops.convert_to_tensor(mask)
    wanted, found = [], []
    for reduction in REDUCTIONS:
        wanted.append(np.array(keras.losses.MeanSquaredError(reduction)(NUMBERS[0], theirs)))
        y_pred = K.placeholder((6, 4))
        y_pred._keras_mask = K.constant(mask, "bool")
        value = losses.MeanSquaredError(reduction)(K.constant(NUMBERS[0]), y_pred)
        found.append(K.function([y_pred], [value])([NUMBERS[1]])[0])
    for a, b in zip(found, wanted):
        np.testing.assert_allclose(a, b, rtol=1e-6)


@pytest.mark.parametrize("case", CASES)
def test_a_configuration_makes_an_equal_loss(case):
    _, class_name, operands, options = CASES[case]
    made = getattr(losses, class_name)(**options, reduction="sum")
    again = losses.deserialize(losses.serialize(made))
    assert type(again) is type(made) and again.get_config() == made.get_config()
    assert float(K.eval(again(*operands))) == float(K.eval(made(*operands)))


def test_a_wrapped_function_is_found_by_its_name():
    made = losses.LossFunctionWrapper(losses.huber, delta=0.5)
    again = losses.deserialize(losses.serialize(made))
    assert again.fn is losses.huber and again.options == {"delta": 0.5}


def test_names_in_strings():
    assert losses.get("MSE") is losses.get("mean_squared_error") is losses.mse
    assert losses.get("cosine_proximity") is losses.cosine_similarity
    assert isinstance(losses.get("Huber"), losses.Huber)
    assert losses.get(None) is None
    assert losses.is_categorical_crossentropy(losses.CategoricalCrossentropy())
    assert not losses.is_categorical_crossentropy(losses.get("mse"))
    assert losses.takes_labels(losses.SparseCategoricalCrossentropy())


@pytest.mark.parametrize(("make", "message"), [
    (lambda: losses.get("msee"), "unknown loss 'msee'.*mean_squared_error"),
    (lambda: losses.get(3), "not 3"),
    (lambda: losses.Loss(reduction="average"), "reduction must be one of .* it is 'average'"),
    (lambda: losses.CategoricalGeneralizedCrossEntropy(q=2), r"q must lie in \(0, 1\), it is 2"),
    (lambda: losses.binary_crossentropy([[1.0]], [[0.5]], label_smoothing=2), "label_smoothing must lie in"),
    (lambda: losses.ctc([1], [[0.5]]), r"ctc needs y_true \(batch, length\)"),
])  # fmt: skip
def test_bad_arguments_are_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()
