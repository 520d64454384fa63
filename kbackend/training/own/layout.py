"""What the data of a step of one's own looks like: placeholders in the structure in which the data is given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from kbackend import config, dtypes
from kbackend.classic.state import placeholder
from kbackend.graph.tensor import Shape, Tensor
from kbackend.ground.tree import tree_leaves
from kbackend.training import data
from kbackend.training.data import DataError

_PARTS = ("x", "y", "sample_weight")


@dataclass(frozen=True)
class Leaf:
    """The shape, with a free first dimension, and the dtype of an array."""

    shape: Shape
    dtype: str


@dataclass(frozen=True)
class Layout:
    """The structures of x, y and sample_weight, with a :class:`Leaf` for each array, None for what is not given.

    Dicts stand as tuples of pairs ("dict", (key, part), ...), lists and tuples as ("list", part, ...).
    """

    x: Any
    y: Any = None
    sample_weight: Any = None

    def placeholders(self, name: str) -> tuple[list[Tensor], Any]:
        """Placeholders, flat, and as the data of a step: x, (x, y) or (x, y, sample_weight)."""
        feeds: list[Tensor] = []

        def make(part: Any, label: str) -> Any:
            if part is None:
                return None
            if isinstance(part, Leaf):
                feeds.append(placeholder(part.shape, dtype=part.dtype, name=label))
                return feeds[-1]
            kind, *parts = part
            if kind == "dict":
                return {key: make(inner, f"{label}_{key}") for key, inner in parts}
            return [make(inner, f"{label}_{i}") for i, inner in enumerate(parts)]

        x, y, weight = (make(getattr(self, part), f"{name}_{part}") for part in _PARTS)
        if y is None and weight is None:
            return feeds, (x,) if isinstance(x, list) else x
        return feeds, (x, y) if weight is None else (x, y, weight)

    def plain(self) -> dict[str, Any]:
        """As plain values, for files."""
        return {part: _plain(getattr(self, part)) for part in _PARTS}

    @classmethod
    def of_plain(cls, value: Any) -> Layout:
        """What :meth:`plain` gave.

        Raises:
            ValueError: it is no layout.
        """
        if not isinstance(value, Mapping) or set(value) != set(_PARTS):
            raise ValueError(f"{str(value)[:80]!r} is no layout of data")
        return cls(*(_from_plain(value[part]) for part in _PARTS))


def _plain(part: Any) -> Any:
    if isinstance(part, Leaf):
        return {"shape": list(part.shape), "dtype": part.dtype}
    return part if part is None or isinstance(part, str) else [_plain(inner) for inner in part]


def _from_plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        shape, dtype = value.get("shape"), value.get("dtype")
        if not isinstance(shape, list) or not all(d is None or type(d) is int and d >= 0 for d in shape):
            raise ValueError(f"{str(shape)[:80]!r} is no shape")
        return Leaf(tuple(shape), dtypes.canonical(dtype))
    if isinstance(value, list) and value and value[0] in ("dict", "list"):
        if value[0] == "list":
            return ("list", *map(_from_plain, value[1:]))
        pairs = [v for v in value[1:] if isinstance(v, list) and len(v) == 2 and isinstance(v[0], str)]
        if len(pairs) == len(value) - 1:
            return ("dict", *((key, _from_plain(inner)) for key, inner in pairs))
    if value is None:
        return None
    raise ValueError(f"{str(value)[:80]!r} is no layout of data")


def laid_out(x: Any, y: Any = None, sample_weight: Any = None) -> tuple[list[list[np.ndarray]], Layout]:
    """The arrays of x, y and sample_weight, and their layout.

    Floating numbers become floatx, integers and booleans stay.

    Raises:
        DataError: no numbers, no samples, or another number of them in one array than in another.
    """
    parts = [_arrays(value, name) for name, value in zip(_PARTS, (x, y, sample_weight))]
    flat = [tree_leaves(part) if part is not None else [] for part in parts]
    lengths = {name: sorted({len(a) for a in arrays}) for name, arrays in zip(_PARTS, flat) if arrays}
    if len({n for sizes in lengths.values() for n in sizes}) > 1:
        raise DataError(f"all arrays must have the same number of samples; given were {lengths}")
    return flat, Layout(*(_layout(part) for part in parts))


def _arrays(value: Any, name: str) -> Any:
    if value is None:
        return None
    if isinstance(value, Mapping):
        return {str(key): _arrays(part, f"{name}[{key!r}]") for key, part in value.items()}
    if isinstance(value, (list, tuple)) and value and all(hasattr(part, "shape") for part in value):
        return [_arrays(part, f"{name}[{i}]") for i, part in enumerate(value)]
    try:
        array = np.asarray(data.array_of(value))
    except (TypeError, ValueError) as error:
        raise DataError(f"{name} cannot be used: {error}") from None
    if array.ndim == 0 or not len(array):
        raise DataError(f"{name} has no samples, its shape is {array.shape}")
    if array.dtype.kind not in "bifuc" and array.dtype.name != "bfloat16":
        raise DataError(f"{name} has the dtype {array.dtype}, numbers are needed")
    dtype = dtypes.canonical(array.dtype)
    wanted = config.floatx() if dtypes.is_float(dtype) else dtype
    return np.ascontiguousarray(array, dtype=dtypes.numpy_dtype(wanted))


def _layout(part: Any) -> Any:
    if isinstance(part, dict):
        return ("dict", *((key, _layout(inner)) for key, inner in part.items()))
    if isinstance(part, list):
        return ("list", *map(_layout, part))
    return None if part is None else Leaf((None, *part.shape[1:]), dtypes.canonical(part.dtype))


def unpacked(batch: Any) -> tuple[Any, Any, Any]:
    """x, y and sample_weight of the data of a step, None for those that there are not."""
    parts = batch if isinstance(batch, tuple) else (batch,)
    x, y, weight = (*parts, None, None)[:3]
    return x, y, weight


def flat_names(logs: Any, where: str) -> dict[str, Any]:
    """The values of a dict by name; those of dicts in it by their own names.

    Raises:
        TypeError: no dict with names.

    >>> flat_names({"loss": 1, "others": {"mae": 2}}, "f")
    {'loss': 1, 'mae': 2}
    """
    if not isinstance(logs, Mapping) or not all(isinstance(key, str) for key in logs):
        raise TypeError(f"{where} must return a dict of names and values, it returned {logs!r}")
    found: dict[str, Any] = {}
    for name, value in logs.items():
        found |= flat_names(value, where) if isinstance(value, Mapping) else {name: value}
    return found


__all__ = ["Layout", "Leaf", "flat_names", "laid_out", "unpacked"]
