"""Training data: arrays, lists and dicts of them, brought into the order, rank and dtype of a model's tensors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from kbackend import dtypes
from kbackend.declare.call import to_numpy
from kbackend.graph.tensor import Tensor
from kbackend.ground.arguments import is_number
from kbackend.ground.suggest import did_you_mean
from kbackend.training.sources.frames import array_of_frame, array_of_series, is_frame, of_pandas
from kbackend.training.sources.rows import Rows, is_mapped, part, rows_of


class DataError(ValueError):
    """Data that does not fit the model; the message names the array, its shape and what is expected."""


def standardize(
    data: Any, tensors: Sequence[Tensor], names: Sequence[str], what: str, free: Sequence[bool] = ()
) -> list[np.ndarray]:
    """One array for each tensor, checked and cast to its dtype.

    Args:
        data: an array, a list of arrays, or a dict by name.
        tensors: the placeholders that will be fed.
        names: the names by which a dict gives them.
        what: 'input', 'target' or 'sample weight', for messages.
        free: for each tensor whether arrays of other shapes are taken too; none when empty.

    Raises:
        DataError: missing or surplus arrays, another rank or shape, a dtype that cannot be cast,
            unequal lengths, no samples.
    """
    taken = as_it_is(data, tensors)
    if taken is not None:
        return taken
    arrays = for_each(data, names, what)
    if len(arrays) != len(tensors):
        raise DataError(
            f"the model has {len(tensors)} {what}s ({', '.join(names)}), {len(arrays)} arrays were given"
        )
    any_shape = free or [False] * len(tensors)
    try:
        checked = [_fitted(a, t, n, what, f) for a, t, n, f in zip(arrays, tensors, names, any_shape)]
    except DataError as error:
        if len(names) == 1 and isinstance(data, (list, tuple)) and all(np.ndim(part) for part in data):
            raise DataError(
                f"a {type(data).__name__} of {len(data)} arrays was given, the model has one {what} ({names[0]!r}): "
                f"give one array; taken together as samples they do not fit either: {error}"
            ) from None
        raise
    if len({len(a) for a in checked}) > 1:
        lengths = ", ".join(f"{n}: {len(a)}" for n, a in zip(names, checked))
        raise DataError(f"all {what} arrays must have the same number of samples; given were {lengths}")
    return checked


def as_it_is(data: Any, tensors: Sequence[Tensor]) -> list[np.ndarray] | None:
    """The array of a single tensor, where it needs neither checks nor a cast; else None."""
    if type(data) is np.ndarray and len(tensors) == 1 and _is_as_wanted(data, tensors[0]):
        return [data]
    return None


def for_each(data: Any, names: Sequence[str], what: str) -> list[Any]:
    """The arrays in the order of names, as many as there are.

    Raises:
        DataError: missing or unknown names.
    """
    if isinstance(data, Mapping):
        missing = [n for n in names if n not in data]
        surplus = [n for n in data if n not in names]
        if missing or surplus:
            raise DataError(
                f"{what}s by name: missing {missing}, unknown {surplus}; the model has {list(names)}"
                f".{did_you_mean(surplus[0], names) if surplus else ''}".rstrip(".")
            )
        return [data[n] for n in names]
    if isinstance(data, Iterator):
        raise DataError(f"{what}s must be arrays, not a {type(data).__name__}; an iterator of whole batches is x alone")
    if len(names) > 1 and is_frame(data):
        return for_each({str(name): data[name] for name in data.columns}, names, what)
    if isinstance(data, (list, tuple)) and not (len(names) == 1 and _is_number_list(data)):
        return list(data)
    return [data]


def listed(data: Any, tensors: Sequence[Tensor]) -> Sequence[Any]:
    """The arrays of a batch, unchecked: the entries of a list, where it is not the rows of one array itself."""
    if not isinstance(data, (list, tuple)):
        return [] if data is None and not tensors else [data]
    alone = len(tensors) == len(data) == 1 and np.ndim(data[0]) == len(tensors[0].shape)
    return data if alone or len(tensors) > 1 else [data]


def for_some(data: Any, names: Sequence[str], what: str) -> list[Any]:
    """What there is for each name, None where there is none: a dict may leave names out, None is for all.

    Raises:
        DataError: unknown names, or another number of entries.
    """
    if data is None:
        return [None] * len(names)
    found = for_each({**dict.fromkeys(names), **data} if isinstance(data, Mapping) else data, names, what)
    if len(found) != len(names):
        raise DataError(f"there are {len(found)} {what}s, the outputs are {', '.join(names)}; None is for no {what}")
    return found


def _is_number_list(data: Sequence[Any]) -> bool:
    return len(data) == 0 or isinstance(data[0], (int, float, list)) or len(data) > 1


def is_foreign(value: Any) -> bool:
    """Whether data is neither an array nor a tensor, but of pandas or scipy."""
    return of_pandas(value) or rows_of(value) is not None


def array_of(value: Any) -> Any:
    """Any data as an array; sparse matrices as rows that are dense when they are read.

    Raises:
        TypeError: it holds no numbers.
    """
    if isinstance(value, np.ndarray):
        return value
    if is_frame(value):
        return array_of_frame(value)
    if of_pandas(value) and hasattr(value, "isna"):
        return array_of_series(value)
    rows = rows_of(value)
    return to_numpy(value) if rows is None else rows


def _fitted(value: Any, tensor: Tensor, name: str, what: str, free: bool) -> Any:
    if type(value) is np.ndarray and _is_as_wanted(value, tensor):
        return value
    try:
        array = array_of(value)
    except (TypeError, ValueError) as error:
        raise DataError(f"{what} {name!r} cannot be used: {error}") from None
    if array.ndim == 0:
        raise DataError(f"{what} {name!r} needs a first dimension for the samples, it is a single number")
    array = _of_rank(array, tensor, what, free)
    expected = (None, *tensor.shape[1:])
    if not free and (
        array.ndim != len(expected)
        or any(e is not None and e != g for e, g in zip(expected[1:], array.shape[1:]))
    ):
        steps = what == "sample weight" and array.ndim == 2 and len(expected) == 1
        hint = "; weights of steps need compile(sample_weight_mode='temporal')" if steps else ""
        raise DataError(f"{what} {name!r} must have the shape {expected}, it has {array.shape}{hint}")
    if not len(array):
        raise DataError(f"{what} {name!r} has no samples, its shape is {array.shape}")
    wanted = dtypes.numpy_dtype(tensor.dtype)
    if not isinstance(array, Rows) and (array.dtype == wanted or not is_mapped(array)):
        return _cast(array, tensor.dtype, name, what)
    rows = array if isinstance(array, Rows) else Rows(array)
    _cast(rows[0:1], tensor.dtype, name, what)
    return rows.converted(lambda some: _cast(some, tensor.dtype, name, what), wanted)


def _is_as_wanted(array: np.ndarray, tensor: Tensor) -> bool:
    """Whether an array is taken as it is, as those of steps one by one mostly are."""
    shape, wanted = array.shape, tensor.shape
    return (
        len(shape) == len(wanted) > 0
        and shape[1:] == wanted[1:]
        and shape[0] > 0
        and array.dtype == dtypes.numpy_dtype(tensor.dtype)
        and array.flags.c_contiguous
    )


def _of_rank(array: np.ndarray, tensor: Tensor, what: str, free: bool) -> np.ndarray:
    """The array with a last dimension of 1 where it is a vector, or labels of targets that have one."""
    if free:
        return array[:, None] if array.ndim == 1 < len(tensor.shape) else array
    if array.ndim != len(tensor.shape) - 1 or tensor.shape[-1] not in (1, None):
        return array
    return array[..., None] if array.ndim <= 1 or what == "target" and tensor.shape[-1] == 1 else array


def _cast(array: np.ndarray, dtype: str, name: str, what: str) -> np.ndarray:
    kind = array.dtype.kind
    if kind not in "bifu" and array.dtype.name != "bfloat16":
        raise DataError(f"{what} {name!r} has the dtype {array.dtype}, numbers are needed")
    if kind == "f" and dtypes.is_integer(dtype):
        if what == "target" and (array == np.round(array)).all():
            return _cast(array.astype(np.int64), dtype, name, what)
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
        DataError: the fraction, in (0, 1), leaves no sample on one side.
    """
    total = len(arrays[0][0])
    at = int(total * (1.0 - fraction))
    if at in (0, total):
        raise DataError(f"validation_split={fraction} of {total} samples leaves one side empty")
    first = [[part(a, 0, at) for a in group] for group in arrays]
    return first, [[part(a, at, total) for a in group] for group in arrays]


