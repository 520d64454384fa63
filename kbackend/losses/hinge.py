"""Hinge losses, which want a margin between classes."""

from __future__ import annotations

from typing import Any

from kbackend import backend as K
from kbackend.declare.decorate import traced
from kbackend.declare.op import TensorLike
from kbackend.losses.base import LossFunctionWrapper, pair


def _signs(y_true: Any) -> Any:
    """Targets -1 or 1; targets that are all 0 or 1 become these."""
    binary = K.all(K.logical_or(K.equal(y_true, 0.0), K.equal(y_true, 1.0)))
    return K.where(binary, 2.0 * y_true - 1.0, y_true)


def _margins(y_true: Any, y_pred: Any) -> Any:
    y_true, y_pred = pair(y_true, y_pred)
    return K.maximum(1.0 - _signs(y_true) * y_pred, 0.0)


@traced
def hinge(y_true: TensorLike, y_pred: TensorLike) -> Any:
    """Mean of ``max(1 - y_true * y_pred, 0)`` over the last axis.

    Args:
        y_true: -1 or 1; 0 or 1 if all are.
        y_pred: numbers of the same shape (..., n).

    Returns:
        A float tensor (...).

    >>> from kbackend import losses
    >>> [float(v) for v in losses.hinge([[-1.0, 1.0]], [[0.5, 2.0]])]
    [0.75]
    """
    return K.mean(_margins(y_true, y_pred), axis=-1)


@traced
def squared_hinge(y_true: TensorLike, y_pred: TensorLike) -> Any:
    """Mean of ``max(1 - y_true * y_pred, 0)**2`` over the last axis.

    Arguments and result as :func:`hinge`.

    >>> from kbackend import losses
    >>> [float(v) for v in losses.squared_hinge([[-1.0, 1.0]], [[1.0, 2.0]])]
    [2.0]
    """
    return K.mean(K.square(_margins(y_true, y_pred)), axis=-1)


@traced
def categorical_hinge(y_true: TensorLike, y_pred: TensorLike) -> Any:
    """``max(neg - pos + 1, 0)``, where pos is the prediction of the target's class and neg the largest of the others.

    Args:
        y_true: one-hot vectors along the last axis.
        y_pred: numbers of the same shape (..., classes).

    Returns:
        A float tensor (...).

    >>> from kbackend import losses
    >>> [float(v) for v in losses.categorical_hinge([[0.0, 1.0]], [[2.0, 1.5]])]
    [1.5]
    """
    y_true, y_pred = pair(y_true, y_pred)
    positive = K.sum(y_true * y_pred, axis=-1)
    negative = K.max((1.0 - y_true) * y_pred, axis=-1)
    return K.maximum(negative - positive + 1.0, 0.0)


class Hinge(LossFunctionWrapper):
    """:func:`hinge` as an object; arguments as :class:`kbackend.losses.Loss`.

    >>> from kbackend import losses
    >>> round(float(losses.Hinge()([[1.0, -1.0]], [[0.5, 0.5]])), 4)
    1.0
    """

    def __init__(
        self, reduction: Any = "sum_over_batch_size", name: str | None = "hinge", dtype: Any = None
    ) -> None:
        super().__init__(hinge, reduction, name, dtype)


class SquaredHinge(LossFunctionWrapper):
    """:func:`squared_hinge` as an object; arguments as :class:`kbackend.losses.Loss`.

    >>> from kbackend import losses
    >>> round(float(losses.SquaredHinge()([[1.0, -1.0]], [[0.5, 0.5]])), 4)
    1.25
    """

    def __init__(
        self, reduction: Any = "sum_over_batch_size", name: str | None = "squared_hinge", dtype: Any = None
    ) -> None:
        super().__init__(squared_hinge, reduction, name, dtype)


class CategoricalHinge(LossFunctionWrapper):
    """:func:`categorical_hinge` as an object; arguments as :class:`kbackend.losses.Loss`.

    >>> from kbackend import losses
    >>> round(float(losses.CategoricalHinge()([[0.0, 1.0]], [[0.6, 0.4]])), 4)
    1.2
    """

    def __init__(
        self, reduction: Any = "sum_over_batch_size", name: str | None = "categorical_hinge", dtype: Any = None
    ) -> None:
        super().__init__(categorical_hinge, reduction, name, dtype)
