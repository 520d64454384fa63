"""Metrics: objects that keep a state over batches, and functions of one value for each sample.

>>> from kbackend import metrics
>>> auc = metrics.AUC()
>>> _ = auc.update_state([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
>>> round(float(auc.result()), 4)
0.75
"""

from __future__ import annotations

from typing import Any

from kbackend import losses, registry
from kbackend.ground.suggest import suggest_in as _suggest_in
from kbackend.losses import (
    MAE,
    MAPE,
    MSE,
    MSLE,
    binary_crossentropy,
    binary_focal_crossentropy,
    categorical_crossentropy,
    categorical_focal_crossentropy,
    categorical_hinge,
    hinge,
    huber,
    kl_divergence,
    kullback_leibler_divergence,
    log_cosh,
    logcosh,
    mae,
    mape,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
    mse,
    msle,
    poisson,
    sparse_categorical_crossentropy,
    squared_hinge,
)
from kbackend.metrics.accuracy import (
    Accuracy,
    BinaryAccuracy,
    CategoricalAccuracy,
    SparseCategoricalAccuracy,
    SparseTopKCategoricalAccuracy,
    TopKCategoricalAccuracy,
    accuracy,
    binary_accuracy,
    categorical_accuracy,
    sparse_categorical_accuracy,
    sparse_top_k_categorical_accuracy,
    top_k_categorical_accuracy,
)
from kbackend.metrics.auc import AUC
from kbackend.metrics.base import Metric, clone_metric, clone_metrics
from kbackend.metrics.confusion import (
    FalseNegatives,
    FalsePositives,
    Precision,
    Recall,
    TrueNegatives,
    TruePositives,
    _snake,
)
from kbackend.metrics.f_score import F1Score, FBetaScore
from kbackend.metrics.iou import BinaryIoU, IoU, MeanIoU, OneHotIoU, OneHotMeanIoU
from kbackend.metrics.probabilistic import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    CategoricalHinge,
    Hinge,
    KLDivergence,
    Poisson,
    SparseCategoricalCrossentropy,
    SquaredHinge,
)
from kbackend.metrics.reduction import FUNCTIONS, Mean, MeanMetricWrapper, Reduce, Sum
from kbackend.metrics.regression import (
    ConcordanceCorrelation,
    CosineSimilarity,
    LogCoshError,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    PearsonCorrelation,
    R2Score,
    RootMeanSquaredError,
    concordance_correlation,
    cosine_proximity,
    pearson_correlation,
)
from kbackend.metrics.sensitivity import (
    PrecisionAtRecall,
    RecallAtPrecision,
    SensitivityAtSpecificity,
    SensitivitySpecificityBase,
    SpecificityAtSensitivity,
)

cosine = cosine_similarity = cosine_proximity

CLASSES: dict[str, Any] = {
    c.__name__: c
    for c in (
        AUC, Accuracy, BinaryAccuracy, BinaryCrossentropy, BinaryIoU, CategoricalAccuracy, CategoricalCrossentropy,
        CategoricalHinge, ConcordanceCorrelation, CosineSimilarity, F1Score, FBetaScore, FalseNegatives,
        FalsePositives, Hinge, IoU, KLDivergence, LogCoshError, Mean, MeanAbsoluteError,
        MeanAbsolutePercentageError, MeanIoU, MeanMetricWrapper, MeanSquaredError, MeanSquaredLogarithmicError,
        OneHotIoU, OneHotMeanIoU, PearsonCorrelation, Poisson, Precision, PrecisionAtRecall, R2Score, Recall,
        RecallAtPrecision, Reduce, RootMeanSquaredError, SensitivityAtSpecificity, SparseCategoricalAccuracy,
        SparseCategoricalCrossentropy, SparseTopKCategoricalAccuracy, SpecificityAtSensitivity, SquaredHinge, Sum,
        TopKCategoricalAccuracy, TrueNegatives, TruePositives,
    )
}  # fmt: skip
FUNCTIONS |= {
    **losses.FUNCTIONS,
    **losses.ALIASES,
    **{
        f.__name__: f
        for f in (
            accuracy, binary_accuracy, categorical_accuracy, sparse_categorical_accuracy,
            sparse_top_k_categorical_accuracy, top_k_categorical_accuracy, cosine_proximity, pearson_correlation,
            concordance_correlation,
        )
    },
    "cosine": cosine_proximity,
    "cosine_similarity": cosine_proximity,
}  # fmt: skip
_BUILTIN: dict[str, Any] = {**{_snake(name): c for name, c in CLASSES.items()}, "auc": AUC, **CLASSES, **FUNCTIONS}


def get(identifier: Any) -> Any:
    """A metric from a name, a configuration, a function ``(y_true, y_pred)`` or a Metric; None for None.

    Args:
        identifier: a name, a configuration, a function, a Metric, or None.

    Returns:
        The function of a function's name, a Metric for the name (as it is, or in snake case) or configuration of a
        class.

    Raises:
        ValueError: an unknown name; the message lists the known ones.

    >>> from kbackend import metrics
    >>> metrics.get("Precision"), metrics.get("mse") is metrics.mean_squared_error
    (<Precision 'precision'>, True)
    """
    if identifier is None:
        return None
    if callable(identifier):
        return identifier() if isinstance(identifier, type) else identifier
    if not isinstance(identifier, (str, dict)):
        raise ValueError(
            f"a metric is a name, a function (y_true, y_pred), a Metric or a configuration, not {identifier!r}"
        )
    return registry.make(identifier, _BUILTIN, "metric")


def serialize(metric: Any) -> Any:
    """The name of a metric function, the configuration of a Metric.

    Args:
        metric: a function or a Metric.

    >>> from kbackend import metrics
    >>> metrics.serialize(metrics.binary_accuracy)
    'binary_accuracy'
    """
    return registry.plain(metric)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The metric of a name or configuration; see :func:`get`.

    Args:
        config: a name, or a configuration as :func:`kbackend.metrics.serialize` gives it.
        custom_objects: name -> class or function, known in addition.

    >>> from kbackend import metrics
    >>> metrics.deserialize("binary_accuracy").__name__
    'binary_accuracy'
    """
    with registry.custom_object_scope(custom_objects):
        return get(config)


__all__ = [
    *CLASSES,
    *(name for name in FUNCTIONS if name in globals()),
    "Metric",
    "SensitivitySpecificityBase",
    "clone_metric",
    "clone_metrics",
    "deserialize",
    "get",
    "serialize",
]

_suggest_in(__name__)
