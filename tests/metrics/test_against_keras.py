"""Every metric against Keras 3: three batches of different sizes, with and without weights, one program an engine."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pytest

from kbackend import K, metrics

RNG = np.random.default_rng(11)
SIZES = (7, 5, 2)


def batches(make):
    return [tuple(np.asarray(x) for x in make(n)) for n in SIZES]


def floats(*shape):
    return RNG.normal(size=shape).astype(np.float32)


def bits(*shape):
    return RNG.integers(0, 2, shape).astype(np.float32)


def chances(*shape):
    """Probabilities, some of which are at thresholds."""
    drawn = RNG.uniform(0, 1, shape).astype(np.float32)
    return np.where(RNG.uniform(size=shape) < 0.3, np.round(drawn * 4) / 4, drawn).astype(np.float32)


def shares(*shape):
    return RNG.dirichlet(np.ones(shape[-1]), shape[:-1]).astype(np.float32)


def labels(n, *shape):
    return RNG.integers(0, n, shape).astype(np.int32)


def one_hot(n, *shape):
    return np.eye(n, dtype=np.float32)[labels(n, *shape)]


NUMBERS = batches(lambda n: (floats(n, 3), floats(n, 3)))
POSITIVE = batches(lambda n: (np.abs(floats(n, 3)), np.abs(floats(n, 3)) + 0.1))
BINARY = batches(lambda n: (bits(n), chances(n)))
COLUMN = batches(lambda n: (bits(n, 1), chances(n, 1)))
MULTI = batches(lambda n: (bits(n, 3), chances(n, 3)))
# a probability of 1 is clipped to 1 - 1e-7, whose complement Keras rounds to 1.19e-7 and kbackend does not
INNER = [(y, np.clip(p, 0.01, 0.99)) for y, p in MULTI]
LOGITS = batches(lambda n: (bits(n), floats(n)))
CLASSES = batches(lambda n: (one_hot(4, n), shares(n, 4)))
LABELS = batches(lambda n: (labels(4, n), shares(n, 4)))
LABEL_COLUMN = batches(lambda n: (labels(4, n, 1), shares(n, 4)))
SEQUENCES = batches(lambda n: (one_hot(4, n, 3), shares(n, 3, 4)))
LABEL_SEQUENCES = batches(lambda n: (labels(4, n, 3), shares(n, 3, 4)))
SORTED = batches(lambda n: (labels(4, n), np.argsort(RNG.normal(size=(n, 4)), axis=1).astype(np.int32)))
PAIRS = batches(lambda n: (labels(3, n), labels(3, n)))
MAPS = batches(lambda n: (labels(3, n, 2), labels(3, n, 2)))
VALUES = batches(lambda n: (floats(n, 3),))

Case = tuple[str, dict[str, Any], Any, bool]
#: class, arguments, batches, whether weights are tried as well
CASES: dict[str, Case] = {
    "mean": ("Mean", {}, VALUES, True),
    "sum": ("Sum", {}, VALUES, True),
    "mse": ("MeanSquaredError", {}, NUMBERS, True),
    "mae": ("MeanAbsoluteError", {}, NUMBERS, True),
    "mape": ("MeanAbsolutePercentageError", {}, NUMBERS, True),
    "msle": ("MeanSquaredLogarithmicError", {}, POSITIVE, True),
    "rmse": ("RootMeanSquaredError", {}, NUMBERS, True),
    "logcosh": ("LogCoshError", {}, NUMBERS, True),
    "cosine": ("CosineSimilarity", {}, NUMBERS, True),
    "r2": ("R2Score", {}, NUMBERS, True),
    "r2 each": ("R2Score", {"class_aggregation": None}, NUMBERS, False),
    "r2 weighted": ("R2Score", {"class_aggregation": "variance_weighted_average"}, NUMBERS, True),
    "r2 adjusted": ("R2Score", {"num_regressors": 2}, NUMBERS, False),
    "pearson": ("PearsonCorrelation", {}, NUMBERS, True),
    "concordance": ("ConcordanceCorrelation", {}, NUMBERS, True),
    "hinge": ("Hinge", {}, batches(lambda n: (bits(n, 3), floats(n, 3))), True),
    "squared hinge": ("SquaredHinge", {}, batches(lambda n: (bits(n, 3), floats(n, 3))), True),
    "categorical hinge": ("CategoricalHinge", {}, CLASSES, True),
    "kl": ("KLDivergence", {}, batches(lambda n: (shares(n, 4), shares(n, 4))), True),
    "poisson": ("Poisson", {}, POSITIVE, True),
    "binary crossentropy": ("BinaryCrossentropy", {"label_smoothing": 0.1}, INNER, True),
    "categorical crossentropy": ("CategoricalCrossentropy", {"label_smoothing": 0.1}, CLASSES, True),
    "sparse crossentropy": ("SparseCategoricalCrossentropy", {}, LABELS, True),
    "sparse crossentropy ignored": ("SparseCategoricalCrossentropy", {"ignore_class": 1}, LABELS, True),
    "accuracy": ("Accuracy", {}, PAIRS, True),
    "binary accuracy": ("BinaryAccuracy", {}, BINARY, True),
    "binary accuracy column": ("BinaryAccuracy", {"threshold": 0.3}, COLUMN, True),
    "binary accuracy wide": ("BinaryAccuracy", {}, MULTI, True),
    "categorical accuracy": ("CategoricalAccuracy", {}, CLASSES, True),
    "categorical accuracy sequences": ("CategoricalAccuracy", {}, SEQUENCES, True),
    "sparse accuracy": ("SparseCategoricalAccuracy", {}, LABELS, True),
    "sparse accuracy column": ("SparseCategoricalAccuracy", {}, LABEL_COLUMN, True),
    "top k": ("TopKCategoricalAccuracy", {"k": 2}, CLASSES, True),
    "top k sequences": ("TopKCategoricalAccuracy", {"k": 2}, SEQUENCES, False),
    "sparse top k": ("SparseTopKCategoricalAccuracy", {"k": 2}, LABELS, True),
    "sparse top k sequences": ("SparseTopKCategoricalAccuracy", {"k": 2}, LABEL_SEQUENCES, False),
    "sparse top k sorted": ("SparseTopKCategoricalAccuracy", {"k": 2, "from_sorted_ids": True}, SORTED, True),
    "tp": ("TruePositives", {}, BINARY, True),
    "fp": ("FalsePositives", {"thresholds": [0.2, 0.25, 0.9]}, MULTI, True),
    "tn": ("TrueNegatives", {"thresholds": [0.0, 0.5, 1.0]}, MULTI, True),
    "fn": ("FalseNegatives", {"thresholds": 0.75}, MULTI, True),
    "precision": ("Precision", {}, BINARY, True),
    "precision thresholds": ("Precision", {"thresholds": [0.25, 0.6]}, MULTI, True),
    "precision class": ("Precision", {"class_id": 1}, MULTI, True),
    "precision top": ("Precision", {"top_k": 2}, MULTI, True),
    "recall": ("Recall", {"thresholds": [0.0, 0.25, 0.5, 0.75, 1.0]}, MULTI, True),
    "recall top": ("Recall", {"top_k": 1, "class_id": 2}, MULTI, True),
    "auc": ("AUC", {}, BINARY, True),
    "auc few": ("AUC", {"num_thresholds": 5}, BINARY, True),
    "auc column": ("AUC", {}, COLUMN, True),
    "auc logits": ("AUC", {"from_logits": True}, LOGITS, False),
    "auc thresholds": ("AUC", {"thresholds": [0.2, 0.55, 0.6]}, MULTI, True),
    "auc minoring": ("AUC", {"summation_method": "minoring"}, MULTI, True),
    "auc majoring pr": ("AUC", {"summation_method": "majoring", "curve": "PR"}, MULTI, True),
    "auc pr": ("AUC", {"curve": "PR"}, MULTI, True),
    "auc gain": ("AUC", {"curve": "PRGAIN"}, MULTI, True),
    "auc label weights": ("AUC", {"label_weights": [0.5, 1.0, 2.0]}, MULTI, False),
    "auc labels": ("AUC", {"multi_label": True}, MULTI, True),
    "auc labels weighted": (
        "AUC", {"multi_label": True, "num_labels": 3, "label_weights": [0.5, 1.0, 2.0], "curve": "PR"}, MULTI, True),
    "auc labels thresholds": ("AUC", {"multi_label": True, "thresholds": [0.3, 0.4]}, MULTI, False),
    "sensitivity": ("SensitivityAtSpecificity", {"specificity": 0.4}, MULTI, True),
    "specificity": ("SpecificityAtSensitivity", {"sensitivity": 0.6, "num_thresholds": 20}, MULTI, True),
    "precision at": ("PrecisionAtRecall", {"recall": 0.5, "class_id": 1}, MULTI, True),
    "recall at": ("RecallAtPrecision", {"precision": 0.3}, BINARY, True),
    "recall at one": ("RecallAtPrecision", {"precision": 0.3, "num_thresholds": 1}, BINARY, True),
    "f1": ("F1Score", {}, CLASSES, True),
    "f1 micro": ("F1Score", {"average": "micro", "threshold": 0.5}, MULTI, True),
    "f1 macro": ("F1Score", {"average": "macro"}, CLASSES, True),
    "fbeta": ("FBetaScore", {"beta": 2.0, "average": "weighted", "threshold": 0.4}, MULTI, True),
    "iou": ("IoU", {"num_classes": 3, "target_class_ids": [0, 2]}, PAIRS, False),
    "iou ignored": ("IoU", {"num_classes": 3, "target_class_ids": [0, 2], "ignore_class": 0}, MAPS, False),
    "iou float": ("IoU", {"num_classes": 3, "target_class_ids": [1], "dtype": "float32"}, PAIRS, True),
    "iou of more labels": ("IoU", {"num_classes": 2, "target_class_ids": [0, 1]}, PAIRS, False),
    "binary iou": ("BinaryIoU", {"threshold": 0.4}, BINARY, False),
    "mean iou": ("MeanIoU", {"num_classes": 3}, MAPS, False),
    "one hot iou": ("OneHotIoU", {"num_classes": 4, "target_class_ids": [1, 3]}, CLASSES, False),
    "one hot mean iou": ("OneHotMeanIoU", {"num_classes": 4, "sparse_y_pred": False}, CLASSES, False),
}  # fmt: skip
WEIGHTS = [RNG.uniform(0, 2, n).astype(np.float32) for n in SIZES]
RUNS = [(case, weighted) for case, (*_, tried) in CASES.items() for weighted in (False, True)[: 1 + tried]]


def made(library, case):
    class_name, options, _, _ = CASES[case]
    return getattr(library, class_name)(**options)


@functools.cache
def of_keras():
    import keras

    found = {}
    for case, weighted in RUNS:
        metric, values = made(keras.metrics, case), []
        for batch, weight in zip(CASES[case][2], WEIGHTS):
            metric.update_state(*batch, sample_weight=weight if weighted else None)
            values.append(np.array(metric.result()))
        found[case, weighted] = values
    return found


def compare(found):
    for run, expected in of_keras().items():
        for a, b in zip(found[run], expected, strict=True):
            np.testing.assert_allclose(a, b, rtol=3e-5, atol=3e-6, err_msg=str(run))
            assert np.shape(a) == b.shape, run


def test_metrics_in_one_program_are_those_of_keras(each_backend, keras):
    feeds, updates, results, owners = [], [], [], {}
    for case, weighted in RUNS:
        metric = owners[case, weighted] = made(metrics, case)
        first = [*CASES[case][2][0], *([WEIGHTS[0]] if weighted else [])]
        tensors = [K.placeholder((None, *x.shape[1:]), dtype=str(x.dtype)) for x in first]
        feeds += tensors
        count = len(CASES[case][2][0])
        updates += metric.updates_for(*tensors[:count], sample_weight=tensors[count] if weighted else None)
        results.append(metric.symbolic_result())
    program, reading = K.function(feeds, [], updates=updates), K.function([], results)
    found = {run: [] for run in RUNS}
    for i in range(len(SIZES)):
        program([x for case, weighted in RUNS for x in [*CASES[case][2][i], *([WEIGHTS[i]] if weighted else [])]])
        for run, value in zip(RUNS, reading([])):
            found[run].append(value)
    compare(found)
    for metric in owners.values():
        metric.reset_state()
        assert all(not K.get_value(v).any() for v in metric.variables)
    whole = [[np.concatenate(parts) for parts in zip(*CASES[case][2])] for case, _ in RUNS]
    program([x for run, arrays in zip(RUNS, whole) for x in [*arrays, *([np.concatenate(WEIGHTS)] if run[1] else [])]])
    joined = {run: value for run, value in zip(RUNS, reading([])) if owners[run].additive}
    assert {"auc", "precision top", "f1", "r2", "mean iou", "recall at"} <= {case for case, _ in joined}
    for run, value in joined.items():
        np.testing.assert_allclose(value, found[run][-1], rtol=3e-5, atol=3e-6, err_msg=str(run))


def test_metrics_of_arrays_are_those_of_keras(keras):
    found = {}
    for case, weighted in RUNS:
        metric, values = made(metrics, case), []
        for batch, weight in zip(CASES[case][2], WEIGHTS):
            metric.update_state(*batch, sample_weight=weight if weighted else None)
            values.append(K.eval(metric.result()))
        found[case, weighted] = values
    compare(found)


@pytest.mark.parametrize("case", CASES)
def test_a_configuration_makes_an_equal_metric(case):
    metric = made(metrics, case)
    again = metrics.deserialize(metrics.serialize(metric))
    assert type(again) is type(metric) and again.get_config() == metric.get_config()
    assert metrics.clone_metric(metric).get_config() == metric.get_config()


FUNCTIONS: dict[str, tuple[Any, dict[str, Any]]] = {
    "categorical_accuracy": (CLASSES, {}),
    "sparse_categorical_accuracy": (LABELS, {}),
    "top_k_categorical_accuracy": (CLASSES, {"k": 2}),
    "sparse_top_k_categorical_accuracy": (LABELS, {"k": 3}),
    "pearson_correlation": (NUMBERS, {}),
    "concordance_correlation": (NUMBERS, {"axis": 0}),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_are_those_of_keras(each_backend, keras, name):
    data, options = FUNCTIONS[name]
    expected = np.array(getattr(keras.metrics, name)(*data[0], **options))
    found = K.eval(getattr(metrics, name)(*data[0], **options))
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, rtol=2e-5, atol=1e-6)


def test_functions_of_keras_2():
    found = K.eval(metrics.binary_accuracy([[1.0, 0.0, 1.0]], [[0.9, 0.9, 0.2]]))
    np.testing.assert_allclose(found, [1 / 3], rtol=1e-6)
    assert K.eval(metrics.accuracy([[1, 2]], [[1, 3]])).tolist() == [[1.0, 0.0]]
    np.testing.assert_allclose(K.eval(metrics.cosine_proximity([[1.0, 0.0]], [[3.0, 4.0]])), [0.6], rtol=1e-6)
    reduce = metrics.Reduce("sum_over_batch_size", "r")
    reduce.update_state([[1.0, 2.0], [3.0, 4.0]], sample_weight=[2.0, 0.0])
    assert float(K.eval(reduce.result())) == 1.5
