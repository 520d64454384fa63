"""Counts of right and wrong decisions at thresholds, precision and recall."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from kbackend import backend as K
from kbackend import config
from kbackend.graph.variable import Variable
from kbackend.losses.base import same_rank
from kbackend.metrics.base import Metric
from kbackend.ops.core.arguments import as_tensor

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


def is_even(thresholds: Sequence[float]) -> bool:
    """Whether thresholds divide [0, 1] into equal parts."""
    count = len(thresholds)
    return count > 2 and np.allclose(thresholds, np.arange(count) / (count - 1), atol=config.epsilon())


@dataclass(frozen=True)
class Counts:
    """How predictions are counted.

    Attributes:
        thresholds: a prediction above one is positive.
        even: whether they divide [0, 1] into equal parts, so that counting needs no comparison with each.
        top_k: only the k largest predictions of a sample are positive.
        class_id: only this class is counted.
        by_label: whether each label has counts of its own.
        dtype: of the counts.
    """

    thresholds: Sequence[float]
    even: bool
    dtype: str
    top_k: int | None = None
    class_id: int | None = None
    by_label: bool = False

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any, label_weights: Any = None) -> dict[str, Any]:
        """The weights of a batch's true and false positives and negatives, by the names of the variables.

        Args:
            y_true: 0 or 1.
            y_pred: probabilities of the same shape.
            sample_weight: of the leading dimensions, or None.
            label_weights: a number for each label, or None.

        Returns:
            Tensors (thresholds,), or (thresholds, labels) where each label is counted.
        """
        y_true, y_pred = (K.cast(as_tensor(y), self.dtype) for y in (y_true, y_pred))
        y_pred, y_true = same_rank(y_pred, y_true)
        weight = None if sample_weight is None else self._weights(sample_weight, y_true)
        if self.top_k is not None:
            y_pred = _only_top(y_pred, self.top_k)
        if self.class_id is not None:
            if len(y_pred.shape) < 2:
                raise ValueError(f"class_id needs predictions (samples, classes), their shape is {tuple(y_pred.shape)}")
            chosen = slice(self.class_id, self.class_id + 1)
            y_true, y_pred = y_true[..., chosen], y_pred[..., chosen]
        for part in (None if label_weights is None else K.constant(label_weights, self.dtype), weight):
            if part is not None:
                weight = part if weight is None or part is weight else weight * part
        return self._counted(K.cast(K.not_equal(y_true, 0.0), self.dtype), y_pred, weight)

    def _weights(self, sample_weight: Any, y_true: Any) -> Any:
        weight = K.expand_dims(K.cast(as_tensor(sample_weight), self.dtype), -1)
        return same_rank(y_true, weight, expand=False)[1]

    def _counted(self, positive: Any, y_pred: Any, weight: Any) -> dict[str, Any]:
        both = [positive, 1.0 - positive]
        if weight is not None:
            both = [x * weight for x in both]
        if not self.by_label:
            both, y_pred = [K.reshape(x, (-1,)) for x in both], K.reshape(y_pred, (-1,))
        count = self._in_parts if self.even else self._compared
        (tp, fp), (fn, tn) = count(both, y_pred)
        return {"true_positives": tp, "false_positives": fp, "true_negatives": tn, "false_negatives": fn}

    def _in_parts(self, both: list[Any], y_pred: Any) -> Any:
        """Each prediction belongs to the part of [0, 1] below it; positives are the sum of the parts from there on."""
        count = len(self.thresholds)
        part = K.ceil(K.clip(y_pred, 0.0, 1.0) * float(count - 1)) - 1.0
        if self.thresholds[0] < 0.0:  # a prediction of 0 is above the first threshold
            part = K.maximum(part, 0.0)
        part = K.cast(part, "int32")
        if not self.by_label:
            sums = K.segment_sum(K.stack(both, axis=-1), part, count)
            above = K.reverse(K.cumsum(K.reverse(sums, 0), axis=0), 0)
            totals = [K.sum(x) for x in both]
            columns = [above[:, 0], above[:, 1]]
        else:
            labels = y_pred.shape[-1]
            place = part + K.cast(K.constant(np.arange(labels) * count), "int32")
            place = K.where(part < 0, part, place)  # below the first threshold
            data = K.stack([K.reshape(x, (-1,)) for x in both], axis=-1)
            sums = K.reshape(K.segment_sum(data, K.reshape(place, (-1,)), labels * count), (labels, count, 2))
            above = K.reverse(K.cumsum(K.reverse(sums, 1), axis=1), 1)
            totals = [K.sum(x, axis=0) for x in both]
            columns = [K.transpose(above[:, :, 0]), K.transpose(above[:, :, 1])]
        return columns, [total - column for total, column in zip(totals, columns)]

    def _compared(self, both: list[Any], y_pred: Any) -> Any:
        levels = np.asarray(self.thresholds)
        rows = K.constant(levels.reshape(-1, *([1] * len(y_pred.shape))), self.dtype)
        above = K.cast(K.expand_dims(y_pred, 0) > rows, self.dtype)
        sums = [[K.sum(side * K.expand_dims(x, 0), axis=1) for x in both] for side in (above, 1.0 - above)]
        return sums


def _only_top(y_pred: Any, k: int) -> Any:
    """Predictions that are not among the k largest of the last axis become very small."""
    places = K.top_k(y_pred, k)[1]
    among = K.sum(K.one_hot(places, y_pred.shape[-1]), axis=-2)
    return y_pred * K.cast(among, K.dtype(y_pred)) + _NEVER * (1.0 - K.cast(among, K.dtype(y_pred)))


def ratio(part: Any, rest: Any) -> Any:
    """``part / (part + rest)``, 0 where both are 0."""
    return K.divide_no_nan(part, part + rest)


class ConfusionMetric(Metric):
    """Base of metrics made of counts. A subclass names the variables that it keeps in ``kept``."""

    kept: tuple[str, ...] = ()

    def __init__(
        self,
        thresholds: Sequence[float],
        even: bool,
        name: str | None,
        dtype: Any,
        top_k: int | None = None,
        class_id: int | None = None,
    ) -> None:
        super().__init__(dtype, name)
        self.thresholds = list(thresholds)
        self.top_k, self.class_id = top_k, class_id
        self._counts = Counts(self.thresholds, even, self.dtype, top_k, class_id)
        for label in self.kept:
            setattr(self, label, self.add_variable((len(self.thresholds),), name=label))

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Count the decisions of a batch.

        Args:
            y_true: 0 or 1.
            y_pred: probabilities of the same shape.
            sample_weight: of the leading dimensions.
        """
        found = self._counts(y_true, y_pred, sample_weight)
        for label in self.kept:
            getattr(self, label).assign_add(found[label])

    def alone(self, value: Any) -> Any:
        """The value at the threshold where there is one."""
        return value[0] if len(self.thresholds) == 1 else value


