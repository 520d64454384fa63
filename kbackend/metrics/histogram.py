"""Counts at many thresholds, kept as the numbers of predictions between one and the next."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from kbackend import backend as K
from kbackend import config
from kbackend.graph.variable import Variable
from kbackend.metrics.base import Metric


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

    def keep(self, thresholds: Sequence[float], labels: int | None = None) -> None:
        """Make the state.

        Args:
            thresholds: sorted numbers; a prediction above one is positive.
            labels: how many labels have counts of their own; None for one count of all.
        """
        self.thresholds = list(thresholds)
        self._even = is_even(self.thresholds)
        own = () if labels is None else (labels,)
        self.histogram = self.add_variable((*own, 2, len(self.thresholds) + 1), name="histogram")

    def add(self, y_true: Any, y_pred: Any, weight: Any) -> None:
        """Count a batch of targets and predictions of equal shapes, with weights that broadcast to these."""
        count = len(self.thresholds) + 1
        positive = K.cast(K.not_equal(y_true, 0.0), "int32")
        place = self._interval(y_pred) + positive * count
        if len(self.histogram.shape) == 3:
            place = place + np.arange(self.histogram.shape[0], dtype=np.int32) * (2 * count)
        amounts = K.ones_like(y_pred) if weight is None else weight + K.zeros_like(y_pred)
        size = int(np.prod(self.histogram.shape))
        sums = K.segment_sum(K.reshape(amounts, (-1,)), K.reshape(place, (-1,)), size)
        self.histogram.assign_add(K.reshape(sums, self.histogram.shape))

    def _interval(self, y_pred: Any) -> Any:
        """How many thresholds are below a prediction."""
        if not self._even:
            return K.cast(K.searchsorted(K.constant(self.thresholds, self.dtype), y_pred), "int32")
        below = K.cast(K.ceil(K.clip(y_pred, 0.0, 1.0) * float(len(self.thresholds) - 1)), "int32")
        return K.maximum(below, 1) if self.thresholds[0] < 0.0 else below

    def _above(self, target: int) -> tuple[Any, Any]:
        """What is above each threshold, and all, of one target: thresholds first, then labels."""
        row = self.histogram[..., target, :]
        if len(row.shape) == 2:
            row = K.transpose(row)
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
