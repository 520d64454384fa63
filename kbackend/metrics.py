"""Metrics: functions ``(y_true, y_pred)`` of one value for each sample; every loss function is a metric too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kbackend import config, losses, registry
from kbackend.ground.suggest import suggest_in as _suggest_in
from kbackend.ops.arrays.reshape import squeeze_axis
from kbackend.ops.core.cast import cast
from kbackend.ops.elementwise.comparison import equal, greater
from kbackend.ops.reduction.arg import argmax_along
from kbackend.ops.reduction.reductions import mean

MetricFunction = Callable[[Any, Any], Any]


def _as_float(condition: Any) -> Any:
    return cast(condition, config.floatx())


def binary_accuracy(y_true: Any, y_pred: Any, threshold: float = 0.5) -> Any:
    """The part of the last axis where ``y_pred > threshold`` agrees with the target."""
    decided = cast(greater(y_pred, threshold), y_true.dtype)
    return mean(_as_float(equal(y_true, decided)), axis=-1)


def categorical_accuracy(y_true: Any, y_pred: Any) -> Any:
    """1 where the largest prediction is at the largest target along the last axis, else 0."""
    return _as_float(equal(argmax_along(y_true, axis=-1), argmax_along(y_pred, axis=-1)))


def sparse_categorical_accuracy(y_true: Any, y_pred: Any) -> Any:
    """1 where the largest prediction is at the target's label, else 0."""
    if y_true.ndim == y_pred.ndim:
        y_true = squeeze_axis(y_true, -1)
    best = argmax_along(y_pred, axis=-1)
    return _as_float(equal(cast(y_true, best.dtype), best))


_FUNCTIONS: dict[str, MetricFunction] = {
    "binary_accuracy": binary_accuracy,
    "categorical_accuracy": categorical_accuracy,
    "sparse_categorical_accuracy": sparse_categorical_accuracy,
}


def get(identifier: Any, output: Any = None, loss: Any = None) -> tuple[str, MetricFunction]:
    """The name and function of a metric.

    'accuracy' (or 'acc') means binary, sparse or categorical accuracy, as the output's last dimension and its loss
    suggest.

    Raises:
        ValueError: an unknown name, with the known ones.
    """
    if identifier in ("accuracy", "acc", "crossentropy", "ce"):
        kind = _kind(output, loss)
        function = (
            _FUNCTIONS[f"{kind}_accuracy"]
            if identifier.startswith("acc")
            else losses.get(f"{kind}_crossentropy")
        )
        return str(identifier), function
    if isinstance(identifier, str):
        if identifier in _FUNCTIONS:
            return identifier, _FUNCTIONS[identifier]
        try:
            return identifier, losses.get(identifier)
        except ValueError:
            known = ("accuracy", *_FUNCTIONS, *losses._FUNCTIONS)
            raise registry.unknown("metric", identifier, known) from None
    if callable(identifier):
        name = getattr(identifier, "__name__", None) or getattr(identifier, "name", "metric")
        return str(name), identifier
    raise ValueError(f"a metric is a name or a function (y_true, y_pred), not {identifier!r}")


def _kind(output: Any, loss: Any) -> str:
    if output is not None and output.shape and output.shape[-1] == 1 or loss is losses.binary_crossentropy:
        return "binary"
    return "sparse_categorical" if losses.takes_labels(loss) else "categorical"

_suggest_in(__name__)