def class_weights(given: Any, names: Sequence[str]) -> list[Any]:
    """The class weights of each output, None where it has none.

    Raises:
        DataError: unknown names, or another number of entries.
    """
    by_name = isinstance(given, Mapping) and any(isinstance(key, str) for key in given)
    if by_name or isinstance(given, (list, tuple)):
        return for_some(given, names, "class weight")
    return [given] * len(names)


def class_weighted(y: np.ndarray, class_weight: Mapping[int, float] | str, weights: np.ndarray) -> np.ndarray:
    """Sample weights from class weights, times given ones.

    Args:
        y: labels, or one-hot rows.
        class_weight: label -> weight; or "balanced": each class has the weight samples / (classes * its samples), so
            that all classes together count alike.
        weights: weights of the samples.

    Raises:
        DataError: a label has no weight, class_weight is something else, or a sample has several labels.

    >>> class_weighted(np.array([0, 1, 1, 1, 1, 1, 1, 1]), "balanced", np.ones(8))[0].item()
    4.0
    """
    if class_weight != "balanced" and not isinstance(class_weight, Mapping):
        raise DataError(f"class_weight must be a dict of label -> weight, or 'balanced', it is {class_weight!r}")
    if y.size != len(y) and y.ndim != 2 or weights.ndim != 1:
        raise DataError(
            f"class_weight needs one label for each sample, the targets have the shape {y.shape}; give a "
            "sample_weight for steps or pixels"
        )
    labels = y.argmax(axis=-1) if y.ndim == 2 and y.shape[1] > 1 else y.reshape(len(y)).astype(np.int64)
    if isinstance(class_weight, str):
        classes, counts = np.unique(labels, return_counts=True)
        class_weight = dict(zip(classes.tolist(), (len(labels) / (len(classes) * counts)).tolist()))
    wrong = {label: weight for label, weight in class_weight.items() if not is_number(weight)}
    if wrong:
        raise DataError(f"class_weight must hold numbers, it has {wrong}")
    missing = sorted(set(np.unique(labels).tolist()) - set(class_weight))
    if missing:
        raise DataError(f"class_weight has no weight for the labels {missing}")
    found = np.vectorize(class_weight.__getitem__, otypes=[np.float64])(labels)
    return (found * weights).astype(np.float32)


def batch_size(given: int | None, steps: int | None = None, samples: int = 0) -> int:
    """The samples of a batch: 32 for None, but as many as make ``steps`` batches of all samples where that is given."""
    if given is None and steps is not None:
        return max(-(-samples // steps), 1)
    return 32 if given is None else int(given)
