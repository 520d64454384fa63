"""Accuracies: the part of predictions that are right."""

from __future__ import annotations

from typing import Any

from kbackend import backend as K
from kbackend import config, dtypes
from kbackend.declare.decorate import traced
from kbackend.declare.op import TensorLike
from kbackend.losses.base import same_rank
from kbackend.metrics.reduction import MeanMetricWrapper
from kbackend.ops.core.arguments import as_tensor
from kbackend.ops.elementwise.precision import as_dtype
from kbackend.ops.indexing.top_k import in_top_k


def _float(condition: Any) -> Any:
    return as_dtype(condition, config.floatx())


@traced
def accuracy(y_true: TensorLike, y_pred: TensorLike) -> Any:
    """``y_true == y_pred``: 1 where the prediction equals the target, else 0.

    Args:
        y_true, y_pred: numbers of equal shapes.

    Returns:
        A float tensor of that shape.

    >>> from kbackend import metrics
    >>> [float(v) for v in metrics.accuracy([1, 2], [1, 3])]
    [1.0, 0.0]
    """
    y_true, y_pred = same_rank(as_tensor(y_true), as_tensor(y_pred))
    return _float(K.equal(as_dtype(y_true, K.dtype(y_pred)), y_pred))


def _binary_matches(y_true: Any, y_pred: Any, threshold: Any = 0.5) -> Any:
    y_true, y_pred = same_rank(as_tensor(y_true), as_tensor(y_pred))
    return _float(K.equal(y_true, as_dtype(y_pred > as_dtype(threshold, K.dtype(y_pred)), K.dtype(y_true))))


@traced
def binary_accuracy(y_true: TensorLike, y_pred: TensorLike, threshold: Any = 0.5) -> Any:
    """The part of the last axis where ``y_pred > threshold`` agrees with the target.

    Args:
        y_true: 0 or 1.
        y_pred: probabilities of the same shape (..., n).
        threshold: a number.

    Returns:
        A float tensor (...).

    >>> from kbackend import metrics
    >>> [float(v) for v in metrics.binary_accuracy([[1.0, 0.0]], [[0.7, 0.6]])]
    [0.5]
    """
    return K.mean(_binary_matches(y_true, y_pred, threshold), axis=-1)


@traced
def categorical_accuracy(y_true: TensorLike, y_pred: TensorLike) -> Any:
    """``argmax(y_true) == argmax(y_pred)``: 1 where the largest prediction is at the largest target along the last
    axis, else 0.

    Args:
        y_true, y_pred: numbers (..., n).

    Returns:
        A float tensor (...).

    >>> from kbackend import metrics
    >>> [float(v) for v in metrics.categorical_accuracy([[0, 1], [1, 0]], [[0.2, 0.8], [0.2, 0.8]])]
    [1.0, 0.0]
    """
    return _float(K.equal(K.argmax(as_tensor(y_true), axis=-1), K.argmax(as_tensor(y_pred), axis=-1)))


@traced
def sparse_categorical_accuracy(y_true: TensorLike, y_pred: TensorLike) -> Any:
    """``y_true == argmax(y_pred)``: 1 where the largest prediction along the last axis is at the target's label,
    else 0.

    Args:
        y_true: labels (...), or with a last dimension of 1.
        y_pred: numbers (..., n).

    Returns:
        A float tensor (...).

    >>> from kbackend import metrics
    >>> [float(v) for v in metrics.sparse_categorical_accuracy([1, 0], [[0.2, 0.8], [0.2, 0.8]])]
    [1.0, 0.0]
    """
    y_true, y_pred = as_tensor(y_true), as_tensor(y_pred)
    if len(y_true.shape) == len(y_pred.shape):
        y_true = K.squeeze(y_true, -1)
    best = K.argmax(y_pred, axis=-1)
    return _float(K.equal(as_dtype(y_true, K.dtype(best)), best))


def _among_top(labels: Any, y_pred: Any, k: int) -> Any:
    """Whether a label is among the k largest predictions, for labels (...) and predictions (..., n)."""
    labels = labels if dtypes.is_integer(K.dtype(labels)) else as_dtype(labels, "int32")
    if len(y_pred.shape) == 2:
        return _float(in_top_k(labels, y_pred, k))
    rows = in_top_k(K.reshape(labels, (-1,)), K.reshape(y_pred, (-1, y_pred.shape[-1])), k)
    return K.reshape(_float(rows), K.shape(labels))


@traced
def top_k_categorical_accuracy(y_true: TensorLike, y_pred: TensorLike, k: int = 5) -> Any:
    """``sum(y_pred > y_pred[argmax(y_true)]) < k``: 1 where the class of a one-hot target is among the k largest
    predictions, else 0.

    Args:
        y_true: one-hot targets (..., n).
        y_pred: numbers (..., n).
        k: how many.

    Returns:
        A float tensor (...).

    >>> from kbackend import metrics
    >>> [float(v) for v in metrics.top_k_categorical_accuracy([[1, 0, 0]], [[0.3, 0.6, 0.1]], k=2)]
    [1.0]
    """
    return _among_top(K.argmax(as_tensor(y_true), axis=-1), as_tensor(y_pred), k)


