"""Strings and integers hashed to bins."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from kbackend.declare.call import to_numpy
from kbackend.layers.arguments import one_of, positive
from kbackend.layers.preprocessing.categories import MODES, dense_only
from kbackend.layers.preprocessing.hashes import fingerprint, joined, siphash
from kbackend.layers.preprocessing.host import (
    HostLayer,
    encoded_shape,
    for_each,
    host_encoded,
    salted,
    texts,
    vector_dtype,
)

#: what the fingerprints of a crossing are joined to
_CROSSING_KEY = 0xDECAFCAFFE
_WORD = (1 << 64) - 1


def bin_of(bins: int, salt: tuple[int, int] | None) -> Callable[[str], int]:
    """The function from strings to bins: FarmHash, or SipHash with a salt."""
    if salt is None:
        return lambda text: fingerprint(text.encode()) % bins
    return lambda text: siphash(text.encode(), salt) % bins


class Hashing(HostLayer):
    """The bin of each string or integer, by its hash.

    Args:
        num_bins: the number of bins.
        mask_value: a value that has the bin 0 for itself.
        salt: an integer or two, the key of SipHash; FarmHash when None.
        output_mode: 'int'; 'one_hot', a vector for each value; 'multi_hot' or 'count', one for each sample along the
            last axis.
        sparse: not supported.

    Called on arrays or lists; gives int64 of their shape, or vectors of floatx. Bins are those of Keras.

    Raises:
        ValueError: no bins, an unknown mode, a salt that is none. TypeError: symbolic tensors.

    >>> from kbackend import layers
    >>> layers.Hashing(num_bins=3)(["A", "B", "C"]).tolist()
    [1, 0, 1]
    """

    arguments = ("num_bins", "mask_value", "salt", "output_mode", "sparse")

    def __init__(
        self,
        num_bins: int,
        mask_value: Any = None,
        salt: Any = None,
        output_mode: str = "int",
        sparse: bool = False,
        dtype: Any = None,
        **kwargs: Any,
    ) -> None:
        self.output_mode = output_mode
        super().__init__(dtype="int64" if dtype is None and output_mode == "int" else vector_dtype(dtype), **kwargs)
        self.num_bins = positive(num_bins, "num_bins", self.label)
        self.mask_value = mask_value
        self.salt = salted(salt, self.label)
        self.output_mode = one_of(output_mode, MODES, "output_mode", self.label)
        dense_only(sparse, self.label)
        self.sparse = sparse

    def call(self, inputs: Any) -> Any:
        values = texts(inputs)
        masked = self.mask_value is not None and self.num_bins > 1
        found = for_each(values, bin_of(self.num_bins - masked, self.salt))
        if masked:
            found = np.where(values == str(self.mask_value), 0, found + 1)
        return host_encoded(found.astype(np.int64), self.output_mode, self.num_bins, self.compute_dtype)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the result; the layer does not change."""
        return encoded_shape(input_shape, self.output_mode, self.num_bins)


class HashedCrossing(HostLayer):
    """The bin of each combination of several features, by a hash.

    Args:
        num_bins: the number of bins.
        output_mode: 'int', or 'one_hot'.
        sparse: not supported.

    Shapes: a list of arrays of strings or integers, each (batch,) or (batch, 1), to the same. Bins are those of Keras.

    Raises:
        ValueError: fewer than two features, features of other shapes, an unknown mode.

    >>> from kbackend import layers
    >>> layers.HashedCrossing(num_bins=5)((["A", "B", "A"], [101, 101, 102])).tolist()
    [1, 4, 3]
    """

    arguments = ("num_bins", "output_mode", "sparse")

    def __init__(
        self,
        num_bins: int,
        output_mode: str = "int",
        sparse: bool = False,
        name: str | None = None,
        dtype: Any = None,
        **kwargs: Any,
    ) -> None:
        made = "int64" if dtype is None and output_mode == "int" else vector_dtype(dtype)
        super().__init__(name=name, dtype=made, **kwargs)
        self.num_bins = positive(num_bins, "num_bins", self.label)
        self.output_mode = one_of(output_mode, ("int", "one_hot"), "output_mode", self.label)
        dense_only(sparse, self.label)
        self.sparse = sparse

    def call(self, inputs: Any) -> Any:
        if not isinstance(inputs, (list, tuple)) or len(inputs) < 2:
            raise ValueError(f"{self.label} is called on a list of two or more features, it was given {inputs!r}")
        features = [_prints(feature, self.label) for feature in inputs]
        shapes = [f.shape for f in features]
        if len(set(shapes)) > 1 or features[0].ndim > 2 or (features[0].ndim == 2 and features[0].shape[1] != 1):
            raise ValueError(f"{self.label}: features must have one shape, (batch,) or (batch, 1); theirs are {shapes}")
        rows = zip(*(f.ravel().tolist() for f in features))
        found = np.array([self._crossed(row) for row in rows], np.int64).reshape(shapes[0])
        return host_encoded(found, self.output_mode, self.num_bins, self.compute_dtype)

    def _crossed(self, prints: tuple[int, ...]) -> int:
        result = _CROSSING_KEY
        for value in prints:
            result = joined(result, value)
        return result % self.num_bins

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the result; the layer does not change."""
        return encoded_shape(input_shape[0], self.output_mode, self.num_bins)


def _prints(feature: Any, label: str) -> np.ndarray:
    """The fingerprints of strings; integers are their own."""
    array = to_numpy(feature) if hasattr(feature, "shape") else np.asarray(feature)
    if array.dtype.kind in "iu":
        made = [v & _WORD for v in array.ravel().tolist()]
    elif array.dtype.kind in "USO":
        made = [fingerprint(text.encode()) for text in texts(array).ravel()]
    else:
        raise ValueError(f"{label}: features must be strings or integers, one is {array.dtype}")
    found = np.empty(len(made), object)
    found[:] = made
    return found.reshape(array.shape)


__all__ = ["HashedCrossing", "Hashing"]
