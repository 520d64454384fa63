"""Metrics of numbers: means of errors, the coefficient of determination, correlations."""

from __future__ import annotations

from typing import Any

from kbackend import backend as K
from kbackend import config, losses
from kbackend.declare.decorate import traced
from kbackend.declare.op import TensorLike
from kbackend.graph.variable import Variable
from kbackend.losses.base import aligned, mask_of, masked_weight
from kbackend.metrics.base import Metric
from kbackend.metrics.reduction import Mean, MeanMetricWrapper
from kbackend.ops.elementwise.precision import as_dtype


class MeanSquaredError(MeanMetricWrapper):
    """The mean of :func:`kbackend.losses.mean_squared_error`.

    >>> from kbackend import metrics
    >>> metric = metrics.MeanSquaredError()
    >>> _ = metric.update_state([[0.0], [1.0]], [[1.0], [3.0]])
    >>> round(float(metric.result()), 4)
    2.5
    """

    def __init__(self, name: str | None = "mean_squared_error", dtype: Any = None) -> None:
        super().__init__(losses.mean_squared_error, name, dtype)


class MeanAbsoluteError(MeanMetricWrapper):
    """The mean of :func:`kbackend.losses.mean_absolute_error`.

    >>> from kbackend import metrics
    >>> metric = metrics.MeanAbsoluteError()
    >>> _ = metric.update_state([[0.0], [1.0]], [[1.0], [3.0]])
    >>> round(float(metric.result()), 4)
    1.5
    """

    def __init__(self, name: str | None = "mean_absolute_error", dtype: Any = None) -> None:
        super().__init__(losses.mean_absolute_error, name, dtype)


class MeanAbsolutePercentageError(MeanMetricWrapper):
    """The mean of :func:`kbackend.losses.mean_absolute_percentage_error`.

    >>> from kbackend import metrics
    >>> metric = metrics.MeanAbsolutePercentageError()
    >>> _ = metric.update_state([[2.0], [4.0]], [[1.0], [4.0]])
    >>> round(float(metric.result()), 4)
    25.0
    """

    def __init__(self, name: str | None = "mean_absolute_percentage_error", dtype: Any = None) -> None:
        super().__init__(losses.mean_absolute_percentage_error, name, dtype)


class MeanSquaredLogarithmicError(MeanMetricWrapper):
    """The mean of :func:`kbackend.losses.mean_squared_logarithmic_error`.

    >>> from kbackend import metrics
    >>> metric = metrics.MeanSquaredLogarithmicError()
    >>> _ = metric.update_state([[0.0], [1.0]], [[1.0], [3.0]])
    >>> round(float(metric.result()), 4)
    0.4805
    """

    def __init__(self, name: str | None = "mean_squared_logarithmic_error", dtype: Any = None) -> None:
        super().__init__(losses.mean_squared_logarithmic_error, name, dtype)


class LogCoshError(MeanMetricWrapper):
    """The mean of :func:`kbackend.losses.log_cosh`.

    >>> from kbackend import metrics
    >>> metric = metrics.LogCoshError()
    >>> _ = metric.update_state([[0.0], [0.0]], [[0.5], [3.0]])
    >>> round(float(metric.result()), 4)
    1.2147
    """

    def __init__(self, name: str | None = "logcosh", dtype: Any = None) -> None:
        super().__init__(losses.log_cosh, name, dtype)


class RootMeanSquaredError(Mean):
    """The root of the mean of ``(y_true - y_pred)**2``.

    >>> from kbackend import metrics
    >>> float(metrics.RootMeanSquaredError()([[0.0], [0.0]], [[1.0], [7.0]]))
    5.0
    """

    additive = True

    def __init__(self, name: str | None = "root_mean_squared_error", dtype: Any = None) -> None:
        super().__init__(name, dtype)

    def update_state(  # type: ignore[override]
        self, y_true: Any, y_pred: Any, sample_weight: Any = None
    ) -> Any:
        """Take targets and predictions of equal shapes."""
        mask = mask_of(y_pred)
        y_true, y_pred = aligned(y_true, y_pred)
        self.take(K.square(y_pred - y_true), masked_weight(sample_weight, mask, self.dtype))

    def result(self) -> Any:
        """The root."""
        return K.sqrt(super().result())


