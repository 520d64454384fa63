"""Counts at many thresholds, kept as the numbers of predictions between one and the next."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from kbackend import backend as K
from kbackend import config
from kbackend.graph.variable import Variable
from kbackend.metrics.base import Metric
from kbackend.ops.elementwise.precision import as_dtype, wide_dtype


def is_even(thresholds: Sequence[float]) -> bool:
    """Whether thresholds divide [0, 1] into equal parts."""
    count = len(thresholds)
    return count > 2 and np.allclose(thresholds, np.arange(count) / (count - 1), atol=config.epsilon())


class HistogramMetric(Metric):
    """Base of metrics made of all four counts at many thresholds.

    The state is a histogram of the predictions for each target: a batch costs one sum by segment, and what is counted
    at each threshold follows when the result is read. A subclass calls ``keep`` before the first batch.
    """

    histogram: Variable
    thresholds: list[float]
    _even: bool
    _labels: int | None

    def keep(self, thresholds: Sequence[float], labels: int | None = None) -> None:
        """Make the state.

        Args:
            thresholds: sorted numbers; a prediction above one is positive.
            labels: how many labels have counts of their own; None for one count of all.
        """
        self.thresholds, self._labels = list(thresholds), labels
        self._even = is_even(self.thresholds)
        size = (1 if labels is None else labels) * 2 * (len(self.thresholds) + 1)
        self.histogram = self.add_variable((size,), name="histogram")

    def add(self, y_true: Any, y_pred: Any, weight: Any) -> None:
        """Count a batch of targets and predictions of equal shapes, with weights that broadcast to these."""
        count = len(self.thresholds) + 1
        wide = wide_dtype(self.dtype)  # places have no room in 16 bits
        place = self._interval(as_dtype(y_pred, wide)) + K.where(K.not_equal(y_true, 0.0), float(count), 0.0)
        if self._labels is not None:
            place = place + K.constant(np.arange(self._labels) * (2.0 * count), wide)
        amounts = K.ones_like(y_pred) if weight is None else weight + K.zeros_like(y_pred)
        places = K.cast(K.reshape(place, (-1,)), "int64")
        sums = K.segment_sum(K.reshape(amounts, (-1,)), places, int(self.histogram.shape[0] or 0))
        self.histogram.assign_add(sums)

    def _interval(self, y_pred: Any) -> Any:
        """How many thresholds are below a prediction, as a float."""
        if not self._even:
            levels = K.constant(self.thresholds, K.dtype(y_pred))
            return as_dtype(K.searchsorted(levels, y_pred), K.dtype(y_pred))
        parts = float(len(self.thresholds) - 1)
        least = 0.5 / parts if self.thresholds[0] < 0.0 else 0.0  # a prediction of 0 is above a threshold below 0
        return K.ceil(K.clip(y_pred, least, 1.0) * parts)

    def _above(self, target: int) -> tuple[Any, Any]:
        """What is above each threshold, and all, of one target: thresholds first, then labels."""
        count = len(self.thresholds) + 1
        if self._labels is None:
            row = self.histogram[target * count : (target + 1) * count]
        else:
            row = K.transpose(K.reshape(self.histogram, (self._labels, 2, count))[:, target])
        return K.reverse(K.cumsum(K.reverse(row[1:], 0), axis=0), 0), K.sum(row, axis=0)

    @property
    def true_positives(self) -> Any:
        """The weight of positive targets above each threshold."""
        return self._above(1)[0]

    @property
    def false_positives(self) -> Any:
        """The weight of negative targets above each threshold."""
        return self._above(0)[0]

    @property
    def true_negatives(self) -> Any:
        """The weight of negative targets that are not above each threshold."""
        above, total = self._above(0)
        return total - above

    @property
    def false_negatives(self) -> Any:
        """The weight of positive targets that are not above each threshold."""
        above, total = self._above(1)
        return total - above
