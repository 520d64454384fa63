"""The best of one rate where another is at least a given value."""

from __future__ import annotations

from typing import Any

from kbackend import backend as K
from kbackend.metrics.confusion import _snake, ratio, selected
from kbackend.metrics.histogram import HistogramMetric


class SensitivitySpecificityBase(HistogramMetric):
    """Base class: counts at evenly spaced thresholds.

    Args:
        value: the least value of one rate, in [0, 1].
        num_thresholds: the number of thresholds.
        name, dtype: see :class:`kbackend.metrics.Metric`.
        class_id: count this class only.

    Raises:
        ValueError: the value is not in [0, 1], or there are no thresholds.

    >>> from kbackend import metrics
    >>> metric = metrics.SensitivityAtSpecificity(0.5)  # one of its classes
    >>> _ = metric.update_state([0, 0, 1, 1], [0.1, 0.6, 0.4, 0.8])
    >>> float(metric.result())
    1.0
    """

    #: the name of the argument with the value
    argument = "value"
    additive = True

    def __init__(
        self,
        value: float,
        num_thresholds: int = 200,
        name: str | None = None,
        dtype: Any = None,
        class_id: int | None = None,
    ) -> None:
        if not 0 <= value <= 1:
            raise ValueError(f"{self.argument} must lie in [0, 1], it is {value!r}")
        if num_thresholds < 1:
            raise ValueError(f"num_thresholds must be at least 1, it is {num_thresholds!r}")
        levels = [i / (num_thresholds - 1) for i in range(num_thresholds)] if num_thresholds > 1 else [0.5]
        super().__init__(dtype, name or _snake(type(self).__name__))
        self.value, self.num_thresholds, self.class_id = value, num_thresholds, class_id
        self.keep(levels)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Count the decisions of a batch; operands as :meth:`Precision.update_state`."""
        self.add(*selected(y_true, y_pred, sample_weight, self.dtype, class_id=self.class_id))

    def best(self, bounded: Any, wanted: Any) -> Any:
        """The largest of one rate at thresholds where the other is at least the value; 0 where it is nowhere."""
        return K.max(K.where(bounded >= self.value, wanted, K.zeros_like(wanted)))

    def rates(self) -> dict[str, Any]:
        """Sensitivity (or recall), specificity and precision at each threshold."""
        recall = ratio(self.true_positives, self.false_negatives)
        specificity = ratio(self.true_negatives, self.false_positives)
        precision = ratio(self.true_positives, self.false_positives)
        return {"recall": recall, "specificity": specificity, "precision": precision}

    def get_config(self) -> dict[str, Any]:
        own = {self.argument: self.value, "num_thresholds": self.num_thresholds, "class_id": self.class_id}
        return {**super().get_config(), **own}


class SensitivityAtSpecificity(SensitivitySpecificityBase):
    """The largest sensitivity ``TP / (TP + FN)`` where the specificity ``TN / (TN + FP)`` is at least a value, over
    thresholds.

    Args:
        specificity: the value, in [0, 1].
        num_thresholds: the number of thresholds, evenly spaced in [0, 1].
        class_id: count this class only.
        name, dtype: see :class:`kbackend.metrics.Metric`.

    >>> from kbackend import metrics
    >>> metric = metrics.SensitivityAtSpecificity(0.5)
    >>> float(metric([0, 0, 0, 1, 1], [0, 0.3, 0.8, 0.3, 0.8]))
    0.5
    """

    argument = "specificity"

    def __init__(
        self,
        specificity: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(specificity, num_thresholds, name, dtype, class_id)
        self.specificity = specificity

    def result(self) -> Any:
        """The sensitivity."""
        rates = self.rates()
        return self.best(rates["specificity"], rates["recall"])


class SpecificityAtSensitivity(SensitivitySpecificityBase):
    """The largest specificity where the sensitivity is at least a value; arguments as
    :class:`SensitivityAtSpecificity`.

    Args:
        sensitivity: the value, in [0, 1].

    >>> from kbackend import metrics
    >>> round(float(metrics.SpecificityAtSensitivity(0.5)([0, 0, 0, 1, 1], [0, 0.3, 0.8, 0.3, 0.8])), 4)
    0.6667
    """

    argument = "sensitivity"

    def __init__(
        self,
        sensitivity: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(sensitivity, num_thresholds, name, dtype, class_id)
        self.sensitivity = sensitivity

    def result(self) -> Any:
        """The specificity."""
        rates = self.rates()
        return self.best(rates["recall"], rates["specificity"])


class PrecisionAtRecall(SensitivitySpecificityBase):
    """The largest precision where the recall is at least a value; arguments as :class:`SensitivityAtSpecificity`.

    Args:
        recall: the value, in [0, 1].

    >>> from kbackend import metrics
    >>> float(metrics.PrecisionAtRecall(0.5)([0, 0, 0, 1, 1], [0, 0.3, 0.8, 0.3, 0.8]))
    0.5
    """

    argument = "recall"

    def __init__(
        self,
        recall: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(recall, num_thresholds, name, dtype, class_id)
        self.recall = recall

    def result(self) -> Any:
        """The precision."""
        rates = self.rates()
        return self.best(rates["recall"], rates["precision"])


class RecallAtPrecision(SensitivitySpecificityBase):
    """The largest recall where the precision is at least a value; arguments as :class:`SensitivityAtSpecificity`.

    Args:
        precision: the value, in [0, 1].

    >>> from kbackend import metrics
    >>> float(metrics.RecallAtPrecision(0.8)([0, 0, 1, 1], [0, 0.5, 0.3, 0.9]))
    0.5
    """

    argument = "precision"

    def __init__(
        self,
        precision: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(precision, num_thresholds, name, dtype, class_id)
        self.precision = precision

    def result(self) -> Any:
        """The recall."""
        rates = self.rates()
        return self.best(rates["precision"], rates["recall"])
