"""The losses of probabilities as objects."""

from __future__ import annotations

from typing import Any

from kbackend.ground.arguments import named
from kbackend.losses.base import LossFunctionWrapper
from kbackend.losses.crossentropy import (
    binary_crossentropy,
    binary_focal_crossentropy,
    categorical_crossentropy,
    categorical_focal_crossentropy,
    categorical_generalized_cross_entropy,
    ctc,
    kl_divergence,
    sparse_categorical_crossentropy,
)


class CategoricalCrossentropy(LossFunctionWrapper):
    """:func:`categorical_crossentropy` as an object; arguments as there and :class:`kbackend.losses.Loss`.

    >>> from kbackend import losses
    >>> round(float(losses.CategoricalCrossentropy()([[0.0, 1.0]], [[0.25, 0.75]])), 4)
    0.2877
    """

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: Any = 0.0,
        axis: int = -1,
        reduction: Any = "sum_over_batch_size",
        name: str | None = "categorical_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(categorical_crossentropy, **named(locals()))


class SparseCategoricalCrossentropy(LossFunctionWrapper):
    """:func:`sparse_categorical_crossentropy` as an object; arguments as there and :class:`kbackend.losses.Loss`.

    >>> from kbackend import losses
    >>> round(float(losses.SparseCategoricalCrossentropy(from_logits=True)([1], [[0.0, 2.0]])), 4)
    0.1269
    """

    def __init__(
        self,
        from_logits: bool = False,
        ignore_class: Any = None,
        reduction: Any = "sum_over_batch_size",
        axis: int = -1,
        name: str | None = "sparse_categorical_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(sparse_categorical_crossentropy, **named(locals()))


class BinaryCrossentropy(LossFunctionWrapper):
    """:func:`binary_crossentropy` as an object; arguments as there and :class:`kbackend.losses.Loss`.

    >>> from kbackend import losses
    >>> round(float(losses.BinaryCrossentropy()([[1.0, 0.0]], [[0.9, 0.2]])), 4)
    0.1643
    """

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: Any = 0.0,
        axis: int = -1,
        reduction: Any = "sum_over_batch_size",
        name: str | None = "binary_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(binary_crossentropy, **named(locals()))


class BinaryFocalCrossentropy(LossFunctionWrapper):
    """:func:`binary_focal_crossentropy` as an object; arguments as there and :class:`kbackend.losses.Loss`.

    >>> from kbackend import losses
    >>> round(float(losses.BinaryFocalCrossentropy(gamma=2.0)([[1.0, 0.0]], [[0.9, 0.2]])), 4)
    0.005
    """

    def __init__(
        self,
        apply_class_balancing: bool = False,
        alpha: Any = 0.25,
        gamma: Any = 2.0,
        from_logits: bool = False,
        label_smoothing: Any = 0.0,
        axis: int = -1,
        reduction: Any = "sum_over_batch_size",
        name: str | None = "binary_focal_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(binary_focal_crossentropy, **named(locals()))


class CategoricalFocalCrossentropy(LossFunctionWrapper):
    """:func:`categorical_focal_crossentropy` as an object; arguments as there and :class:`kbackend.losses.Loss`.

    >>> from kbackend import losses
    >>> round(float(losses.CategoricalFocalCrossentropy()([[0.0, 1.0]], [[0.25, 0.75]])), 4)
    0.0045
    """

    def __init__(
        self,
        alpha: Any = 0.25,
        gamma: Any = 2.0,
        from_logits: bool = False,
        label_smoothing: Any = 0.0,
        axis: int = -1,
        reduction: Any = "sum_over_batch_size",
        name: str | None = "categorical_focal_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(categorical_focal_crossentropy, **named(locals()))


class CategoricalGeneralizedCrossEntropy(LossFunctionWrapper):
    """:func:`categorical_generalized_cross_entropy` as an object; arguments as there and :class:`kbackend.losses.Loss`.

    Raises:
        ValueError: q is not in (0, 1).

    >>> from kbackend import losses
    >>> round(float(losses.CategoricalGeneralizedCrossEntropy(q=0.5)([1], [[0.25, 0.75]])), 4)
    0.2679
    """

    def __init__(
        self,
        q: Any = 0.5,
        reduction: Any = "sum_over_batch_size",
        name: str | None = "categorical_generalized_cross_entropy",
        dtype: Any = None,
    ) -> None:
        if isinstance(q, (int, float)) and not 0 < q < 1:
            raise ValueError(f"q must lie in (0, 1), it is {q!r}")
        super().__init__(categorical_generalized_cross_entropy, **named(locals()))


class KLDivergence(LossFunctionWrapper):
    """:func:`kl_divergence` as an object; arguments as :class:`kbackend.losses.Loss`.

    >>> from kbackend import losses
    >>> round(float(losses.KLDivergence()([[0.5, 0.5]], [[0.25, 0.75]])), 4)
    0.1438
    """

    def __init__(
        self, reduction: Any = "sum_over_batch_size", name: str | None = "kl_divergence", dtype: Any = None
    ) -> None:
        super().__init__(kl_divergence, reduction, name, dtype)


class CTC(LossFunctionWrapper):
    """:func:`ctc` as an object; arguments as :class:`kbackend.losses.Loss`.

    >>> from kbackend import losses
    >>> round(float(losses.CTC()([[1, 2]], [[[0.0, 3.0, 0.0], [0.0, 0.0, 3.0], [3.0, 0.0, 0.0]]])), 4)
    0.2314
    """

    def __init__(
        self, reduction: Any = "sum_over_batch_size", name: str | None = "ctc", dtype: Any = None
    ) -> None:
        super().__init__(ctc, reduction, name, dtype)
