"""Loss functions: one value for each sample, by Keras's names; and their classes.

A loss function takes ``(y_true, y_pred)`` and returns a tensor without the last axis.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kbackend import config, registry
from kbackend.ground.suggest import suggest_in as _suggest_in
from kbackend.ops.elementwise.arithmetic import abs_, add, divide, multiply, subtract
from kbackend.ops.elementwise.exponential import log
from kbackend.ops.elementwise.power import square
from kbackend.ops.elementwise.select import clip, maximum
from kbackend.ops.losses.crossentropy import (
    binary_crossentropy as binary_crossentropy_op,
)
from kbackend.ops.losses.crossentropy import (
    categorical_crossentropy as categorical_crossentropy_op,
)
from kbackend.ops.losses.crossentropy import (
    sparse_categorical_crossentropy as sparse_categorical_crossentropy_op,
)
from kbackend.ops.nn.sigmoid import softplus
from kbackend.ops.reduction.reductions import mean, sum_

LossFunction = Callable[[Any, Any], Any]


def mean_squared_error(y_true: Any, y_pred: Any) -> Any:
    """Mean of ``(y_pred - y_true)^2`` over the last axis."""
    return mean(square(subtract(y_pred, y_true)), axis=-1)


def mean_absolute_error(y_true: Any, y_pred: Any) -> Any:
    """Mean of ``|y_pred - y_true|`` over the last axis."""
    return mean(abs_(subtract(y_pred, y_true)), axis=-1)


def categorical_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1
) -> Any:
    """Crossentropy with one-hot targets along ``axis``; ``y_pred`` are probabilities unless ``from_logits``."""
    if label_smoothing:
        classes = y_pred.shape[axis]
        y_true = add(
            multiply(y_true, 1.0 - label_smoothing), label_smoothing / classes
        )
    return categorical_crossentropy_op(y_true, y_pred, from_logits=from_logits, axis=axis)


def sparse_categorical_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, axis: int = -1
) -> Any:
    """Crossentropy with integer targets; see :func:`categorical_crossentropy`."""
    return sparse_categorical_crossentropy_op(y_true, y_pred, from_logits=from_logits, axis=axis)


def binary_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, label_smoothing: float = 0.0
) -> Any:
    """Mean over the last axis of the crossentropy with targets in [0, 1]."""
    if label_smoothing:
        y_true = add(multiply(y_true, 1.0 - label_smoothing), 0.5 * label_smoothing)
    return mean(
        binary_crossentropy_op(y_true, y_pred, from_logits=from_logits), axis=-1
    )


def hinge(y_true: Any, y_pred: Any) -> Any:
    """Mean over the last axis of ``max(1 - y_true * y_pred, 0)``, targets -1 or 1."""
    return mean(
        maximum(subtract(1.0, multiply(y_true, y_pred)), 0.0), axis=-1
    )


def kl_divergence(y_true: Any, y_pred: Any) -> Any:
    """Sum over the last axis of ``y_true * log(y_true / y_pred)``, both clipped to [epsilon, 1]."""
    true = clip(y_true, config.epsilon(), 1.0)
    predicted = clip(y_pred, config.epsilon(), 1.0)
    return sum_(
        multiply(true, log(divide(true, predicted))), axis=-1
    )


def log_cosh(y_true: Any, y_pred: Any) -> Any:
    """Mean over the last axis of ``log(cosh(y_pred - y_true))``, without overflow."""
    difference = subtract(y_pred, y_true)
    stable = add(difference, softplus(multiply(difference, -2.0)))
    return mean(subtract(stable, 0.6931471805599453), axis=-1)


class Loss:
    """A configured loss function.

    Args:
        name: shown in messages.
        **options: passed to the function at each call.
    """

    function: LossFunction

    def __init__(self, name: str | None = None, **options: Any) -> None:
        self.name = name or type(self).__name__
        self.options = options

    def __call__(self, y_true: Any, y_pred: Any) -> Any:
        return type(self).function(y_true, y_pred, **self.options)

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name, **self.options}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Loss:
        return cls(**config)

    def __repr__(self) -> str:
        return registry.text(self)


class MeanSquaredError(Loss):
    function = staticmethod(mean_squared_error)


class MeanAbsoluteError(Loss):
    function = staticmethod(mean_absolute_error)


class CategoricalCrossentropy(Loss):
    function = staticmethod(categorical_crossentropy)


class SparseCategoricalCrossentropy(Loss):
    function = staticmethod(sparse_categorical_crossentropy)


class BinaryCrossentropy(Loss):
    function = staticmethod(binary_crossentropy)


_FUNCTIONS: dict[str, LossFunction] = {
    f.__name__: f
    for f in (
        mean_squared_error,
        mean_absolute_error,
        categorical_crossentropy,
        sparse_categorical_crossentropy,
        binary_crossentropy,
        hinge,
        kl_divergence,
        log_cosh,
    )
}
_FUNCTIONS |= {
    "mse": mean_squared_error,
    "MSE": mean_squared_error,
    "mae": mean_absolute_error,
    "MAE": mean_absolute_error,
    "kullback_leibler_divergence": kl_divergence,
    "kld": kl_divergence,
    "logcosh": log_cosh,
}
_CLASSES = {
    c.__name__: c
    for c in (
        MeanSquaredError,
        MeanAbsoluteError,
        CategoricalCrossentropy,
        SparseCategoricalCrossentropy,
        BinaryCrossentropy,
    )
}
mse = MSE = mean_squared_error
mae = MAE = mean_absolute_error


def get(identifier: Any) -> LossFunction:
    """The loss for a name, a function ``(y_true, y_pred)`` or a Loss.

    Raises:
        ValueError: an unknown name, with the known ones.
    """
    if callable(identifier):
        return identifier
    if isinstance(identifier, str):
        if identifier in _FUNCTIONS:
            return _FUNCTIONS[identifier]
        if identifier in _CLASSES:
            return _CLASSES[identifier]()
    raise registry.unknown("loss", identifier, {**_FUNCTIONS, **_CLASSES})


def takes_labels(loss: Any) -> bool:
    """Whether the loss wants integer labels, one for each prediction."""
    return loss is sparse_categorical_crossentropy or isinstance(loss, SparseCategoricalCrossentropy)

_suggest_in(__name__)
