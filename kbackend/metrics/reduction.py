"""Metrics that are sums and means of values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kbackend import backend as K
from kbackend import losses, registry
from kbackend.losses.base import mask_of, masked_weight, same_rank
from kbackend.metrics.base import Metric
from kbackend.ops.core.arguments import as_tensor
from kbackend.ops.elementwise.precision import as_dtype


def by_sample(
    values: Any, sample_weight: Any, reduce: Callable[..., Any], dtype: str
) -> tuple[Any, Any]:
    """Weighted values reduced to one for each sample, and the weights, likewise (None without weights)."""
    mask, values = mask_of(values), as_dtype(as_tensor(values), dtype)
    if sample_weight is not None:
        weight = masked_weight(as_dtype(as_tensor(sample_weight), dtype), mask, dtype)
        values, weight = same_rank(values, weight)
        rank = len(weight.shape)
        if len(values.shape) > rank:
            values = reduce(values, axis=list(range(rank, len(values.shape))))
        sample_weight = weight + K.zeros_like(values)
        values = values * sample_weight
        if rank > 1:
            sample_weight = reduce(sample_weight, axis=list(range(1, rank)))
    if len(values.shape) > 1:
        values = reduce(values, axis=list(range(1, len(values.shape))))
    return values, sample_weight


class Reduce(Metric):
    """A sum or mean of all values (Keras 2's class).

    Args:
        reduction: 'sum', 'sum_over_batch_size' (``sum(weights * values) / number``) or 'weighted_mean' (over
            the sum of the weights).
        name, dtype: see :class:`kbackend.metrics.Metric`.

    Raises:
        ValueError: an unknown reduction.

    >>> from kbackend import metrics
    >>> mean = metrics.Reduce("sum_over_batch_size", name="m")
    >>> float(mean([1.0, 3.0], sample_weight=[1.0, 0.0]))
    0.5
    """

    REDUCTIONS = ("sum", "sum_over_batch_size", "weighted_mean")

    def __init__(self, reduction: str, name: str | None, dtype: Any = None) -> None:
        if reduction not in self.REDUCTIONS:
            raise ValueError(f"reduction must be one of {', '.join(map(repr, self.REDUCTIONS))}, it is {reduction!r}")
        super().__init__(dtype, name)
        self.reduction = reduction
        self.total = self.add_variable(name="total")
        self.count = None if reduction == "sum" else self.add_variable(name="count")

    def update_state(self, values: Any, sample_weight: Any = None) -> Any:
        """Take values, with one weight for each sample or of the leading dimensions."""
        self.take(values, sample_weight)

    def take(self, values: Any, sample_weight: Any) -> None:
        """Assign the state for symbolic values."""
        reduce = K.sum if self.reduction == "sum" else K.mean
        values, weight = by_sample(values, sample_weight, reduce, self.dtype)
        self.total.assign_add(K.sum(values))
        if self.count is None:
            return
        if weight is not None and self.reduction == "weighted_mean":
            self.count.assign_add(K.sum(weight))
        else:
            self.count.assign_add(as_dtype(K.size(values), self.dtype))

    def result(self) -> Any:
        """The sum or mean; 0 without values."""
        return self.total * 1.0 if self.count is None else K.divide_no_nan(self.total, self.count)

    def get_config(self) -> dict[str, Any]:
        own = {"reduction": self.reduction} if type(self) is Reduce else {}
        return {**super().get_config(), **own}


class Sum(Reduce):
    """The sum of all values, ``sum(weights * values)``; weights are 1 where none are given.

    >>> from kbackend import metrics
    >>> total = metrics.Sum()
    >>> _ = total.update_state([1.0, 3.0])
    >>> float(total([4.0]))
    8.0
    """

    def __init__(self, name: str | None = "sum", dtype: Any = None) -> None:
        super().__init__("sum", name, dtype)


class Mean(Reduce):
    """The mean of all values, ``sum(weights * values) / sum(weights)``; weights are 1 where none are given.

    >>> from kbackend import metrics
    >>> mean = metrics.Mean()
    >>> float(mean([1.0, 3.0], sample_weight=[3.0, 1.0]))
    1.5
    """

    def __init__(self, name: str | None = "mean", dtype: Any = None) -> None:
        super().__init__("weighted_mean", name, dtype)


#: the functions that configurations may name, filled by the package
FUNCTIONS: dict[str, Any] = {}


def is_of_samples(function: Any) -> bool:
    """Whether a function is one of ours with a value for each sample, whatever the others of its batch are."""
    return any(function is known for known in FUNCTIONS.values()) and function not in losses.OF_BATCHES


class MeanMetricWrapper(Mean):
    """The mean of a function ``(y_true, y_pred, **options)`` of values for each sample.

    Args:
        fn: the function.
        name, dtype: see :class:`kbackend.metrics.Metric`.
        **kwargs: options that the function gets at each call.

    >>> from kbackend import losses, metrics
    >>> float(metrics.MeanMetricWrapper(losses.mean_squared_error)([[1.0], [2.0]], [[1.0], [4.0]]))
    2.0
    """

    def __init__(self, fn: Callable[..., Any], name: str | None = None, dtype: Any = None, **kwargs: Any) -> None:
        super().__init__(name or getattr(fn, "__name__", None) or type(self).__name__.lower(), dtype)
        self.fn, self.options = fn, kwargs

    @property
    def additive(self) -> bool:  # type: ignore[override]
        """Whether the function has a value for each sample, whatever the others are."""
        return is_of_samples(self.fn) and self.options.get("axis", -1) == -1

    def update_state(  # type: ignore[override]
        self, y_true: Any, y_pred: Any, sample_weight: Any = None
    ) -> Any:
        """Take targets and predictions; a mask that a layer gave the predictions excludes what it masks."""
        values = self.fn(as_tensor(y_true), as_tensor(y_pred), **self.options)
        mask = mask_of(y_pred)
        self.take(values, masked_weight(sample_weight, mask, self.dtype))

    def get_config(self) -> dict[str, Any]:
        options = {name: registry.plain(value) for name, value in self.options.items()}
        own = {"fn": registry.plain(self.fn)} if type(self) is MeanMetricWrapper else {}
        return {**super().get_config(), **own, **options}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        if isinstance(config.get("fn"), str):
            config = {**config, "fn": registry.find(config["fn"], FUNCTIONS, "metric")}
        return cls(**config)
