"""Training data: arrays, lists and dicts of them, brought into the order, rank and dtype of a model's tensors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from kbackend import dtypes
from kbackend.declare.call import to_numpy
from kbackend.graph.tensor import Tensor


class DataError(ValueError):
    """Data that does not fit the model; the message names the array, its shape and what is expected."""


def standardize(data: Any, tensors: Sequence[Tensor], names: Sequence[str], what: str) -> list[np.ndarray]:
    """One array for each tensor, checked and cast to its dtype.

    Args:
        data: an array, a list of arrays, or a dict by name.
        tensors: the placeholders that will be fed.
        names: the names by which a dict gives them.
        what: 'input', 'target' or 'sample weight', for messages.

    Raises:
        DataError: missing or surplus arrays, another rank or shape, a dtype that cannot be cast,
            unequal lengths, no samples.
    """
    arrays = _in_order(data, names, what)
    if len(arrays) != len(tensors):
        raise DataError(
            f"the model has {len(tensors)} {what}s ({', '.join(names)}), {len(arrays)} arrays were given"
        )
    checked = [_fitted(a, t, n, what) for a, t, n in zip(arrays, tensors, names)]
    if len({len(a) for a in checked}) > 1:
        lengths = ", ".join(f"{n}: {len(a)}" for n, a in zip(names, checked))
        raise DataError(f"all {what} arrays must have the same number of samples; given were {lengths}")
    return checked


def _in_order(data: Any, names: Sequence[str], what: str) -> list[Any]:
    if isinstance(data, Mapping):
        missing = [n for n in names if n not in data]
        surplus = [n for n in data if n not in names]
        if missing or surplus:
            raise DataError(
                f"{what}s by name: missing {missing}, unknown {surplus}; the model has {list(names)}"
            )
        return [data[n] for n in names]
    if isinstance(data, Iterator):
        raise DataError(f"{what}s cannot come from an iterator yet; give arrays")
    if isinstance(data, (list, tuple)) and not (len(names) == 1 and _is_number_list(data)):
        return list(data)
    return [data]


def _is_number_list(data: Sequence[Any]) -> bool:
    return len(data) == 0 or isinstance(data[0], (int, float, list)) or len(data) > 1


def _fitted(value: Any, tensor: Tensor, name: str, what: str) -> np.ndarray:
    try:
        array = to_numpy(value)
    except (TypeError, ValueError) as error:
        raise DataError(f"{what} {name!r} cannot be used: {error}") from None
    if array.ndim == 0:
        raise DataError(f"{what} {name!r} needs a first dimension for the samples, it is a single number")
    if array.ndim == len(tensor.shape) - 1 and tensor.shape[-1] in (1, None) and array.ndim <= 1:
        array = array[:, None]
    expected = (None, *tensor.shape[1:])
    if array.ndim != len(expected) or any(
        e is not None and e != g for e, g in zip(expected[1:], array.shape[1:])
    ):
        raise DataError(f"{what} {name!r} must have the shape {expected}, it has {array.shape}")
    if not len(array):
        raise DataError(f"{what} {name!r} has no samples, its shape is {array.shape}")
    return _cast(array, tensor.dtype, name, what)


def _cast(array: np.ndarray, dtype: str, name: str, what: str) -> np.ndarray:
    kind = array.dtype.kind
    if kind not in "bifu" and array.dtype.name != "bfloat16":
        raise DataError(f"{what} {name!r} has the dtype {array.dtype}, numbers are needed")
    if kind == "f" and dtypes.is_integer(dtype):
        raise DataError(
            f"{what} {name!r} must have the dtype {dtype}, it has {array.dtype}; cast it explicitly"
        )
    if kind in "iu" and dtypes.is_integer(dtype):
        try:
            array = array if array.dtype == dtypes.numpy_dtype(dtype) else dtypes.converted(array, dtype)
        except OverflowError as error:
            raise DataError(f"{what} {name!r}: {error}") from None
    return np.ascontiguousarray(array, dtype=dtypes.numpy_dtype(dtype))


def split(
    arrays: Sequence[Sequence[np.ndarray]], fraction: float
) -> tuple[list[list[np.ndarray]], list[list[np.ndarray]]]:
    """The last ``fraction`` of all samples apart, before any shuffle, as Keras does.

    Raises:
        DataError: the fraction is not in (0, 1), or leaves no sample on one side.
    """
    if not 0 < fraction < 1:
        raise DataError(f"validation_split must lie between 0 and 1, it is {fraction}")
    total = len(arrays[0][0])
    at = int(total * (1.0 - fraction))
    if at in (0, total):
        raise DataError(f"validation_split={fraction} of {total} samples leaves one side empty")
    return [[a[:at] for a in group] for group in arrays], [[a[at:] for a in group] for group in arrays]


def class_weighted(
    y: np.ndarray, class_weight: Mapping[int, float], weights: np.ndarray | None
) -> np.ndarray:
    """Sample weights from class weights, times given ones.

    Raises:
        DataError: a label has no weight.
    """
    labels = y.argmax(axis=-1) if y.ndim == 2 and y.shape[1] > 1 else y.reshape(len(y)).astype(np.int64)
    missing = sorted(set(np.unique(labels).tolist()) - set(class_weight))
    if missing:
        raise DataError(f"class_weight has no weight for the labels {missing}")
    found = np.vectorize(class_weight.__getitem__, otypes=[np.float64])(labels)
    return (found if weights is None else found * weights).astype(np.float32)


def checked_size(batch_size: int | None) -> int:
    """The samples of a batch, 32 for None.

    Raises:
        ValueError: it is not positive.
    """
    size = 32 if batch_size is None else int(batch_size)
    if size < 1:
        raise ValueError(f"batch_size must be positive, it is {batch_size}")
    return size


class Batches:
    """Batches of arrays in a given order. The last one is smaller when the size does not divide the length."""

    def __init__(self, arrays: Sequence[np.ndarray], batch_size: int) -> None:
        self.arrays = list(arrays)
        self.batch_size = batch_size
        self.samples = len(arrays[0]) if arrays else 0
        self._different = list({id(a): a for a in self.arrays}.values())  # an autoencoder's targets are its inputs
        self._places = [[id(d) for d in self._different].index(id(a)) for a in self.arrays]

    def __len__(self) -> int:
        return -(-self.samples // self.batch_size)

    @property
    def shapes(self) -> tuple[tuple[int, ...], ...] | None:
        """Of the arrays of every batch; None where the last batch is smaller than the others."""
        size = min(self.batch_size, self.samples)
        return None if size == 0 or self.samples % size else tuple((size, *a.shape[1:]) for a in self.arrays)

    def epoch(self, order: np.ndarray | None = None) -> Iterator[tuple[int, list[np.ndarray]]]:
        """(size, arrays) in an order, that of the data when None."""
        return self.slices() if order is None else self.shuffled(order)

    def slices(self) -> Iterator[tuple[int, list[np.ndarray]]]:
        """(size, arrays) in the order of the data; views, no copies."""
        for start in range(0, self.samples, self.batch_size):
            stop = min(start + self.batch_size, self.samples)
            yield stop - start, [a[start:stop] for a in self.arrays]

    def shuffled(self, order: np.ndarray) -> Iterator[tuple[int, list[np.ndarray]]]:
        """(size, arrays) in the order given."""
        for start in range(0, self.samples, self.batch_size):
            chosen = order[start : start + self.batch_size]
            taken = [a.take(chosen, axis=0) for a in self._different]
            yield len(chosen), [taken[place] for place in self._places]
