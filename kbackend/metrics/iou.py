"""Intersection over union of classes, from a matrix of counts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kbackend import backend as K
from kbackend import config
from kbackend.metrics.base import Metric
from kbackend.metrics.confusion import _snake
from kbackend.ops.core.arguments import as_tensor
from kbackend.ops.core.cast import as_positions
from kbackend.ops.elementwise.precision import as_dtype


class IoU(Metric):
    """The mean over some classes of ``both / (targets + predictions - both)``, where ``both`` counts the samples that
    have and are predicted to have the class. Classes that no sample has or is predicted to have are left out.

    Args:
        num_classes: the number of classes; larger labels are not counted.
        target_class_ids: the classes.
        name, dtype: see :class:`kbackend.metrics.Metric`; counts are integers where the dtype is None.
        ignore_class: a label that is not counted.
        sparse_y_true, sparse_y_pred: whether targets and predictions are labels, not scores of classes.
        axis: the axis of the scores.

    Raises:
        ValueError: a class that is not in [0, num_classes).

    >>> from kbackend import metrics
    >>> iou = metrics.IoU(num_classes=2, target_class_ids=[0])
    >>> round(float(iou([0, 0, 1, 1], [0, 1, 0, 1])), 4)
    0.3333
    """

    additive = True

    def __init__(
        self,
        num_classes: int,
        target_class_ids: Sequence[int],
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ) -> None:
        ids = [int(i) for i in target_class_ids]
        if not ids or min(ids) < 0 or max(ids) >= num_classes:
            raise ValueError(f"target_class_ids must lie in [0, {num_classes}), they are {ids}")
        super().__init__(dtype, name or _snake(type(self).__name__.replace("IoU", "Iou")))
        self.num_classes, self.target_class_ids, self.ignore_class = num_classes, ids, ignore_class
        self.sparse_y_true, self.sparse_y_pred, self.axis = sparse_y_true, sparse_y_pred, axis
        self.total_cm = self.add_variable((num_classes, num_classes), name="total_confusion_matrix")

    @property
    def dtype(self) -> str:
        """Of the counts."""
        return self._dtype or "int32"

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Take targets and predictions: labels, or scores of classes along the axis.

        ``sample_weight`` has the shape of the labels; its numbers are truncated to the dtype.
        """
        y_true = self._labels(y_true, self.sparse_y_true)
        y_pred = self._labels(y_pred, self.sparse_y_pred)
        weight = K.ones_like(y_true) if sample_weight is None else as_tensor(sample_weight)
        weight = K.reshape(as_dtype(weight, self.dtype), (-1,))
        counted = [y >= 0 for y in (y_true, y_pred)] + [y < self.num_classes for y in (y_true, y_pred)]
        if self.ignore_class is not None:
            counted.append(K.not_equal(y_true, self.ignore_class))
        valid = counted[0]
        for condition in counted[1:]:
            valid = K.logical_and(valid, condition)
        place = K.where(valid, y_true * self.num_classes + y_pred, K.zeros_like(y_true) - 1)
        sums = K.segment_sum(weight, place, self.num_classes**2)  # negative segments are dropped
        self.total_cm.assign_add(K.reshape(sums, (self.num_classes, self.num_classes)))

    def _labels(self, y: Any, sparse: bool) -> Any:
        y = as_tensor(y)
        return K.reshape(as_positions(y if sparse else K.argmax(y, axis=self.axis)), (-1,))

    def result(self) -> Any:
        """The mean over the classes; 0 before any data."""
        matrix = as_dtype(self.total_cm, "float32")
        both = K.diag(matrix)
        either = K.sum(matrix, axis=0) + K.sum(matrix, axis=1) - both
        both, either = (K.stack([x[i] for i in self.target_class_ids]) for x in (both, either))
        found = either > 1e-9
        shares = K.where(found, both / (either + config.epsilon()), K.zeros_like(both))
        return K.sum(shares) / (K.sum(as_dtype(found, "float32")) + config.epsilon())

    #: the arguments of the configuration beside name and dtype
    settings: tuple[str, ...] = (
        "num_classes", "target_class_ids", "ignore_class", "sparse_y_true", "sparse_y_pred", "axis",
    )  # fmt: skip

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **{name: getattr(self, name) for name in self.settings}}


class BinaryIoU(IoU):
    """:class:`IoU` of two classes, where predictions of at least a threshold are the second one.

    Args:
        target_class_ids: the classes, 0 and 1.
        threshold: a number.
        name, dtype: see :class:`kbackend.metrics.Metric`.

    >>> from kbackend import metrics
    >>> round(float(metrics.BinaryIoU(threshold=0.3)([0, 1, 0, 1], [0.1, 0.2, 0.4, 0.7])), 4)
    0.3333
    """

    settings = ("target_class_ids", "threshold")
    additive = True

    def __init__(
        self,
        target_class_ids: Sequence[int] = (0, 1),
        threshold: float = 0.5,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(2, target_class_ids, name, dtype)
        self.threshold = threshold

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Take targets 0 or 1 and predictions of the same shape."""
        decided = as_dtype(as_dtype(as_tensor(y_pred), "float32") >= self.threshold, "int32")
        super().update_state(y_true, decided, sample_weight)


class MeanIoU(IoU):
    """:class:`IoU` of all classes; arguments as there.

    >>> from kbackend import metrics
    >>> round(float(metrics.MeanIoU(num_classes=2)([0, 0, 1, 1], [0, 1, 0, 1])), 4)
    0.3333
    """

    settings: tuple[str, ...] = ("num_classes", "ignore_class", "sparse_y_true", "sparse_y_pred", "axis")

    def __init__(
        self,
        num_classes: int,
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ) -> None:
        ids = range(num_classes)
        super().__init__(num_classes, ids, name, dtype, ignore_class, sparse_y_true, sparse_y_pred, axis)


class OneHotIoU(IoU):
    """:class:`IoU` of one-hot targets; arguments as there.

    >>> from kbackend import metrics
    >>> iou = metrics.OneHotIoU(num_classes=2, target_class_ids=[0])
    >>> round(float(iou([[1, 0], [0, 1]], [[0.6, 0.4], [0.7, 0.3]])), 4)
    0.5
    """

    settings = ("num_classes", "target_class_ids", "ignore_class", "sparse_y_pred", "axis")

    def __init__(
        self,
        num_classes: int,
        target_class_ids: Sequence[int],
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_pred: bool = False,
        axis: int = -1,
    ) -> None:
        super().__init__(
            num_classes, target_class_ids, name, dtype, ignore_class, False, sparse_y_pred, axis
        )


class OneHotMeanIoU(MeanIoU):
    """:class:`MeanIoU` of one-hot targets; arguments as there.

    >>> from kbackend import metrics
    >>> round(float(metrics.OneHotMeanIoU(num_classes=2)([[1, 0], [0, 1]], [[0.6, 0.4], [0.7, 0.3]])), 4)
    0.25
    """

    settings = ("num_classes", "ignore_class", "sparse_y_pred", "axis")

    def __init__(
        self,
        num_classes: int,
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_pred: bool = False,
        axis: int = -1,
    ) -> None:
        super().__init__(num_classes, name, dtype, ignore_class, False, sparse_y_pred, axis)
