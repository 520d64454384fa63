"""Activation functions by Keras's names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kbackend import backend as K
from kbackend import registry
from kbackend.ground.suggest import suggest_in as _suggest_in
from kbackend.ops.elementwise.hyperbolic import tanh
from kbackend.ops.nn.sigmoid import sigmoid, softplus, softsign
from kbackend.ops.nn.softmax import softmax

_SELU_ALPHA = 1.6732632423543772
_SELU_SCALE = 1.0507009873554805


def linear(x: Any) -> Any:
    """``x``."""
    return x


def relu(x: Any, alpha: Any = 0.0, max_value: Any = None, threshold: Any = 0.0) -> Any:
    """``max(x, 0)``; see ``K.relu`` for the slope below, the ceiling and the threshold."""
    return K.relu(x, alpha=alpha, max_value=max_value, threshold=threshold)


def elu(x: Any, alpha: Any = 1.0) -> Any:
    """``x`` above 0, ``alpha * (exp(x) - 1)`` below. Source: Clevert et al. 2015."""
    return K.elu(x, alpha)


def selu(x: Any) -> Any:
    """A scaled elu that keeps mean 0 and variance 1. Source: Klambauer et al. 2017."""
    return K.elu(x, _SELU_ALPHA) * _SELU_SCALE


def hard_sigmoid(x: Any) -> Any:
    """``0.2 x + 0.5``, clipped to [0, 1]."""
    return K.hard_sigmoid(x)


def exponential(x: Any) -> Any:
    """``exp(x)``."""
    return K.exp(x)


_BUILTIN: dict[str, Any] = {
    f.__name__: f
    for f in (linear, relu, elu, selu, softmax, softplus, softsign, tanh, sigmoid, hard_sigmoid, exponential)
}


def get(identifier: Any) -> Callable[..., Any]:
    """An activation from a name or a function; ``linear`` for None.

    Raises:
        ValueError: an unknown name.

    >>> from kbackend import activations
    >>> activations.get("relu") is activations.relu
    True
    """
    if identifier is None:
        return linear
    if callable(identifier):
        return identifier
    return registry.make(identifier, _BUILTIN, "activation")


def serialize(activation: Any) -> Any:
    """The activation's name."""
    return registry.plain(activation)


def deserialize(name: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The activation of a name."""
    with registry.custom_object_scope(custom_objects):
        return get(name)


__all__ = [*_BUILTIN, "deserialize", "get", "serialize"]

_suggest_in(__name__)
