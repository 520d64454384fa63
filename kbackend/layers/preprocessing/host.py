"""Layers that work on arrays of strings or integers on the host, in front of models."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import PurePath
from typing import Any

import numpy as np

from kbackend import config
from kbackend.declare.call import to_numpy
from kbackend.graph.tensor import Tensor
from kbackend.layers.base.layer import Layer
from kbackend.layers.base.naming import described


class HostLayer(Layer):
    """Base class: called on arrays, or lists of strings or integers, it returns NumPy arrays."""

    def __call__(self, inputs: Any, **kwargs: Any) -> Any:
        """Apply the layer to arrays or lists.

        Raises:
            TypeError: the inputs are symbolic tensors.
        """
        parts = inputs if isinstance(inputs, (list, tuple)) else [inputs]
        symbolic = next((t for t in parts if isinstance(t, Tensor)), None)
        if symbolic is not None:
            raise TypeError(
                f"{self.label} works on arrays on the host, it was called on the symbolic tensor {symbolic.name!r}; "
                "call it on the data, and the model on what it returns"
            )
        return self.call(inputs, **kwargs)

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Any:
        """The layer with these arguments.

        Raises:
            ValueError: a path in place of a vocabulary; a configuration comes from anywhere, and opens no files.
        """
        if isinstance(config.get("vocabulary"), (str, PurePath)):
            raise ValueError(
                f"{cls.__name__}: a configuration holds the tokens of a vocabulary and no path, it has "
                f"{config['vocabulary']!r}"
            )
        return super().from_config(config)

    @property
    def label(self) -> str:
        """What errors call the layer."""
        return described(self)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the result; the layer does not change."""
        return tuple(input_shape)


def texts(values: Any, encoding: str = "utf-8") -> np.ndarray:
    """An array of Python strings, from strings, bytes or integers."""
    array = to_numpy(values) if hasattr(values, "shape") else np.asarray(values)
    if array.dtype.kind == "f":
        array = array.astype(np.int64)
    made = [v.decode(encoding) if isinstance(v, bytes) else str(v) for v in array.ravel().tolist()]
    found = np.empty(len(made), object)
    found[:] = made
    return found.reshape(array.shape)


def for_each(values: np.ndarray, function: Callable[[Any], int]) -> np.ndarray:
    """An integer for each value; equal values are computed once."""
    flat = values.ravel().tolist()
    known = {value: function(value) for value in dict.fromkeys(flat)}
    return np.array([known[value] for value in flat], np.int64).reshape(values.shape)


def host_encoded(indices: np.ndarray, mode: str, depth: int, dtype: Any) -> np.ndarray:
    """Integers as vectors of a length; see :func:`kbackend.layers.preprocessing.categories.encoded`."""
    if mode == "int":
        return indices
    if indices.ndim == 0:
        indices = indices[None]
    if mode == "one_hot":
        if indices.ndim > 1 and indices.shape[-1] == 1:
            indices = indices[..., 0]
        return (indices[..., None] == np.arange(depth)).astype(dtype)
    rows = indices.reshape(-1, indices.shape[-1])
    counts = np.zeros((len(rows), depth), np.int64)
    kept = (rows >= 0) & (rows < depth)
    np.add.at(counts, (np.nonzero(kept)[0], rows[kept]), 1)
    counts = counts if mode == "count" else np.minimum(counts, 1)
    return counts.reshape(*indices.shape[:-1], depth).astype(dtype)


def encoded_shape(shape: Any, mode: str, depth: int | None) -> tuple[Any, ...]:
    """The shape of what :func:`host_encoded` gives."""
    shape = tuple(shape)
    if mode == "int":
        return shape
    if mode == "one_hot" and not (len(shape) > 1 and shape[-1] == 1):
        return (*shape, depth)
    return (*shape[:-1], depth)


def salted(salt: Any, label: str) -> tuple[int, int] | None:
    """The two words of a salt, which is an integer or two.

    Raises:
        ValueError: it is neither.
    """
    if salt is None:
        return None
    if isinstance(salt, (int, np.integer)) and not isinstance(salt, bool):
        return int(salt), int(salt)
    if isinstance(salt, (list, tuple)) and len(salt) == 2:
        return int(salt[0]), int(salt[1])
    raise ValueError(f"{label}: salt must be an integer or two, it is {salt!r}")


def vector_dtype(dtype: Any) -> str:
    """The dtype of vectors: floatx when None."""
    return config.floatx() if dtype is None else dtype


__all__: list[str] = []
