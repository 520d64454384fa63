"""Losses of probabilities: crossentropies, divergences, CTC."""

from __future__ import annotations

from typing import Any

from kbackend import backend as K
from kbackend import config, dtypes
from kbackend.declare.decorate import traced
from kbackend.declare.op import TensorLike
from kbackend.losses.base import floating, pair, with_mask
from kbackend.ops.core.arguments import as_tensor
from kbackend.ops.elementwise.precision import as_dtype
from kbackend.ops.losses.crossentropy import categorical_crossentropy as categorical_op
from kbackend.ops.losses.crossentropy import sparse_categorical_crossentropy as sparse_op


def _smoothed(y_true: Any, amount: Any, classes: Any) -> Any:
    """Targets with a part spread over all classes."""
    if isinstance(amount, (int, float)) and not 0 <= amount <= 1:
        raise ValueError(f"label_smoothing must lie in [0, 1], it is {amount!r}")
    return y_true * (1.0 - amount) + amount / classes if amount else y_true


def _classes(y_pred: Any, axis: int) -> Any:
    size = y_pred.shape[axis]
    return as_dtype(K.shape(y_pred)[axis], K.dtype(y_pred)) if size is None else float(size)


@traced
def categorical_crossentropy(
    y_true: TensorLike, y_pred: TensorLike, from_logits: bool = False, label_smoothing: Any = 0.0, axis: int = -1
) -> Any:
    """The crossentropy ``-sum(y_true * log(y_pred))`` along an axis.

    Args:
        y_true: probabilities, such as one-hot vectors.
        y_pred: probabilities of the same shape, or logits.
        from_logits: whether ``y_pred`` is logits.
        label_smoothing: the part of the targets, in [0, 1], that is spread over all classes.
        axis: the axis of the classes.

    Returns:
        A float tensor without the axis.

    Raises:
        ValueError: shapes that differ, or a label_smoothing outside [0, 1].

    >>> from kbackend import losses
    >>> [round(float(v), 4) for v in losses.categorical_crossentropy([[0.0, 1.0]], [[0.5, 0.5]])]
    [0.6931]
    """
    y_true, y_pred = pair(y_true, y_pred)
    y_true = _smoothed(y_true, label_smoothing, _classes(y_pred, axis))
    return categorical_op(y_true, y_pred, from_logits=from_logits, axis=axis)


@traced
def sparse_categorical_crossentropy(
    y_true: TensorLike, y_pred: TensorLike, from_logits: bool = False, ignore_class: Any = None, axis: int = -1
) -> Any:
    """The crossentropy ``-log(y_pred[label])`` along an axis.

    Args:
        y_true: labels in [0, n), of the shape of ``y_pred`` without the axis, or with a dimension of 1 there.
        y_pred: probabilities of n classes, or logits.
        from_logits: whether ``y_pred`` is logits.
        ignore_class: a label whose loss is 0 and that is masked in the result, such as -1 for pixels of no class.
        axis: the axis of the classes.

    Returns:
        A float tensor without the axis.

    Raises:
        ValueError: shapes that do not fit; when the program runs, a label out of range, which the message names.

    >>> from kbackend import losses
    >>> [round(float(v), 4) for v in losses.sparse_categorical_crossentropy([1, 0], [[0.5, 0.5], [0.25, 0.75]])]
    [0.6931, 1.3863]
    """
    y_true, y_pred = as_tensor(y_true), floating(y_pred)
    if len(y_true.shape) == len(y_pred.shape) and y_true.shape[axis] == 1:
        y_true = K.squeeze(y_true, axis)
    if ignore_class is None:
        return sparse_op(y_true, y_pred, from_logits=from_logits, axis=axis)
    valid = K.not_equal(y_true, as_dtype(ignore_class, K.dtype(y_true)))
    labels = K.where(valid, y_true, K.zeros_like(y_true))
    losses = sparse_op(labels, y_pred, from_logits=from_logits, axis=axis)
    return with_mask(K.where(valid, losses, K.zeros_like(losses)), valid)


@traced
def binary_crossentropy(
    y_true: TensorLike, y_pred: TensorLike, from_logits: bool = False, label_smoothing: Any = 0.0, axis: int = -1
) -> Any:
    """Mean along an axis of ``-y_true * log(y_pred) - (1 - y_true) * log(1 - y_pred)``.

    Args:
        y_true: probabilities of the second of two classes.
        y_pred: probabilities of the same shape, or logits.
        from_logits: whether ``y_pred`` is logits.
        label_smoothing: the part of the targets, in [0, 1], that is moved to 1/2.
        axis: the axis of the mean.

    Returns:
        A float tensor without the axis.

    Raises:
        ValueError: shapes that differ, or a label_smoothing outside [0, 1].

    >>> from kbackend import losses
    >>> [round(float(v), 4) for v in losses.binary_crossentropy([[1.0, 0.0]], [[0.5, 0.5]])]
    [0.6931]
    """
    y_true, y_pred = pair(y_true, y_pred)
    y_true = _smoothed(y_true, label_smoothing, 2.0)
    return K.mean(K.binary_crossentropy(y_true, y_pred, from_logits=from_logits), axis=axis)