class _Count(ConfusionMetric):
    """The count of one kind of decision."""

    def __init__(self, thresholds: Any = None, name: str | None = None, dtype: Any = None) -> None:
        self.init_thresholds = thresholds
        levels = checked_thresholds(thresholds)
        super().__init__(levels, is_even(levels), name or _snake(type(self).__name__), dtype)

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
    """The number (or weight) of positive predictions that are right.

    Args:
        thresholds: a number in [0, 1] or a list; 0.5 when None.
        name, dtype: see :class:`kbackend.metrics.Metric`.

    >>> from kbackend import metrics
    >>> float(metrics.TruePositives()([0, 1, 1, 1], [1, 0, 1, 1]))
    2.0
    """

    kept = ("true_positives",)


class FalsePositives(_Count):
    """The number (or weight) of positive predictions that are wrong; arguments as :class:`TruePositives`."""

    kept = ("false_positives",)


class TrueNegatives(_Count):
    """The number (or weight) of negative predictions that are right; arguments as :class:`TruePositives`."""

    kept = ("true_negatives",)


class FalseNegatives(_Count):
    """The number (or weight) of negative predictions that are wrong; arguments as :class:`TruePositives`."""

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
        super().__init__(levels, is_even(levels), name or type(self).__name__.lower(), dtype, top_k, class_id)

    def result(self) -> Any:
        """The share, or one for each threshold; 0 where nothing was counted."""
        first, second = (getattr(self, label) for label in self.kept)
        return self.alone(ratio(first, second))

    def get_config(self) -> dict[str, Any]:
        own = {"thresholds": self.init_thresholds, "top_k": self.top_k, "class_id": self.class_id}
        return {**super().get_config(), **own}


class Precision(_Share):
    """The part of positive predictions that are right.

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
    """The part of positive targets that are predicted; arguments as :class:`Precision`.

    >>> from kbackend import metrics
    >>> round(float(metrics.Recall()([0, 1, 1, 1], [1, 0, 1, 1])), 4)
    0.6667
    """

    kept = ("true_positives", "false_negatives")
