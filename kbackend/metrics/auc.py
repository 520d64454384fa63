"""The area under a curve of two rates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from kbackend import backend as K
from kbackend import config
from kbackend.losses.base import floating
from kbackend.metrics.confusion import ratio, selected
from kbackend.metrics.histogram import HistogramMetric

_CURVES = ("ROC", "PR", "PRGAIN")
_METHODS = ("interpolation", "minoring", "majoring")


class AUC(HistogramMetric):
    """The area under the ROC or precision-recall curve, from counts at thresholds.

    Args:
        num_thresholds: the number of thresholds, at least 2.
        curve: 'ROC' (recall over the rate of false positives), 'PR' (precision over recall) or 'PRGAIN' (the gains of
            both).
        summation_method: 'interpolation' (the trapezoidal rule; for 'PR' the interpolation of Davis and Goadrich),
            'minoring' or 'majoring' (the smaller or larger height of each interval).
        name, dtype: see :class:`kbackend.metrics.Metric`.
        thresholds: numbers in [0, 1] instead of evenly spaced ones.
        multi_label: whether the mean of the areas of all labels is taken, not the area of all predictions together.
        num_labels: the number of labels, known without data; only with ``multi_label``.
        label_weights: a number for each label.
        from_logits: whether predictions are logits.

    Raises:
        ValueError: an unknown curve or method, or numbers out of range.

    Source: Davis and Goadrich, "The Relationship Between Precision-Recall and ROC Curves", 2006; Flach and Kull,
    "Precision-Recall-Gain Curves", 2015.

    >>> from kbackend import metrics
    >>> auc = metrics.AUC(num_thresholds=3)
    >>> _ = auc.update_state([0, 0, 1, 1], [0, 0.5, 0.3, 0.9])
    >>> float(auc.result())
    0.75
    """

    additive = True

    def __init__(
        self,
        num_thresholds: int = 200,
        curve: str = "ROC",
        summation_method: str = "interpolation",
        name: str | None = None,
        dtype: Any = None,
        thresholds: Sequence[float] | None = None,
        multi_label: bool = False,
        num_labels: int | None = None,
        label_weights: Sequence[float] | None = None,
        from_logits: bool = False,
    ) -> None:
        self.curve = _one_of("curve", curve, _CURVES, str.upper)
        self.summation_method = _one_of("summation_method", summation_method, _METHODS, str.lower)
        if num_labels is not None and not multi_label:
            raise ValueError(f"num_labels is used only with multi_label=True, it is {num_labels!r}")
        inner = _inner_thresholds(num_thresholds, thresholds)
        super().__init__(dtype, name or "auc")
        self.init_thresholds = None if thresholds is None else inner
        self.num_thresholds = len(inner) + 2
        self.thresholds = [-config.epsilon(), *inner, 1.0 + config.epsilon()]
        self.multi_label, self.num_labels, self.from_logits = bool(multi_label), num_labels, bool(from_logits)
        self.label_weights = None if label_weights is None else [float(w) for w in label_weights]
        if not self.multi_label:
            self.keep(self.thresholds)
        elif num_labels:
            self.keep(self.thresholds, num_labels)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Count the decisions of a batch; operands as :meth:`Precision.update_state`.

        Raises:
            ValueError: with ``multi_label``, predictions that are not (samples, labels).
        """
        y_pred = floating(y_pred)
        if self.multi_label and (len(y_pred.shape) != 2 or y_pred.shape[-1] is None):
            raise ValueError(f"multi_label needs predictions (samples, labels), their shape is {tuple(y_pred.shape)}")
        if not self._variables:
            self.keep(self.thresholds, y_pred.shape[-1])
        y_pred = K.sigmoid(y_pred) if self.from_logits else y_pred
        y_true, y_pred, weight = selected(y_true, y_pred, sample_weight, self.dtype)
        if self.label_weights is not None and not self.multi_label:
            weights = K.constant(self.label_weights, self.dtype)
            weight = weights if weight is None else weight * weights
        self.add(y_true, y_pred, weight)

    def result(self) -> Any:
        """The area; 0 before any data."""
        if not self._variables:
            return 0.0
        if self.curve == "PR" and self.summation_method == "interpolation":
            return self._mean_of_labels(self._interpolated())
        x, y = getattr(self, f"_{self.curve.lower()}")()
        left, right = y[:-1], y[1:]
        if self.summation_method == "interpolation":
            height = (left + right) / 2.0
        else:
            height = (K.minimum if self.summation_method == "minoring" else K.maximum)(left, right)
        return self._mean_of_labels((x[:-1] - x[1:]) * height)

    def _roc(self) -> tuple[Any, Any]:
        false_rate = ratio(self.false_positives, self.true_negatives)
        return false_rate, ratio(self.true_positives, self.false_negatives)

    def _pr(self) -> tuple[Any, Any]:
        return ratio(self.true_positives, self.false_negatives), ratio(self.true_positives, self.false_positives)

    def _prgain(self) -> tuple[Any, Any]:
        tp, fp, tn, fn = self.true_positives, self.false_positives, self.true_negatives, self.false_negatives
        odds, none = K.divide_no_nan(tp + fn, tn + fp), K.equal(tp, 0.0)
        recall = K.maximum(K.where(none, K.zeros_like(tp), 1.0 - odds * K.divide_no_nan(fn, tp)), 0.0)
        precision = K.where(none, K.ones_like(tp), 1.0 - odds * K.divide_no_nan(fp, tp))
        return recall, precision

    def _interpolated(self) -> Any:
        """The areas between thresholds under the precision-recall curve, where the true positives rise linearly with
        all positives."""
        tp, fp, fn = self.true_positives, self.false_positives, self.false_negatives
        positives = tp + fp
        left, right = positives[:-1], positives[1:]
        rise = tp[:-1] - tp[1:]
        slope = K.divide_no_nan(rise, K.maximum(left - right, 0.0))
        offset = tp[1:] - slope * right
        both = K.logical_and(left > 0.0, right > 0.0)
        growth = K.where(both, K.divide_no_nan(left, K.maximum(right, 0.0)), K.ones_like(right))
        return K.divide_no_nan(slope * (rise + offset * K.log(growth)), K.maximum(tp[1:] + fn[1:], 0.0))

    def _mean_of_labels(self, areas: Any) -> Any:
        if not self.multi_label:
            return K.sum(areas)
        by_label = K.sum(areas, axis=0)
        if self.label_weights is None:
            return K.mean(by_label)
        weights = K.constant(self.label_weights, self.dtype)
        return K.divide_no_nan(K.sum(by_label * weights), K.sum(weights))

    def get_config(self) -> dict[str, Any]:
        config = {**super().get_config(), "num_thresholds": self.num_thresholds, "thresholds": self.init_thresholds}
        names = ("curve", "summation_method", "multi_label", "num_labels", "label_weights", "from_logits")
        return {**config, **{name: getattr(self, name) for name in names}}


def _one_of(label: str, value: Any, allowed: tuple[str, ...], fold: Any) -> str:
    found = fold(getattr(value, "value", value)) if isinstance(getattr(value, "value", value), str) else value
    if found not in allowed:
        raise ValueError(f"{label} must be one of {', '.join(map(repr, allowed))}, it is {value!r}")
    return found


def _inner_thresholds(num_thresholds: int, thresholds: Sequence[float] | None) -> list[float]:
    """The thresholds between 0 and 1."""
    if thresholds is None:
        if num_thresholds < 2:
            raise ValueError(f"num_thresholds must be at least 2, it is {num_thresholds!r}")
        return [i / (num_thresholds - 1) for i in range(1, num_thresholds - 1)]
    found = sorted(float(t) for t in np.asarray(thresholds).ravel())
    if any(not 0 <= t <= 1 for t in found):
        raise ValueError(f"thresholds must lie in [0, 1], they are {thresholds!r}")
    return found
