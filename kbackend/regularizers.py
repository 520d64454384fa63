"""Penalties on weights and activities that are added to the loss."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kbackend import registry
from kbackend.ground.suggest import suggest_in as _suggest_in
from kbackend.ops.elementwise.arithmetic import abs_, add, multiply
from kbackend.ops.elementwise.power import square
from kbackend.ops.reduction.reductions import sum_


class Regularizer:
    """Base class: ``regularizer(x)`` gives a scalar."""

    def __call__(self, x: Any) -> Any:
        raise NotImplementedError

    def get_config(self) -> dict[str, Any]:
        return {k: registry.plain(v) for k, v in vars(self).items()}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        return cls(**config)

    def __repr__(self) -> str:
        return registry.text(self)


class L1L2(Regularizer):
    """``l1 * sum |x| + l2 * sum x^2``; a factor may be a K.variable, which stays live.

    >>> from kbackend import K, regularizers
    >>> float(K.eval(regularizers.l2(0.5)(K.constant([1., 2.]))))
    2.5
    """

    def __init__(self, l1: Any = 0.0, l2: Any = 0.0) -> None:
        self.l1, self.l2 = l1, l2

    def __call__(self, x: Any) -> Any:
        terms = []
        if _is_used(self.l1):
            terms.append(multiply(sum_(abs_(x)), self.l1))
        if _is_used(self.l2):
            terms.append(multiply(sum_(square(x)), self.l2))
        if not terms:
            return multiply(sum_(x), 0.0)
        return terms[0] if len(terms) == 1 else add(*terms)


def _is_used(factor: Any) -> bool:
    return not isinstance(factor, (int, float)) or factor != 0


def l1(l: float = 0.01) -> L1L2:  # noqa: E741 - Keras's name
    """``l * sum |x|``."""
    return L1L2(l1=l)


def l2(l: float = 0.01) -> L1L2:  # noqa: E741
    """``l * sum x^2``."""
    return L1L2(l2=l)


def l1_l2(l1: float = 0.01, l2: float = 0.01) -> L1L2:
    """``l1 * sum |x| + l2 * sum x^2``."""
    return L1L2(l1, l2)


_BUILTIN: dict[str, Any] = {"L1L2": L1L2, "l1": l1, "l2": l2, "l1_l2": l1_l2}


def get(identifier: Any) -> Callable[[Any], Any] | None:
    """A regularizer from a name, a configuration or a function; None for None.

    Raises:
        ValueError: an unknown name.
    """
    if identifier is None or callable(identifier):
        return identifier
    found = registry.make(identifier, _BUILTIN, "regularizer")
    return found() if found in (l1, l2, l1_l2) else found


def serialize(regularizer: Any) -> Any:
    """The regularizer's configuration."""
    return registry.plain(regularizer)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The regularizer of a configuration."""
    with registry.custom_object_scope(custom_objects):
        return get(config)


__all__ = ["L1L2", "Regularizer", "deserialize", "get", "l1", "l1_l2", "l2", "serialize"]

_suggest_in(__name__)
