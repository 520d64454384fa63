"""Means of the losses of probabilities and margins."""

from __future__ import annotations

from typing import Any

from kbackend import losses
from kbackend.metrics.reduction import MeanMetricWrapper


class BinaryCrossentropy(MeanMetricWrapper):
    """The mean of :func:`kbackend.losses.binary_crossentropy`; arguments as there.

    >>> from kbackend import metrics
    >>> metric = metrics.BinaryCrossentropy()
    >>> _ = metric.update_state([[1.0], [0.0]], [[0.9], [0.2]])
    >>> round(float(metric.result()), 4)
    0.1643
    """

    def __init__(
        self,
        name: str | None = "binary_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        label_smoothing: Any = 0,
    ) -> None:
        super().__init__(
            losses.binary_crossentropy, name, dtype, from_logits=from_logits, label_smoothing=label_smoothing
        )


class CategoricalCrossentropy(MeanMetricWrapper):
    """The mean of :func:`kbackend.losses.categorical_crossentropy`; arguments as there.

    >>> from kbackend import metrics
    >>> metric = metrics.CategoricalCrossentropy()
    >>> _ = metric.update_state([[0.0, 1.0]], [[0.25, 0.75]])
    >>> round(float(metric.result()), 4)
    0.2877
    """

    def __init__(
        self,
        name: str | None = "categorical_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        label_smoothing: Any = 0,
        axis: int = -1,
    ) -> None:
        options = {"from_logits": from_logits, "label_smoothing": label_smoothing, "axis": axis}
        super().__init__(losses.categorical_crossentropy, name, dtype, **options)


class SparseCategoricalCrossentropy(MeanMetricWrapper):
    """The mean of :func:`kbackend.losses.sparse_categorical_crossentropy`; arguments as there.

    >>> from kbackend import metrics
    >>> metric = metrics.SparseCategoricalCrossentropy()
    >>> _ = metric.update_state([1], [[0.25, 0.75]])
    >>> round(float(metric.result()), 4)
    0.2877
    """

    def __init__(
        self,
        name: str | None = "sparse_categorical_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        ignore_class: Any = None,
        axis: int = -1,
    ) -> None:
        options = {"from_logits": from_logits, "ignore_class": ignore_class, "axis": axis}
        super().__init__(losses.sparse_categorical_crossentropy, name, dtype, **options)


class KLDivergence(MeanMetricWrapper):
    """The mean of :func:`kbackend.losses.kl_divergence`.

    >>> from kbackend import metrics
    >>> metric = metrics.KLDivergence()
    >>> _ = metric.update_state([[0.5, 0.5]], [[0.25, 0.75]])
    >>> round(float(metric.result()), 4)
    0.1438
    """

    def __init__(self, name: str | None = "kl_divergence", dtype: Any = None) -> None:
        super().__init__(losses.kl_divergence, name, dtype)


class Poisson(MeanMetricWrapper):
    """The mean of :func:`kbackend.losses.poisson`.

    >>> from kbackend import metrics
    >>> metric = metrics.Poisson()
    >>> _ = metric.update_state([[1.0, 2.0]], [[1.0, 3.0]])
    >>> round(float(metric.result()), 4)
    0.9014
    """

    def __init__(self, name: str | None = "poisson", dtype: Any = None) -> None:
        super().__init__(losses.poisson, name, dtype)


class Hinge(MeanMetricWrapper):
    """The mean of :func:`kbackend.losses.hinge`.

    >>> from kbackend import metrics
    >>> metric = metrics.Hinge()
    >>> _ = metric.update_state([[1.0, -1.0]], [[0.5, 0.5]])
    >>> round(float(metric.result()), 4)
    1.0
    """

    def __init__(self, name: str | None = "hinge", dtype: Any = None) -> None:
        super().__init__(losses.hinge, name, dtype)


class SquaredHinge(MeanMetricWrapper):
    """The mean of :func:`kbackend.losses.squared_hinge`.

    >>> from kbackend import metrics
    >>> metric = metrics.SquaredHinge()
    >>> _ = metric.update_state([[1.0, -1.0]], [[0.5, 0.5]])
    >>> round(float(metric.result()), 4)
    1.25
    """

    def __init__(self, name: str | None = "squared_hinge", dtype: Any = None) -> None:
        super().__init__(losses.squared_hinge, name, dtype)


class CategoricalHinge(MeanMetricWrapper):
    """The mean of :func:`kbackend.losses.categorical_hinge`.

    >>> from kbackend import metrics
    >>> metric = metrics.CategoricalHinge()
    >>> _ = metric.update_state([[0.0, 1.0]], [[0.6, 0.4]])
    >>> round(float(metric.result()), 4)
    1.2
    """

    def __init__(self, name: str | None = "categorical_hinge", dtype: Any = None) -> None:
        super().__init__(losses.categorical_hinge, name, dtype)
