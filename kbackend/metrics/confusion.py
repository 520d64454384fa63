"""Counts of right and wrong decisions at thresholds, precision and recall."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from kbackend import backend as K
from kbackend.graph.variable import Variable
from kbackend.losses.base import same_rank
from kbackend.metrics.base import Metric
from kbackend.ops.core.arguments import as_tensor
from kbackend.ops.elementwise.precision import as_dtype

#: whether a prediction is above the threshold and whether the target is positive
_DECISIONS = {
    "true_positives": (True, True),
    "false_positives": (True, False),
    "true_negatives": (False, False),
    "false_negatives": (False, True),
}
#: what takes the place of predictions that are not among the k largest
_NEVER = -1e10


def checked_thresholds(thresholds: Any, default: float = 0.5) -> list[float]:
    """Thresholds as a list.

    Raises:
        ValueError: one outside [0, 1].
    """
    if thresholds is None:
        return [default]
    found = list(thresholds) if isinstance(thresholds, (list, tuple, np.ndarray)) else [thresholds]
    bad = [t for t in found if t is None or not 0 <= t <= 1]
    if bad or not found:
        raise ValueError(f"thresholds must lie in [0, 1], they are {thresholds!r}")
    return [float(t) for t in found]


def selected(
    y_true: Any, y_pred: Any, sample_weight: Any, dtype: str, top_k: int | None = None, class_id: int | None = None
) -> tuple[Any, Any, Any]:
    """Targets, predictions and weights (None without any) of equal ranks in a dtype.

    Args:
        top_k: predictions that are not among the k largest of a sample become very small.
        class_id: only this class of the last axis is taken.

    Raises:
        ValueError: a class of predictions of rank 1.
    """
    y_true, y_pred = (as_dtype(as_tensor(y), dtype) for y in (y_true, y_pred))
    y_pred, y_true = same_rank(y_pred, y_true)
    weight = None
    if sample_weight is not None:
        weight = K.expand_dims(as_dtype(as_tensor(sample_weight), dtype), -1)
        weight = same_rank(y_true, weight, expand=False)[1]
    if top_k is not None:
        y_pred = _only_top(y_pred, top_k)
    if class_id is not None:
        if len(y_pred.shape) < 2:
            raise ValueError(f"class_id needs predictions (samples, classes), their shape is {tuple(y_pred.shape)}")
        y_true, y_pred = (y[..., class_id : class_id + 1] for y in (y_true, y_pred))
    return y_true, y_pred, weight


def _only_top(y_pred: Any, k: int) -> Any:
    """Predictions that are not among the k largest of the last axis become very small."""
    among = as_dtype(K.sum(K.one_hot(K.top_k(y_pred, k)[1], y_pred.shape[-1]), axis=-2), K.dtype(y_pred))
    return y_pred * among + _NEVER * (1.0 - among)


def ratio(part: Any, rest: Any) -> Any:
    """``part / (part + rest)``, 0 where both are 0."""
    return K.divide_no_nan(part, part + rest)


class ConfusionMetric(Metric):
    """Base of metrics made of counts at a few thresholds, for which each prediction is compared with each.

    A subclass names the counts that it keeps in ``kept``.
    """

    kept: tuple[str, ...] = ()
    additive = True

    def __init__(
        self,
        thresholds: Sequence[float],
        name: str | None,
        dtype: Any,
        top_k: int | None = None,
        class_id: int | None = None,
    ) -> None:
        super().__init__(dtype, name)
        self.thresholds = list(thresholds)
        self.top_k, self.class_id = top_k, class_id
        for label in self.kept:
            setattr(self, label, self.add_variable((len(self.thresholds),), name=label))

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Count the decisions of a batch.

        Args:
            y_true: 0 or 1.
            y_pred: probabilities of the same shape.
            sample_weight: of the leading dimensions.
        """
        y_true, y_pred, weight = selected(y_true, y_pred, sample_weight, self.dtype, self.top_k, self.class_id)
        positive = as_dtype(K.not_equal(y_true, 0.0), self.dtype)
        sides = {True: positive, False: 1.0 - positive}
        if weight is not None:
            sides = {side: x * weight for side, x in sides.items()}
        for label in self.kept:
            above, of_positives = _DECISIONS[label]
            self._count(label, above, y_pred, sides[of_positives])

    def _count(self, label: str, above: bool, y_pred: Any, amounts: Any) -> None:
        """Add the amounts of the predictions that are above (or not) each threshold."""
        alone = len(self.thresholds) == 1
        levels = self.thresholds[0] if alone else K.constant(np.reshape(self.thresholds, (-1, 1)), self.dtype)
        passes = as_dtype((y_pred if alone else K.reshape(y_pred, (1, -1))) > levels, self.dtype)
        passes = passes if above else 1.0 - passes
        if alone:
            found = K.expand_dims(K.sum(passes * amounts), 0)
        else:
            found = K.sum(K.dot(passes, K.reshape(amounts, (-1, 1))), axis=1)
        getattr(self, label).assign_add(found)

    def alone(self, value: Any) -> Any:
        """The value at the threshold where there is one."""
        return value[0] if len(self.thresholds) == 1 else value


