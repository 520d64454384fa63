"""Losses of sets: the overlap of segments, the distances of embeddings."""

from __future__ import annotations

from typing import Any

from kbackend import backend as K
from kbackend import config
from kbackend.declare.decorate import traced
from kbackend.declare.op import TensorLike
from kbackend.losses.base import LossFunctionWrapper, floating, pair, with_mask
from kbackend.ops.core.arguments import as_tensor
from kbackend.ops.elementwise.precision import as_dtype


def _axes(axis: Any) -> Any:
    return list(axis) if isinstance(axis, (tuple, list)) else axis


@traced
def dice(y_true: TensorLike, y_pred: TensorLike, axis: Any = None) -> Any:
    """``1 - 2 * sum(y_true * y_pred) / (sum(y_true) + sum(y_pred) + K.epsilon())``.

    Args:
        y_true, y_pred: memberships in [0, 1] of equal shapes.
        axis: an axis or a tuple of axes of the sums; all when None.

    Returns:
        A float tensor without the axes.

    Source: Milletari, Navab and Ahmadi, "V-Net", 2016.

    >>> from kbackend import losses
    >>> round(float(losses.dice([1.0, 1.0, 0.0], [1.0, 0.0, 0.0])), 4)
    0.3333
    """
    y_true, y_pred = pair(y_true, y_pred)
    axis = _axes(axis)
    common = K.sum(y_true * y_pred, axis=axis)
    return 1.0 - 2.0 * common / (K.sum(y_true, axis=axis) + K.sum(y_pred, axis=axis) + config.epsilon())


@traced
def tversky(y_true: TensorLike, y_pred: TensorLike, alpha: Any = 0.5, beta: Any = 0.5, axis: Any = None) -> Any:
    """``1 - common / (common + alpha * a + beta * b + K.epsilon())`` with ``common = sum(y_true * y_pred)``, ``a =
    sum(y_true * (1 - y_pred))`` and ``b = sum((1 - y_true) * y_pred)``.

    Args:
        y_true, y_pred, axis: as :func:`dice`.
        alpha, beta: weights of what is missed and of what is predicted wrongly.

    Returns:
        A float tensor of the shape of the operands without the axes.

    Source: Salehi, Erdogmus and Gholipour, "Tversky loss function for image segmentation", 2017.

    >>> from kbackend import losses
    >>> round(float(losses.tversky([1.0, 1.0, 0.0], [1.0, 0.0, 0.0])), 4)
    0.3333
    """
    y_true, y_pred = pair(y_true, y_pred)
    axis = _axes(axis)
    common = K.sum(y_true * y_pred, axis=axis)
    missed = K.sum(y_true * (1.0 - y_pred), axis=axis)
    wrong = K.sum((1.0 - y_true) * y_pred, axis=axis)
    return 1.0 - common / (common + missed * alpha + wrong * beta + config.epsilon())


@traced
def circle(
    y_true: TensorLike,
    y_pred: TensorLike,
    ref_labels: TensorLike | None = None,
    ref_embeddings: TensorLike | None = None,
    remove_diagonal: bool = True,
    gamma: Any = 80,
    margin: Any = 0.4,
) -> Any:
    """The circle loss of embeddings, which pulls samples of a class together and pushes other classes apart.

    Args:
        y_true: labels (batch,).
        y_pred: embeddings (batch, n) of length 1.
        ref_labels, ref_embeddings: what the samples are compared with; the samples themselves when None.
        remove_diagonal: whether a sample is not compared with the reference at its own place.
        gamma: the scale of the distances.
        margin: between classes, in cosines.

    Returns:
        (batch,), masked where it is 0.

    Source: Sun et al., "Circle Loss: A Unified Perspective of Pair Similarity Optimization", 2020.

    >>> from kbackend import losses
    >>> loss = losses.circle([0, 0, 1], [[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]], gamma=1.0)
    >>> [round(float(v), 4) for v in loss[:2]]
    [0.5459, 0.5459]
    """
    y_true, y_pred = as_dtype(as_tensor(y_true), "int32"), floating(y_pred)
    labels = y_true if ref_labels is None else as_dtype(as_tensor(ref_labels), "int32")
    references = y_pred if ref_embeddings is None else floating(ref_embeddings)
    rows, columns = K.reshape(y_true, (-1, 1)), K.reshape(labels, (1, -1))
    alike = K.equal(rows, columns)
    other = K.logical_not(alike)
    if remove_diagonal:
        places = K.cumsum(K.ones_like(rows), axis=0), K.cumsum(K.ones_like(columns), axis=1)
        alike = K.logical_and(alike, K.not_equal(*places))
    distance = K.maximum(1.0 - K.dot(y_pred, K.transpose(references)), 0.0)
    never = K.zeros_like(distance) - float("inf")
    pulls = -gamma * K.maximum(margin + distance, 0.0) * (margin - distance)
    pushes = gamma * K.maximum(1.0 + margin - distance, 0.0) * (1.0 - margin - distance)
    near = K.logsumexp(K.where(alike, pulls, never), axis=1)
    far = K.logsumexp(K.where(other, pushes, never), axis=1)
    loss = K.softplus(near + far)
    return with_mask(loss, loss > 0.0)


class Dice(LossFunctionWrapper):
    """:func:`dice` as an object; arguments as there and :class:`kbackend.losses.Loss`.

    >>> from kbackend import losses
    >>> round(float(losses.Dice()([[1.0, 0.0]], [[0.8, 0.2]])), 4)
    0.2
    """

    def __init__(
        self,
        reduction: Any = "sum_over_batch_size",
        name: str | None = "dice",
        axis: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(dice, reduction, name, dtype, axis=axis)


class Tversky(LossFunctionWrapper):
    """:func:`tversky` as an object; arguments as there and :class:`kbackend.losses.Loss`.

    >>> from kbackend import losses
    >>> round(float(losses.Tversky(alpha=0.3, beta=0.7)([[1.0, 0.0]], [[0.8, 0.2]])), 4)
    0.2
    """

    def __init__(
        self,
        alpha: Any = 0.5,
        beta: Any = 0.5,
        reduction: Any = "sum_over_batch_size",
        name: str | None = "tversky",
        axis: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(tversky, reduction, name, dtype, alpha=alpha, beta=beta, axis=axis)


class Circle(LossFunctionWrapper):
    """:func:`circle` as an object; arguments as there and :class:`kbackend.losses.Loss`.

    >>> from kbackend import losses
    >>> round(float(losses.Circle()([0, 0, 1], [[1.0, 0.0], [0.8, 0.6], [0.0, 1.0]])), 4)
    3.2008
    """

    def __init__(
        self,
        gamma: Any = 80.0,
        margin: Any = 0.4,
        remove_diagonal: bool = True,
        reduction: Any = "sum_over_batch_size",
        name: str | None = "circle",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            circle, reduction, name, dtype, gamma=gamma, margin=margin, remove_diagonal=remove_diagonal
        )
