"""F-scores: means of precision and recall."""

from __future__ import annotations

from typing import Any

from kbackend import backend as K
from kbackend import config
from kbackend.graph.variable import Variable
from kbackend.metrics.base import Metric
from kbackend.ops.core.arguments import as_tensor
from kbackend.ops.elementwise.precision import as_dtype


class FBetaScore(Metric):
    """``(1 + beta**2) * precision * recall / (beta**2 * precision + recall)`` of each class.

    Args:
        average: None for one score for each class, 'macro' (their mean), 'weighted' (their mean by the number of
            targets) or 'micro' (the score of all decisions together).
        beta: the weight of recall, above 0.
        threshold: predictions above it are positive, in (0, 1]; the largest prediction of each sample is when None.
        name, dtype: see :class:`kbackend.metrics.Metric`.

    Raises:
        ValueError: an argument out of its range.

    >>> from kbackend import metrics
    >>> score = metrics.FBetaScore(beta=2.0, threshold=0.5)
    >>> [round(float(v), 4) for v in score([[1, 1], [1, 0]], [[0.2, 0.6], [0.6, 0.6]])]
    [0.5556, 0.8333]
    """

    AVERAGES = (None, "micro", "macro", "weighted")
    true_positives: Variable
    false_positives: Variable
    false_negatives: Variable
    intermediate_weights: Variable
    additive = True

    def __init__(
        self,
        average: str | None = None,
        beta: float = 1.0,
        threshold: float | None = None,
        name: str | None = "fbeta_score",
        dtype: Any = None,
    ) -> None:
        if average not in self.AVERAGES:
            raise ValueError(f"average must be one of {', '.join(map(repr, self.AVERAGES))}, it is {average!r}")
        if isinstance(beta, bool) or not isinstance(beta, (int, float)) or beta <= 0:
            raise ValueError(f"beta must be a number above 0, it is {beta!r}")
        if threshold is not None and not 0 < threshold <= 1:
            raise ValueError(f"threshold must be None or lie in (0, 1], it is {threshold!r}")
        super().__init__(dtype, name)
        self.average, self.beta, self.threshold = average, float(beta), threshold
        self._built = False

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Take one-hot or multi-hot targets and predictions (samples, classes)."""
        y_true, y_pred = (as_dtype(as_tensor(y), self.dtype) for y in (y_true, y_pred))
        if len(y_pred.shape) != 2 or len(y_true.shape) != 2 or y_pred.shape[-1] is None:
            raise ValueError(
                f"{self.name} needs targets and predictions (samples, classes), their shapes are "
                f"{tuple(y_true.shape)} and {tuple(y_pred.shape)}"
            )
        if not self._built:
            shape = () if self.average == "micro" else (y_pred.shape[-1],)
            for label in ("true_positives", "false_positives", "false_negatives", "intermediate_weights"):
                setattr(self, label, self.add_variable(shape, name=label))
            self._built = True
        chosen = as_dtype(self._positive(y_pred), self.dtype)
        weight = None if sample_weight is None else K.expand_dims(as_dtype(sample_weight, self.dtype), 1)

        def total(values: Any) -> Any:
            return K.sum(values if weight is None else values * weight, axis=None if self.average == "micro" else 0)

        self.true_positives.assign_add(total(chosen * y_true))
        self.false_positives.assign_add(total(chosen * (1.0 - y_true)))
        self.false_negatives.assign_add(total((1.0 - chosen) * y_true))
        self.intermediate_weights.assign_add(total(y_true))

    def _positive(self, y_pred: Any) -> Any:
        if self.threshold is not None:
            return y_pred > self.threshold
        return K.logical_and(y_pred >= K.max(y_pred, axis=-1, keepdims=True), K.abs(y_pred) > 1e-9)

    def result(self) -> Any:
        """The score, or one for each class; 0 before any data."""
        if not self._built:
            return 0.0
        tiny, square = config.epsilon(), self.beta**2
        precision = self.true_positives / (self.true_positives + self.false_positives + tiny)
        recall = self.true_positives / (self.true_positives + self.false_negatives + tiny)
        score = precision * recall / (square * precision + recall + tiny) * (1.0 + square)
        if self.average == "weighted":
            return K.sum(score * self.intermediate_weights / (K.sum(self.intermediate_weights) + tiny))
        return score if self.average is None else K.mean(score)

    def get_config(self) -> dict[str, Any]:
        own = {"average": self.average, "beta": self.beta, "threshold": self.threshold}
        return {**super().get_config(), **own}


class F1Score(FBetaScore):
    """The harmonic mean of precision and recall of each class: :class:`FBetaScore` with beta 1; arguments as there.

    >>> from kbackend import metrics
    >>> score = metrics.F1Score(average="macro", threshold=0.5)
    >>> round(float(score([[1, 1], [1, 0]], [[0.2, 0.6], [0.6, 0.6]])), 4)
    0.6667
    """

    def __init__(
        self,
        average: str | None = None,
        threshold: float | None = None,
        name: str | None = "f1_score",
        dtype: Any = None,
    ) -> None:
        super().__init__(average, 1.0, threshold, name, dtype)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["beta"]
        return config
