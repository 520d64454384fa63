"""Arguments that many layers take, checked."""

from __future__ import annotations

from typing import Any

import numpy as np

from kbackend.graph.tensor import Tensor


def positive(value: Any, name: str, layer: str) -> int:
    """A positive integer.

    Raises:
        ValueError: it is not one; the message names layer and argument.
    """
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
        raise ValueError(f"{layer}: {name} must be a positive integer, it is {value!r}")
    return int(value)


def per_dimension(value: Any, count: int, name: str, layer: str) -> tuple[int, ...]:
    """One positive integer for each dimension, from one or from a sequence.

    Raises:
        ValueError: another number of entries, or entries that are not positive integers.
    """
    parts = tuple(value) if isinstance(value, (list, tuple)) else (value,) * count
    if len(parts) != count:
        raise ValueError(f"{layer}: {name} must be an integer or {count} of them, it is {value!r}")
    return tuple(positive(part, name, layer) for part in parts)


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


def is_zero(value: Any) -> bool:
    """Whether a rate is the number 0, so that nothing is to be done."""
    return not isinstance(value, Tensor) and value == 0
