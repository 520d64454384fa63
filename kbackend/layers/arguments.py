"""Arguments that many layers take, checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import numpy as np

from kbackend import activations, config, constraints, initializers, regularizers
from kbackend.graph.tensor import Tensor
from kbackend.layers.base.naming import described


def positive(value: Any, name: str, layer: str) -> int:
    """A positive integer.

    Raises:
        ValueError: it is not one; the message names layer and argument.
    """
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
        raise ValueError(f"{layer}: {name} must be a positive integer, it is {value!r}")
    return int(value)


def set_roles(layer: Any, label: str | None = None, **given: Any) -> None:
    """Set the attributes ``kernel_initializer``, ``bias_regularizer``, ... of a layer from names, configurations or
    functions; ``add_weight`` finds them there.

    Args:
        layer: the layer.
        label: what errors call it; its name and class when None.
        given: the attributes.

    Raises:
        ValueError: an unknown name.
    """
    try:
        for name, value in given.items():
            setattr(layer, name, _getter(name)(value))
    except (TypeError, ValueError) as error:
        raise _labelled_error(label or described(layer), error) from None


def activation_of(layer: Any, activation: Any, label: str | None = None) -> Any:
    """A function, from itself or its name.

    Args:
        layer: the layer.
        activation: the function or its name.
        label: what errors call the layer; its name and class when None.

    Raises:
        ValueError: an unknown name.
    """
    try:
        return activations.get(activation)
    except (TypeError, ValueError) as error:
        raise _labelled_error(label or described(layer), error) from None


def data_format_of(layer: Any, data_format: Any, label: str | None = None) -> str:
    """The data format, the default of the process for None.

    Args:
        layer: the layer.
        data_format: the format.
        label: what errors call the layer; its name and class when None.

    Raises:
        ValueError: an unknown format.
    """
    try:
        return config.normalize_data_format(data_format)
    except (TypeError, ValueError) as error:
        raise _labelled_error(label or described(layer), error) from None


def _labelled_error(label: str, error: Exception) -> Exception:
    return type(error)(f"{label}: {error}")


_GETTERS = {"initializer": initializers.get, "regularizer": regularizers.get, "constraint": constraints.get}


@cache
def _getter(name: str) -> Callable[[Any], Any]:
    """What makes the attribute of a name from an argument."""
    return _GETTERS[name.rpartition("_")[2]]


def per_dimension(value: Any, count: int, name: str, layer: str) -> tuple[int, ...]:
    """One positive integer for each dimension, from one or from a sequence.

    Raises:
        ValueError: another number of entries, or entries that are not positive integers.
    """
    parts = tuple(value) if isinstance(value, (list, tuple)) else (value,) * count
    if len(parts) != count:
        raise ValueError(f"{layer}: {name} must be an integer or {count} of them, it is {value!r}")
    return tuple(positive(part, name, layer) for part in parts)


def pairs(value: Any, count: int, name: str, layer: str) -> tuple[tuple[int, int], ...]:
    """A pair (before, after) of integers from 0 on for each dimension: from one integer, or for each dimension one
    integer or a pair.

    Raises:
        ValueError: another number of entries, or entries that are neither.
    """
    parts = [value] * count if _is_integer(value) else value
    if count == 1 and isinstance(value, (list, tuple)) and all(map(_is_integer, value)):
        parts = [value]
    found = [(p, p) if _is_integer(p) else p for p in parts] if isinstance(parts, (list, tuple)) else []
    if len(found) != count or not all(_is_pair(p) for p in found):
        raise ValueError(
            f"{layer}: {name} must be an integer from 0 on, or for each of {count} dimensions an integer or a pair "
            f"(before, after), it is {value!r}"
        )
    return tuple((int(a), int(b)) for a, b in found)


def integers(value: Any, name: str, layer: str) -> tuple[int, ...]:
    """Integers, from a list, tuple or array of them.

    Raises:
        ValueError: anything else.
    """
    parts = value.tolist() if isinstance(value, np.ndarray) else value
    if not isinstance(parts, (list, tuple)) or not all(map(_is_integer, parts)):
        raise ValueError(f"{layer}: {name} must be a list of integers, it is {value!r}")
    return tuple(int(part) for part in parts)


def mapping(value: Any, name: str, layer: str) -> dict[str, Any]:
    """A dict of values by name; an empty one for None.

    Raises:
        ValueError: anything else.
    """
    if value is not None and not isinstance(value, Mapping):
        raise ValueError(f"{layer}: {name} must be a dict, it is {value!r}")
    return dict(value or {})


def _is_integer(value: Any) -> bool:
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


def _is_pair(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and len(value) == 2 and all(_is_integer(v) and v >= 0 for v in value)


def one_of(value: Any, choices: tuple[str, ...], name: str, layer: str) -> str:
    """A lower-case choice.

    Raises:
        ValueError: not one of the choices.
    """
    chosen = value.lower() if isinstance(value, str) else value
    if chosen not in choices:
        raise ValueError(f"{layer}: {name} must be one of {', '.join(choices)}, it is {value!r}")
    return chosen


def rate(value: Any, layer: str) -> Any:
    """A probability: a number in [0, 1], or a scalar variable or tensor.

    Raises:
        ValueError: a number outside [0, 1], or a tensor that is not a scalar.
    """
    if isinstance(value, Tensor):
        if value.shape != ():
            raise ValueError(f"{layer}: the rate must be a scalar, {value.name!r} has shape {value.shape}")
        return value
    if isinstance(value, bool) or not isinstance(value, (int, float, np.number)) or not 0 <= value <= 1:
        raise ValueError(f"{layer}: the rate must be in [0, 1], it is {value!r}")
    return float(value)


def scalar(value: Any, name: str, layer: str, least: float | None = None) -> Any:
    """A hyperparameter: a number, or a scalar variable or tensor.

    Raises:
        ValueError: neither, or a number below ``least``.
    """
    if isinstance(value, Tensor):
        if value.shape != ():
            raise ValueError(f"{layer}: {name} must be a scalar, {value.name!r} has shape {value.shape}")
        return value
    if isinstance(value, bool) or not isinstance(value, (int, float, np.number)):
        raise ValueError(f"{layer}: {name} must be a number, it is {value!r}")
    if least is not None and not value >= least:
        bound = "negative" if least == 0 else f"below {least}"
        raise ValueError(f"{layer}: {name} must not be {bound}, it is {value!r}")
    return value


def number(value: Any, name: str, layer: str) -> Any:
    """A number of which programs are made, so that it is no variable.

    Raises:
        ValueError: anything else.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float, np.number)):
        raise ValueError(f"{layer}: {name} must be a number, which stays as it is; it is {value!r}")
    return value


def is_zero(value: Any) -> bool:
    """Whether a rate is the number 0, so that nothing is to be done."""
    return not isinstance(value, Tensor) and value == 0
