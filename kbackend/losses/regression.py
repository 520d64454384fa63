"""Losses of numbers: squared, absolute, relative and logarithmic errors, Huber's loss, directions, counts."""

from __future__ import annotations

import math
from typing import Any

from kbackend import backend as K
from kbackend import config
from kbackend.declare.decorate import traced
from kbackend.declare.op import TensorLike
from kbackend.losses.base import LossFunctionWrapper, aligned, pair
from kbackend.ops.elementwise.precision import as_dtype


@traced
def mean_squared_error(y_true: TensorLike, y_pred: TensorLike) -> Any:
    """Mean of ``(y_true - y_pred)**2`` over the last axis.

    Args:
        y_true, y_pred: numbers of equal shapes (..., n).

    Returns:
        A float tensor (...).

    >>> from kbackend import losses
    >>> [float(v) for v in losses.mean_squared_error([[0.0, 1.0]], [[2.0, 3.0]])]
    [4.0]
    """
    y_true, y_pred = aligned(y_true, y_pred)
    return K.mean(K.square(y_pred - y_true), axis=-1)  # in this order the gradient needs no negation


@traced
def mean_absolute_error(y_true: TensorLike, y_pred: TensorLike) -> Any:
    """Mean of ``|y_true - y_pred|`` over the last axis.

    Arguments and result as :func:`mean_squared_error`.

    >>> from kbackend import losses
    >>> [float(v) for v in losses.mean_absolute_error([[0.0, 1.0]], [[2.0, 2.0]])]
    [1.5]
    """
    y_true, y_pred = aligned(y_true, y_pred)
    return K.mean(K.abs(y_pred - y_true), axis=-1)


@traced
def mean_absolute_percentage_error(y_true: TensorLike, y_pred: TensorLike) -> Any:
    """100 times the mean of ``|y_true - y_pred| / max(|y_true|, K.epsilon())`` over the last axis.

    Arguments and result as :func:`mean_squared_error`.

    >>> from kbackend import losses
    >>> [float(v) for v in losses.mean_absolute_percentage_error([[4.0]], [[3.0]])]
    [25.0]
    """
    y_true, y_pred = aligned(y_true, y_pred)
    return 100.0 * K.mean(K.abs((y_pred - y_true) / K.maximum(K.abs(y_true), config.epsilon())), axis=-1)


@traced
def mean_squared_logarithmic_error(y_true: TensorLike, y_pred: TensorLike) -> Any:
    """Mean of ``(log(1 + y_true) - log(1 + y_pred))**2`` over the last axis, for numbers that are at least
    ``K.epsilon()`` (smaller ones count as that).

    Arguments and result as :func:`mean_squared_error`.

    >>> from kbackend import losses
    >>> [round(float(v), 4) for v in losses.mean_squared_logarithmic_error([[0.0]], [[1.0]])]
    [0.4805]
    """
    y_true, y_pred = aligned(y_true, y_pred)
    logs = [K.log(K.maximum(y, config.epsilon()) + 1.0) for y in (y_pred, y_true)]
    return K.mean(K.square(logs[0] - logs[1]), axis=-1)


@traced
def huber(y_true: TensorLike, y_pred: TensorLike, delta: Any = 1.0) -> Any:
    """Mean over the last axis of ``e**2 / 2`` where ``|e| <= delta`` and ``delta * |e| - delta**2 / 2`` elsewhere, for
    ``e = y_pred - y_true``.

    Args:
        y_true, y_pred: as :func:`mean_squared_error`.
        delta: where the loss turns from a square to a line, a number above 0.

    Result as :func:`mean_squared_error`.

    Source: Huber, "Robust Estimation of a Location Parameter", 1964.

    >>> from kbackend import losses
    >>> [float(v) for v in losses.huber([[0.0, 0.0]], [[1.0, 3.0]])]
    [1.5]
    """
    y_true, y_pred = aligned(y_true, y_pred)
    error = y_pred - y_true
    size, delta = K.abs(error), as_dtype(delta, K.dtype(error))
    return K.mean(K.where(size <= delta, 0.5 * K.square(error), delta * size - 0.5 * K.square(delta)), axis=-1)


@traced
def log_cosh(y_true: TensorLike, y_pred: TensorLike) -> Any:
    """Mean over the last axis of ``log(cosh(y_pred - y_true))``, computed without overflow.

    Arguments and result as :func:`mean_squared_error`.

    >>> from kbackend import losses
    >>> [round(float(v), 4) for v in losses.log_cosh([[0.0]], [[1.0]])]
    [0.4338]
    """
    y_true, y_pred = aligned(y_true, y_pred)
    error = y_pred - y_true
    return K.mean(error + K.softplus(-2.0 * error) - math.log(2.0), axis=-1)


@traced
def cosine_similarity(y_true: TensorLike, y_pred: TensorLike, axis: int = -1) -> Any:
    """``-sum(y_true * y_pred) / (norm(y_true) * norm(y_pred))`` along an axis, minus the cosine of an angle: -1 for
    equal directions, 1 for opposite ones, 0 for
    a vector of zeros.

    Args:
        y_true, y_pred: numbers of equal shapes.
        axis: the axis of the vectors.

    Returns:
        A float tensor without the axis.

    >>> from kbackend import losses
    >>> [float(v) for v in losses.cosine_similarity([[2.0, 0.0]], [[3.0, 0.0]])]
    [-1.0]
    """
    y_true, y_pred = aligned(y_true, y_pred)
    return -K.sum(K.l2_normalize(y_true, axis) * K.l2_normalize(y_pred, axis), axis=axis)