@traced
def sparse_top_k_categorical_accuracy(
    y_true: TensorLike, y_pred: TensorLike, k: int = 5, from_sorted_ids: bool = False
) -> Any:
    """``sum(y_pred > y_pred[y_true]) < k``: 1 where a label is among the k largest predictions, else 0.

    Args:
        y_true: labels (...), or with a last dimension of 1.
        y_pred: numbers (..., n); or classes from the most to the least likely one.
        k: how many.
        from_sorted_ids: whether ``y_pred`` is classes.

    Returns:
        A float tensor (...).

    >>> from kbackend import metrics
    >>> [float(v) for v in metrics.sparse_top_k_categorical_accuracy([0], [[0.3, 0.6, 0.1]], k=2)]
    [1.0]
    """
    y_true, y_pred = as_tensor(y_true), as_tensor(y_pred)
    if len(y_true.shape) == len(y_pred.shape):
        y_true = K.squeeze(y_true, -1)
    if not from_sorted_ids:
        return _among_top(y_true, y_pred, k)
    labels = K.expand_dims(as_dtype(y_true, K.dtype(y_pred)), -1)
    return _float(K.any(K.equal(labels, y_pred[..., :k]), axis=-1))


class Accuracy(MeanMetricWrapper):
    """The mean of :func:`accuracy`.

    >>> from kbackend import metrics
    >>> float(metrics.Accuracy()([1, 2, 3, 4], [0, 2, 3, 4], sample_weight=[1, 1, 0, 0]))
    0.5
    """

    def __init__(self, name: str | None = "accuracy", dtype: Any = None) -> None:
        super().__init__(accuracy, name, dtype)


class BinaryAccuracy(MeanMetricWrapper):
    """The mean of :func:`binary_accuracy`; arguments as there.

    >>> from kbackend import metrics
    >>> float(metrics.BinaryAccuracy()([1, 1, 0, 0], [0.9, 0.4, 0.1, 0.6]))
    0.5
    """

    additive = True

    def __init__(self, name: str | None = "binary_accuracy", dtype: Any = None, threshold: Any = 0.5) -> None:
        super().__init__(_binary_matches, name, dtype, threshold=threshold)


class CategoricalAccuracy(MeanMetricWrapper):
    """The mean of :func:`categorical_accuracy`.

    >>> from kbackend import metrics
    >>> metric = metrics.CategoricalAccuracy()
    >>> _ = metric.update_state([[0.0, 1.0], [1.0, 0.0]], [[0.2, 0.8], [0.1, 0.9]])
    >>> round(float(metric.result()), 4)
    0.5
    """

    def __init__(self, name: str | None = "categorical_accuracy", dtype: Any = None) -> None:
        super().__init__(categorical_accuracy, name, dtype)


class SparseCategoricalAccuracy(MeanMetricWrapper):
    """The mean of :func:`sparse_categorical_accuracy`.

    >>> from kbackend import metrics
    >>> metric = metrics.SparseCategoricalAccuracy()
    >>> _ = metric.update_state([1, 0], [[0.2, 0.8], [0.1, 0.9]])
    >>> round(float(metric.result()), 4)
    0.5
    """

    def __init__(self, name: str | None = "sparse_categorical_accuracy", dtype: Any = None) -> None:
        super().__init__(sparse_categorical_accuracy, name, dtype)


class TopKCategoricalAccuracy(MeanMetricWrapper):
    """The mean of :func:`top_k_categorical_accuracy`; arguments as there.

    >>> from kbackend import metrics
    >>> metric = metrics.TopKCategoricalAccuracy(k=2)
    >>> _ = metric.update_state([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]], [[0.2, 0.5, 0.3], [0.1, 0.5, 0.4]])
    >>> round(float(metric.result()), 4)
    0.5
    """

    def __init__(self, k: int = 5, name: str | None = "top_k_categorical_accuracy", dtype: Any = None) -> None:
        super().__init__(top_k_categorical_accuracy, name, dtype, k=k)


class SparseTopKCategoricalAccuracy(MeanMetricWrapper):
    """The mean of :func:`sparse_top_k_categorical_accuracy`; arguments as there.

    >>> from kbackend import metrics
    >>> metric = metrics.SparseTopKCategoricalAccuracy(k=2)
    >>> _ = metric.update_state([1, 0], [[0.2, 0.5, 0.3], [0.1, 0.5, 0.4]])
    >>> round(float(metric.result()), 4)
    0.5
    """

    def __init__(
        self,
        k: int = 5,
        name: str | None = "sparse_top_k_categorical_accuracy",
        dtype: Any = None,
        from_sorted_ids: bool = False,
    ) -> None:
        super().__init__(
            sparse_top_k_categorical_accuracy, name, dtype, k=k, from_sorted_ids=from_sorted_ids
        )
