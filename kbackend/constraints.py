"""Constraints: functions of a weight's new value, applied after each training step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kbackend import config, registry
from kbackend.ground.public import Public
from kbackend.ground.suggest import suggest_in as _suggest_in
from kbackend.ops.elementwise.arithmetic import add, divide, multiply
from kbackend.ops.elementwise.power import sqrt, square
from kbackend.ops.elementwise.select import clip, maximum
from kbackend.ops.reduction.reductions import sum_


class Constraint(Public):
    """Base class: ``constraint(w)`` gives the value that the weight takes.

    Shapes: a weight of any shape, to a value of that shape.

    Raises:
        NotImplementedError: a subclass without ``__call__``, when it is called.

    >>> from kbackend import K, constraints
    >>> class Bounded(constraints.Constraint):
    ...     def __call__(self, w):
    ...         return K.clip(w, -1.0, 1.0)
    >>> K.eval(Bounded()(K.constant([-3.0, 0.5]))).tolist()
    [-1.0, 0.5]
    """

    def __call__(self, w: Any) -> Any:
        raise NotImplementedError

    def get_config(self) -> dict[str, Any]:
        return {k: registry.plain(v) for k, v in vars(self).items()}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        return cls(**config)

    def __repr__(self) -> str:
        return registry.text(self)


def _norm(w: Any, axis: Any) -> Any:
    return sqrt(sum_(square(w), axis=axis, keepdims=True))


def _scaled(w: Any, wanted: Any, norm: Any) -> Any:
    return multiply(w, divide(wanted, add(norm, config.epsilon())))


class MaxNorm(Constraint):
    """Norms along ``axis`` are at most ``max_value``: ``w * clip(norm, 0, max_value) / (norm + K.epsilon())``.

    Args:
        max_value: the largest norm.
        axis: an axis or several, over which the norm is taken.

    >>> from kbackend import K, constraints
    >>> K.eval(constraints.max_norm(2.5)(K.constant([[3.0], [4.0]]))).round(4).tolist()
    [[1.5], [2.0]]
    """

    def __init__(self, max_value: float = 2, axis: Any = 0) -> None:
        self.max_value, self.axis = max_value, axis

    def __call__(self, w: Any) -> Any:
        norm = _norm(w, self.axis)
        return _scaled(w, clip(norm, 0.0, self.max_value), norm)


class NonNeg(Constraint):
    """``max(w, 0)``: negative values become 0.

    >>> from kbackend import K, constraints
    >>> K.eval(constraints.NonNeg()(K.constant([-1.0, 2.0]))).tolist()
    [0.0, 2.0]
    """

    def __call__(self, w: Any) -> Any:
        return maximum(w, 0.0)


class UnitNorm(Constraint):
    """Norms along ``axis`` are 1: ``w / (norm + K.epsilon())``.

    Args:
        axis: an axis or several, over which the norm is taken.

    >>> from kbackend import K, constraints
    >>> K.eval(constraints.UnitNorm(axis=0)(K.constant([[3.0], [4.0]]))).round(4).tolist()
    [[0.6000000238418579], [0.800000011920929]]
    """

    def __init__(self, axis: Any = 0) -> None:
        self.axis = axis

    def __call__(self, w: Any) -> Any:
        return _scaled(w, 1.0, _norm(w, self.axis))


class MinMaxNorm(Constraint):
    """Norms along ``axis`` move towards [min_value, max_value], by the part ``rate`` of the way:
    ``w * (rate * clip(norm, min_value, max_value) + (1 - rate) * norm) / (norm + K.epsilon())``.

    Args:
        min_value, max_value: the bounds of the norm.
        rate: the part of the way to the bounds, 1 for all of it.
        axis: an axis or several, over which the norm is taken.

    >>> from kbackend import K, constraints
    >>> K.eval(constraints.MinMaxNorm(0.0, 1.0)(K.constant([[3.0], [4.0]]))).round(4).tolist()
    [[0.6000000238418579], [0.800000011920929]]
    """

    def __init__(
        self, min_value: float = 0.0, max_value: float = 1.0, rate: float = 1.0, axis: Any = 0
    ) -> None:
        self.min_value, self.max_value, self.rate, self.axis = min_value, max_value, rate, axis

    def __call__(self, w: Any) -> Any:
        norm = _norm(w, self.axis)
        inside = clip(norm, self.min_value, self.max_value)
        wanted = add(
            multiply(inside, self.rate), multiply(norm, 1.0 - self.rate)
        )
        return _scaled(w, wanted, norm)


max_norm = MaxNorm
non_neg = NonNeg
unit_norm = UnitNorm
min_max_norm = MinMaxNorm
_BUILTIN: dict[str, Any] = {
    "MaxNorm": MaxNorm,
    "NonNeg": NonNeg,
    "UnitNorm": UnitNorm,
    "MinMaxNorm": MinMaxNorm,
    "max_norm": MaxNorm,
    "non_neg": NonNeg,
    "unit_norm": UnitNorm,
    "min_max_norm": MinMaxNorm,
    "maxnorm": MaxNorm,
    "nonneg": NonNeg,
    "unitnorm": UnitNorm,
}


def get(identifier: Any) -> Callable[[Any], Any] | None:
    """A constraint from a name, a configuration or a function; None for None.

    Args:
        identifier: a name, a configuration, a class, a function, or None.

    Raises:
        ValueError: an unknown name.

    >>> from kbackend import constraints
    >>> constraints.get("non_neg")
    NonNeg()
    """
    if identifier is None or callable(identifier):
        return identifier() if isinstance(identifier, type) else identifier
    return registry.make(identifier, _BUILTIN, "constraint")


def serialize(constraint: Any) -> Any:
    """The constraint's configuration.

    Args:
        constraint: a Constraint or a function.

    >>> from kbackend import constraints
    >>> constraints.serialize(constraints.NonNeg())
    {'class_name': 'NonNeg', 'config': {}}
    """
    return registry.plain(constraint)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The constraint of a configuration.

    Args:
        config: a name, or a configuration as :func:`kbackend.constraints.serialize` gives it.
        custom_objects: name -> class or function, known in addition.

    >>> from kbackend import constraints
    >>> constraints.deserialize({"class_name": "UnitNorm", "config": {"axis": 1}})
    UnitNorm(axis=1)
    """
    with registry.custom_object_scope(custom_objects):
        return get(config)


__all__ = [
    "Constraint",
    "MaxNorm",
    "MinMaxNorm",
    "NonNeg",
    "UnitNorm",
    "deserialize",
    "get",
    "max_norm",
    "min_max_norm",
    "non_neg",
    "serialize",
    "unit_norm",
]

_suggest_in(__name__)