class _Count(ConfusionMetric):
    """The count of one kind of decision."""

    def __init__(self, thresholds: Any = None, name: str | None = None, dtype: Any = None) -> None:
        self.init_thresholds = thresholds
        levels = checked_thresholds(thresholds)
        super().__init__(levels, name or _snake(type(self).__name__), dtype)

    def result(self) -> Any:
        """The count, or one for each threshold."""
        return self.alone(getattr(self, self.kept[0]))

    @property
    def accumulator(self) -> Variable:
        """The variable that counts."""
        return getattr(self, self.kept[0])

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "thresholds": self.init_thresholds}


def _snake(name: str) -> str:
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name).lstrip("_")


class TruePositives(_Count):
    """The number (or weight) of positive predictions that are right: the sum of
    ``y_true * (y_pred > threshold)``.

    Args:
        thresholds: a number in [0, 1] or a list; 0.5 when None.
        name, dtype: see :class:`kbackend.metrics.Metric`.

    >>> from kbackend import metrics
    >>> float(metrics.TruePositives()([0, 1, 1, 1], [1, 0, 1, 1]))
    2.0
    """

    kept = ("true_positives",)


class FalsePositives(_Count):
    """The number (or weight) of positive predictions that are wrong: the sum of
    ``(1 - y_true) * (y_pred > threshold)``; arguments as :class:`TruePositives`.

    >>> from kbackend import metrics
    >>> metric = metrics.FalsePositives()
    >>> _ = metric.update_state([1, 0, 1, 1], [0.2, 0.7, 0.8, 0.1])
    >>> round(float(metric.result()), 4)
    1.0
    """

    kept = ("false_positives",)


class TrueNegatives(_Count):
    """The number (or weight) of negative predictions that are right: the sum of
    ``(1 - y_true) * (y_pred <= threshold)``; arguments as :class:`TruePositives`.

    >>> from kbackend import metrics
    >>> metric = metrics.TrueNegatives()
    >>> _ = metric.update_state([1, 0, 0, 1], [0.2, 0.7, 0.1, 0.1])
    >>> round(float(metric.result()), 4)
    1.0
    """

    kept = ("true_negatives",)


class FalseNegatives(_Count):
    """The number (or weight) of negative predictions that are wrong: the sum of
    ``y_true * (y_pred <= threshold)``; arguments as :class:`TruePositives`.

    >>> from kbackend import metrics
    >>> metric = metrics.FalseNegatives()
    >>> _ = metric.update_state([1, 0, 1, 1], [0.2, 0.7, 0.8, 0.1])
    >>> round(float(metric.result()), 4)
    2.0
    """

    kept = ("false_negatives",)


class _Share(ConfusionMetric):
    """True positives as a part of themselves and another count."""

    def __init__(
        self,
        thresholds: Any = None,
        top_k: int | None = None,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        self.init_thresholds = thresholds
        levels = checked_thresholds(thresholds, 0.5 if top_k is None else _NEVER)
        super().__init__(levels, name or type(self).__name__.lower(), dtype, top_k, class_id)

    def result(self) -> Any:
        """The share, or one for each threshold; 0 where nothing was counted."""
        first, second = (getattr(self, label) for label in self.kept)
        return self.alone(ratio(first, second))

    def get_config(self) -> dict[str, Any]:
        own = {"thresholds": self.init_thresholds, "top_k": self.top_k, "class_id": self.class_id}
        return {**super().get_config(), **own}


class Precision(_Share):
    """The part of positive predictions that are right: ``TP / (TP + FP)`` of true and false positives.

    Args:
        thresholds: a number in [0, 1] or a list; 0.5 when None.
        top_k: the k largest predictions of a sample are positive (above the thresholds, where these are given).
        class_id: count this class only.
        name, dtype: see :class:`kbackend.metrics.Metric`.

    >>> from kbackend import metrics
    >>> round(float(metrics.Precision()([0, 1, 1, 1], [1, 0, 1, 1])), 4)
    0.6667
    """

    kept = ("true_positives", "false_positives")


class Recall(_Share):
    """The part of positive targets that are predicted, ``TP / (TP + FN)``; arguments as :class:`Precision`.

    >>> from kbackend import metrics
    >>> round(float(metrics.Recall()([0, 1, 1, 1], [1, 0, 1, 1])), 4)
    0.6667
    """

    kept = ("true_positives", "false_negatives")
