"""Penalties on weights and activities that are added to the loss."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kbackend import backend as K
from kbackend import registry
from kbackend.ground.public import Public
from kbackend.ground.suggest import suggest_in as _suggest_in


class Regularizer(Public):
    """Base class: ``regularizer(x)`` gives a scalar.

    Shapes: a weight or output of any shape, to a scalar.

    Raises:
        NotImplementedError: a subclass without ``__call__``, when it is called.

    >>> from kbackend import K, regularizers
    >>> class Largest(regularizers.Regularizer):
    ...     def __call__(self, x):
    ...         return 0.1 * K.max(K.abs(x))
    >>> round(float(K.eval(Largest()(K.constant([1.0, -2.0])))), 4)
    0.2
    """

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

    Args:
        l1, l2: numbers that are not negative, or K.variables.

    Raises:
        ValueError: a negative factor.

    >>> from kbackend import K, regularizers
    >>> float(K.eval(regularizers.l2(0.5)(K.constant([1., 2.]))))
    2.5
    """

    def __init__(self, l1: Any = 0.0, l2: Any = 0.0) -> None:
        self.l1, self.l2 = _factor("l1", l1), _factor("l2", l2)

    def __call__(self, x: Any) -> Any:
        terms = []
        if _is_used(self.l1):
            terms.append(K.sum(K.abs(x)) * self.l1)
        if _is_used(self.l2):
            terms.append(K.sum(K.square(x)) * self.l2)
        if not terms:
            return K.sum(x) * 0.0
        return terms[0] if len(terms) == 1 else terms[0] + terms[1]


def _is_used(factor: Any) -> bool:
    return not isinstance(factor, (int, float)) or factor != 0


def _factor(label: str, value: Any) -> Any:
    """A factor that is a number or a variable.

    Raises:
        ValueError: a number that is negative or not finite.
    """
    if isinstance(value, (int, float)) and not 0 <= value < float("inf"):
        raise ValueError(f"{label} must be a number that is not negative, it is {value!r}")
    return value


class L1(L1L2):
    """``l1 * sum |x|``.

    Args:
        l1: a number or a K.variable.
        l: Keras 2's name for ``l1``.

    >>> from kbackend import K, regularizers
    >>> float(K.eval(regularizers.L1(0.5)(K.constant([1., -2.]))))
    1.5
    """

    def __init__(self, l1: Any = 0.01, l: Any = None) -> None:  # noqa: E741 - Keras's name
        super().__init__(l1 if l is None else l, 0.0)

    def get_config(self) -> dict[str, Any]:
        return {"l1": registry.plain(self.l1)}


class L2(L1L2):
    """``l2 * sum x^2``.

    Args:
        l2: a number or a K.variable.
        l: Keras 2's name for ``l2``.

    >>> from kbackend import K, regularizers
    >>> round(float(K.eval(regularizers.L2(0.1)(K.constant([1.0, 2.0])))), 4)
    0.5
    """

    def __init__(self, l2: Any = 0.01, l: Any = None) -> None:  # noqa: E741
        super().__init__(0.0, l2 if l is None else l)

    def get_config(self) -> dict[str, Any]:
        return {"l2": registry.plain(self.l2)}


class OrthogonalRegularizer(Regularizer):
    """``factor * mean(|w[i] @ w[j]| / (norm(w[i]) * norm(w[j])))`` over the pairs of different rows, or columns, of
    a matrix.

    Args:
        factor: a number or a K.variable.
        mode: 'rows' or 'columns'.

    Raises:
        ValueError: another mode; when it is called, a tensor that is not of rank 2.

    >>> from kbackend import K, regularizers
    >>> float(K.eval(regularizers.OrthogonalRegularizer(0.5)(K.constant([[1., 0.], [2., 0.]]))))
    0.5
    """

    def __init__(self, factor: Any = 0.01, mode: str = "rows") -> None:
        if mode not in ("rows", "columns"):
            raise ValueError(f"mode must be 'rows' or 'columns', it is {mode!r}")
        self.factor, self.mode = _factor("factor", factor), mode

    def __call__(self, x: Any) -> Any:
        if len(x.shape) != 2:
            raise ValueError(f"OrthogonalRegularizer needs a matrix, the shape is {tuple(x.shape)}")
        rows = K.l2_normalize(x if self.mode == "rows" else K.transpose(x), axis=1)
        size = int(rows.shape[0])
        cosines = K.abs(K.dot(rows, K.transpose(rows))) * (1.0 - K.eye(size, dtype=K.dtype(x)))
        return self.factor * 0.5 * K.sum(cosines) / max(size * (size - 1) / 2.0, 1.0)


l1, l2, l1_l2, orthogonal_regularizer = L1, L2, L1L2, OrthogonalRegularizer

_BUILTIN: dict[str, Any] = {
    "L1": L1, "L2": L2, "L1L2": L1L2, "OrthogonalRegularizer": OrthogonalRegularizer,
    "l1": L1, "l2": L2, "l1_l2": L1L2, "orthogonal_regularizer": OrthogonalRegularizer,
}  # fmt: skip


def get(identifier: Any) -> Callable[[Any], Any] | None:
    """A regularizer from a name, a configuration or a function; None for None.

    Args:
        identifier: a name, a configuration, a class, a function, or None.

    Raises:
        ValueError: an unknown name.

    >>> from kbackend import regularizers
    >>> regularizers.get("l2")
    L2(l2=0.01)
    """
    if identifier is None or callable(identifier):
        return identifier() if isinstance(identifier, type) else identifier
    return registry.make(identifier, _BUILTIN, "regularizer")


def serialize(regularizer: Any) -> Any:
    """The regularizer's configuration.

    Args:
        regularizer: a Regularizer or a function.

    >>> from kbackend import regularizers
    >>> regularizers.serialize(regularizers.L2(0.5))
    {'class_name': 'L2', 'config': {'l2': 0.5}}
    """
    return registry.plain(regularizer)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The regularizer of a configuration.

    Args:
        config: a name, or a configuration as :func:`kbackend.regularizers.serialize` gives it.
        custom_objects: name -> class or function, known in addition.

    >>> from kbackend import regularizers
    >>> regularizers.deserialize({"class_name": "L2", "config": {"l2": 0.5}})
    L2(l2=0.5)
    """
    with registry.custom_object_scope(custom_objects):
        return get(config)


__all__ = [*_BUILTIN, "Regularizer", "deserialize", "get", "serialize"]

_suggest_in(__name__)