@traced
def cosine_proximity(y_true: TensorLike, y_pred: TensorLike, axis: int = -1) -> Any:
    """``sum(y_true * y_pred) / (norm(y_true) * norm(y_pred))`` along an axis, the cosine of an angle: 1 for equal
    directions. The loss of this name is its
    negative, as in Keras 2.

    Args:
        y_true, y_pred: numbers of equal shapes.
        axis: the axis of the vectors.

    Returns:
        A float tensor without the axis.

    >>> from kbackend import metrics
    >>> [float(v) for v in metrics.cosine_proximity([[2.0, 0.0]], [[3.0, 0.0]])]
    [1.0]
    """
    return -losses.cosine_similarity(y_true, y_pred, axis)


class CosineSimilarity(MeanMetricWrapper):
    """The mean of :func:`cosine_proximity`; arguments as there.

    >>> from kbackend import metrics
    >>> metric = metrics.CosineSimilarity()
    >>> _ = metric.update_state([[0.0, 1.0]], [[1.0, 1.0]])
    >>> round(float(metric.result()), 4)
    0.7071
    """

    def __init__(self, name: str | None = "cosine_similarity", dtype: Any = None, axis: int = -1) -> None:
        super().__init__(cosine_proximity, name, dtype, axis=axis)


@traced
def pearson_correlation(y_true: TensorLike, y_pred: TensorLike, axis: int = -1) -> Any:
    """Pearson's correlation along an axis: ``covariance / sqrt(variance(y_true) * variance(y_pred))``.

    Args:
        y_true, y_pred: numbers of equal shapes.
        axis: the axis of the observations.

    Returns:
        A float tensor without the axis; NaN where a side is constant.

    >>> from kbackend import metrics
    >>> [round(float(v), 4) for v in metrics.pearson_correlation([[0, 1, 0.5]], [[0.1, 0.9, 1.0]])]
    [0.8109]
    """
    sides = []
    for y in aligned(y_true, y_pred):
        around = y - K.mean(y, axis=axis, keepdims=True)
        sides.append(around / K.std(around, axis=axis, keepdims=True))
    return K.mean(sides[0] * sides[1], axis=axis)


@traced
def concordance_correlation(y_true: TensorLike, y_pred: TensorLike, axis: int = -1) -> Any:
    """The concordance correlation along an axis: ``2 * covariance / (both variances + (difference of means)**2 +
    K.epsilon())``, 1 for equal sides; arguments and result as :func:`pearson_correlation`.

    Source: Lin, "A Concordance Correlation Coefficient to Evaluate Reproducibility", 1989.

    >>> from kbackend import metrics
    >>> [round(float(v), 4) for v in metrics.concordance_correlation([[0.0, 2.0]], [[0.0, 1.0]])]
    [0.6667]
    """
    y_true, y_pred = aligned(y_true, y_pred)
    means = [K.mean(y, axis=axis, keepdims=True) for y in (y_true, y_pred)]
    spread = sum(K.var(y, axis=axis, keepdims=True) for y in (y_true, y_pred))
    products = (y_true - means[1]) * (y_pred - means[1])
    return K.mean(2.0 * products / (spread + K.square(means[0] - means[1]) + config.epsilon()), axis=axis)


class PearsonCorrelation(MeanMetricWrapper):
    """The mean of :func:`pearson_correlation` over batches of observations; arguments as there.

    >>> from kbackend import metrics
    >>> metric = metrics.PearsonCorrelation(axis=0)
    >>> _ = metric.update_state([[1.0], [2.0], [3.0]], [[1.0], [2.0], [4.0]])
    >>> round(float(metric.result()), 4)
    0.982
    """

    def __init__(self, name: str | None = "pearson_correlation", dtype: Any = None, axis: int = -1) -> None:
        super().__init__(pearson_correlation, name, dtype, axis=axis)


class ConcordanceCorrelation(MeanMetricWrapper):
    """The mean of :func:`concordance_correlation` over batches of observations; arguments as there.

    >>> from kbackend import metrics
    >>> metric = metrics.ConcordanceCorrelation(axis=0)
    >>> _ = metric.update_state([[1.0], [2.0], [3.0]], [[1.0], [2.0], [4.0]])
    >>> round(float(metric.result()), 4)
    0.8571
    """

    def __init__(self, name: str | None = "concordance_correlation", dtype: Any = None, axis: int = -1) -> None:
        super().__init__(concordance_correlation, name, dtype, axis=axis)