@traced
def binary_focal_crossentropy(
    y_true: TensorLike,
    y_pred: TensorLike,
    apply_class_balancing: bool = False,
    alpha: Any = 0.25,
    gamma: Any = 2.0,
    from_logits: bool = False,
    label_smoothing: Any = 0.0,
    axis: int = -1,
) -> Any:
    """Mean along an axis of the binary crossentropy times ``(1 - p)**gamma``, where p is the probability of the target.

    Args:
        y_true, y_pred, from_logits, label_smoothing, axis: as :func:`binary_crossentropy`.
        apply_class_balancing: whether the second class is weighted by ``alpha`` and the first by ``1 - alpha``.
        alpha, gamma: numbers.

    Result as :func:`binary_crossentropy`.

    Raises:
        ValueError: ``label_smoothing`` outside [0, 1].

    Source: Lin, Goyal, Girshick, He and Dollár, "Focal Loss for Dense Object Detection", 2017.

    >>> from kbackend import losses
    >>> [round(float(v), 4) for v in losses.binary_focal_crossentropy([[1.0]], [[0.5]])]
    [0.1733]
    """
    y_true, y_pred = pair(y_true, y_pred)
    y_true = _smoothed(y_true, label_smoothing, 2.0)
    focal = K.binary_focal_crossentropy(y_true, y_pred, apply_class_balancing, alpha, gamma, from_logits)
    return K.mean(focal, axis=axis)


@traced
def categorical_focal_crossentropy(
    y_true: TensorLike,
    y_pred: TensorLike,
    alpha: Any = 0.25,
    gamma: Any = 2.0,
    from_logits: bool = False,
    label_smoothing: Any = 0.0,
    axis: int = -1,
) -> Any:
    """``-sum(alpha * (1 - y_pred)**gamma * y_true * log(y_pred))`` along an axis.

    Args:
        y_true, y_pred, from_logits, label_smoothing, axis: as :func:`categorical_crossentropy`.
        alpha: a number, or a list with a weight for each class of the last axis.
        gamma: a number.

    Result as :func:`categorical_crossentropy`.

    Raises:
        ValueError: ``label_smoothing`` outside [0, 1].

    Source: Lin, Goyal, Girshick, He and Dollár, "Focal Loss for Dense Object Detection", 2017.

    >>> from kbackend import losses
    >>> [round(float(v), 4) for v in losses.categorical_focal_crossentropy([[0.0, 1.0]], [[0.5, 0.5]])]
    [0.0433]
    """
    y_true, y_pred = pair(y_true, y_pred)
    y_true = _smoothed(y_true, label_smoothing, _classes(y_pred, axis))
    return K.categorical_focal_crossentropy(y_true, y_pred, alpha, gamma, from_logits, axis)


@traced
def categorical_generalized_cross_entropy(y_true: TensorLike, y_pred: TensorLike, q: Any) -> Any:
    """``(1 - p**q) / q`` for the probability p of the label: between the absolute error (q = 1) and the crossentropy (q
    towards 0), which makes it robust to wrong labels.

    Args:
        y_true: labels (...); a label that is no class has p = 0.
        y_pred: probabilities (..., n).
        q: a number in (0, 1).

    Returns:
        A float tensor (...).

    Source: Zhang and Sabuncu, "Generalized Cross Entropy Loss for Training Deep Neural Networks with Noisy Labels",
    2018.

    >>> from kbackend import losses
    >>> [round(float(v), 4) for v in losses.categorical_generalized_cross_entropy([1], [[0.75, 0.25]], 0.5)]
    [1.0]
    """
    y_true, y_pred = as_tensor(y_true), floating(y_pred)
    if len(y_true.shape) == len(y_pred.shape):
        y_true = K.squeeze(y_true, -1)
    labels = y_true if dtypes.is_integer(K.dtype(y_true)) else as_dtype(y_true, "int32")
    chosen = as_dtype(K.one_hot(labels, y_pred.shape[-1]), K.dtype(y_pred))
    return (1.0 - K.sum(y_pred * chosen, axis=-1) ** q) / q


@traced
def kl_divergence(y_true: TensorLike, y_pred: TensorLike) -> Any:
    """Sum over the last axis of ``y_true * log(y_true / y_pred)``, both clipped to [K.epsilon(), 1].

    Args:
        y_true, y_pred: probabilities of equal shapes (..., n).

    Returns:
        A float tensor (...).

    Source: Kullback and Leibler 1951.

    >>> from kbackend import losses
    >>> [round(float(v), 4) for v in losses.kl_divergence([[1.0, 0.0]], [[0.5, 0.5]])]
    [0.6931]
    """
    y_true, y_pred = (K.clip(y, config.epsilon(), 1.0) for y in pair(y_true, y_pred))
    return K.sum(y_true * K.log(y_true / y_pred), axis=-1)


@traced
def ctc(y_true: TensorLike, y_pred: TensorLike) -> Any:
    """The CTC loss of logits, where class 0 is the blank and pads the labels.

    Args:
        y_true: integer labels (batch, length), padded with 0.
        y_pred: logits (batch, time, classes).

    Returns:
        (batch,), infinite where the time is too short for the labels.

    Raises:
        ValueError: other ranks; when the program runs, a label out of range.

    Source: Graves, Fernández, Gomez and Schmidhuber, "Connectionist Temporal Classification", 2006.

    >>> from kbackend import K, losses
    >>> [round(float(v), 4) for v in losses.ctc([[1]], K.zeros((1, 2, 2)))]
    [0.2877]
    """
    y_true, y_pred = as_tensor(y_true), floating(y_pred)
    if len(y_true.shape) != 2 or len(y_pred.shape) != 3:
        raise ValueError(
            "ctc needs y_true (batch, length) and y_pred (batch, time, classes), their shapes are "
            f"{tuple(y_true.shape)} and {tuple(y_pred.shape)}"
        )
    labels = y_true if dtypes.is_integer(K.dtype(y_true)) else as_dtype(y_true, "int32")
    given = as_dtype(K.not_equal(labels, 0), "int32")
    steps = as_dtype(K.ones_like(y_pred[:, :, 0]), "int32")
    return K.ctc_loss(labels, y_pred, K.sum(given, axis=-1), K.sum(steps, axis=-1), mask_index=0)