@traced
def poisson(y_true: TensorLike, y_pred: TensorLike) -> Any:
    """Mean over the last axis of ``y_pred - y_true * log(y_pred + K.epsilon())``: the negative logarithm of the
    likelihood of counts, without a constant.

    Arguments and result as :func:`mean_squared_error`.

    >>> from kbackend import losses
    >>> [round(float(v), 4) for v in losses.poisson([[1.0]], [[2.0]])]
    [1.3069]
    """
    y_true, y_pred = pair(y_true, y_pred)
    return K.mean(y_pred - y_true * K.log(y_pred + config.epsilon()), axis=-1)


class MeanSquaredError(LossFunctionWrapper):
    """:func:`mean_squared_error` as an object; arguments as :class:`kbackend.losses.Loss`.

    >>> from kbackend import losses
    >>> round(float(losses.MeanSquaredError()([[0.0, 1.0]], [[1.0, 3.0]])), 4)
    2.5
    """

    def __init__(
        self, reduction: Any = "sum_over_batch_size", name: str | None = "mean_squared_error", dtype: Any = None
    ) -> None:
        super().__init__(mean_squared_error, reduction, name, dtype)


class MeanAbsoluteError(LossFunctionWrapper):
    """:func:`mean_absolute_error` as an object; arguments as :class:`kbackend.losses.Loss`.

    >>> from kbackend import losses
    >>> round(float(losses.MeanAbsoluteError()([[0.0, 1.0]], [[1.0, 3.0]])), 4)
    1.5
    """

    def __init__(
        self, reduction: Any = "sum_over_batch_size", name: str | None = "mean_absolute_error", dtype: Any = None
    ) -> None:
        super().__init__(mean_absolute_error, reduction, name, dtype)


class MeanAbsolutePercentageError(LossFunctionWrapper):
    """:func:`mean_absolute_percentage_error` as an object; arguments as :class:`kbackend.losses.Loss`.

    >>> from kbackend import losses
    >>> round(float(losses.MeanAbsolutePercentageError()([[2.0, 4.0]], [[1.0, 4.0]])), 4)
    25.0
    """

    def __init__(
        self,
        reduction: Any = "sum_over_batch_size",
        name: str | None = "mean_absolute_percentage_error",
        dtype: Any = None,
    ) -> None:
        super().__init__(mean_absolute_percentage_error, reduction, name, dtype)


class MeanSquaredLogarithmicError(LossFunctionWrapper):
    """:func:`mean_squared_logarithmic_error` as an object; arguments as :class:`kbackend.losses.Loss`.

    >>> from kbackend import losses
    >>> round(float(losses.MeanSquaredLogarithmicError()([[0.0, 1.0]], [[1.0, 3.0]])), 4)
    0.4805
    """

    def __init__(
        self,
        reduction: Any = "sum_over_batch_size",
        name: str | None = "mean_squared_logarithmic_error",
        dtype: Any = None,
    ) -> None:
        super().__init__(mean_squared_logarithmic_error, reduction, name, dtype)


class Huber(LossFunctionWrapper):
    """:func:`huber` as an object; arguments as there and :class:`kbackend.losses.Loss`.

    >>> from kbackend import losses
    >>> round(float(losses.Huber(delta=1.0)([[0.0, 0.0]], [[0.5, 3.0]])), 4)
    1.3125
    """

    def __init__(
        self,
        delta: Any = 1.0,
        reduction: Any = "sum_over_batch_size",
        name: str | None = "huber_loss",
        dtype: Any = None,
    ) -> None:
        super().__init__(huber, reduction, name, dtype, delta=delta)


class LogCosh(LossFunctionWrapper):
    """:func:`log_cosh` as an object; arguments as :class:`kbackend.losses.Loss`.

    >>> from kbackend import losses
    >>> round(float(losses.LogCosh()([[0.0, 0.0]], [[0.5, 3.0]])), 4)
    1.2147
    """

    def __init__(
        self, reduction: Any = "sum_over_batch_size", name: str | None = "log_cosh", dtype: Any = None
    ) -> None:
        super().__init__(log_cosh, reduction, name, dtype)


class CosineSimilarity(LossFunctionWrapper):
    """:func:`cosine_similarity` as an object; arguments as there and :class:`kbackend.losses.Loss`.

    >>> from kbackend import losses
    >>> round(float(losses.CosineSimilarity()([[0.0, 1.0]], [[1.0, 1.0]])), 4)
    -0.7071
    """

    def __init__(
        self,
        axis: int = -1,
        reduction: Any = "sum_over_batch_size",
        name: str | None = "cosine_similarity",
        dtype: Any = None,
    ) -> None:
        super().__init__(cosine_similarity, reduction, name, dtype, axis=axis)


class Poisson(LossFunctionWrapper):
    """:func:`poisson` as an object; arguments as :class:`kbackend.losses.Loss`.

    >>> from kbackend import losses
    >>> round(float(losses.Poisson()([[1.0, 2.0]], [[1.0, 3.0]])), 4)
    0.9014
    """

    def __init__(
        self, reduction: Any = "sum_over_batch_size", name: str | None = "poisson", dtype: Any = None
    ) -> None:
        super().__init__(poisson, reduction, name, dtype)