class R2Score(Metric):
    """The coefficient of determination: 1 minus the squared error as a part of the variance of the targets.

    Args:
        class_aggregation: 'uniform_average' (the mean over outputs), 'variance_weighted_average', or None for one score
            for each output.
        num_regressors: the number of independent variables, for the adjusted score; 0 for the plain one.
        name, dtype: see :class:`kbackend.metrics.Metric`.

    Raises:
        ValueError: an unknown aggregation, or a negative number of regressors.

    The adjusted score is the plain one where there are not more samples than ``num_regressors + 1``.

    >>> from kbackend import metrics
    >>> round(float(metrics.R2Score()([[1.0], [4.0], [3.0]], [[2.0], [4.0], [4.0]])), 4)
    0.5714
    """

    AGGREGATIONS = ("uniform_average", "variance_weighted_average", None)
    squared_sum: Variable
    sum: Variable
    residual: Variable
    count: Variable
    additive = True

    def __init__(
        self,
        class_aggregation: str | None = "uniform_average",
        num_regressors: int = 0,
        name: str | None = "r2_score",
        dtype: Any = None,
    ) -> None:
        if class_aggregation not in self.AGGREGATIONS:
            names = ", ".join(map(repr, self.AGGREGATIONS))
            raise ValueError(f"class_aggregation must be one of {names}, it is {class_aggregation!r}")
        if num_regressors < 0:
            raise ValueError(f"num_regressors must not be negative, it is {num_regressors!r}")
        super().__init__(dtype, name)
        self.class_aggregation, self.num_regressors = class_aggregation, num_regressors
        self.num_samples = self.add_variable(name="num_samples")
        self._built = False

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Take targets and predictions (samples, outputs), or (samples,)."""
        y_true, y_pred = (as_dtype(y, self.dtype) for y in aligned(y_true, y_pred))
        if len(y_true.shape) == 1:
            y_true, y_pred = K.expand_dims(y_true, -1), K.expand_dims(y_pred, -1)
        if len(y_pred.shape) != 2 or y_pred.shape[-1] is None:
            raise ValueError(f"R2Score needs predictions (samples, outputs), their shape is {tuple(y_pred.shape)}")
        if not self._built:
            for label in ("squared_sum", "sum", "residual", "count"):
                setattr(self, label, self.add_variable((y_pred.shape[-1],), name=label))
            self._built = True
        weight = K.ones_like(y_true)
        if sample_weight is not None:
            weight = weight * K.reshape(as_dtype(sample_weight, self.dtype), (-1, 1))
        self.sum.assign_add(K.sum(y_true * weight, axis=0))
        self.squared_sum.assign_add(K.sum(K.square(y_true) * weight, axis=0))
        self.residual.assign_add(K.sum(K.square(y_true - y_pred) * weight, axis=0))
        self.count.assign_add(K.sum(weight, axis=0))
        self.num_samples.assign_add(as_dtype(K.size(y_true), self.dtype))

    def result(self) -> Any:
        """The score; 0 before any data."""
        if not self._built:
            return 0.0
        total = self.squared_sum - self.sum * self.sum / self.count
        scores = 1.0 - self.residual / total
        scores = K.where(K.isinf(scores), K.zeros_like(scores), scores)
        if self.class_aggregation == "uniform_average":
            scores = K.mean(scores)
        elif self.class_aggregation == "variance_weighted_average":
            scores = K.sum(total * scores) / K.sum(total)
        if not self.num_regressors:
            return scores
        free = self.num_samples - float(self.num_regressors) - 1.0
        adjusted = 1.0 - (1.0 - scores) * (self.num_samples - 1.0) / K.where(free > 0.0, free, K.ones_like(free))
        return K.where(free > 0.0, adjusted, scores)

    def get_config(self) -> dict[str, Any]:
        own = {"class_aggregation": self.class_aggregation, "num_regressors": self.num_regressors}
        return {**super().get_config(), **own}
