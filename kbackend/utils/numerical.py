"""Arrays of classes, of unit length, and of equal length."""

from __future__ import annotations

from collections.abc import Sequence as Sequenced
from typing import Any

import numpy as np

from kbackend import backend as K
from kbackend.config import epsilon
from kbackend.graph.tensor import Tensor


def to_categorical(x: Any, num_classes: int | None = None) -> Any:
    """Classes as rows with a 1 at the class.

    Args:
        x: integers from 0, of any shape; a last dimension of 1 is left out. An array, or a symbolic tensor.
        num_classes: the length of the rows; one more than the largest class when None.

    Returns:
        float32 of the shape of ``x`` and the classes.

    Raises:
        ValueError: a class outside the rows, numbers that are not whole, or a symbolic tensor without ``num_classes``.

    >>> from kbackend.utils import to_categorical
    >>> to_categorical([0, 2]).tolist()
    [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
    """
    if isinstance(x, Tensor):
        if num_classes is None:
            raise ValueError("to_categorical of a symbolic tensor needs num_classes")
        x = K.squeeze(x, -1) if x.ndim > 1 and x.shape[-1] == 1 else x
        return K.one_hot(K.cast(x, "int32"), num_classes)
    array = np.asarray(x)
    classes = array.astype(np.int64)
    if array.dtype.kind == "f" and (classes != array).any():
        raise ValueError("to_categorical needs whole numbers")
    if classes.ndim > 1 and classes.shape[-1] == 1:
        classes = classes[..., 0]
    count = int(classes.max(initial=-1)) + 1 if num_classes is None else num_classes
    if classes.size and (classes.min() < 0 or classes.max() >= count):
        raise ValueError(f"classes must lie in 0 ... {count - 1}, they lie in {classes.min()} ... {classes.max()}")
    rows = np.zeros((classes.size, count), np.float32)
    rows[np.arange(classes.size), classes.ravel()] = 1.0
    return rows.reshape((*classes.shape, count))


def normalize(x: Any, axis: int = -1, order: int = 2) -> Any:
    """The vectors along an axis divided by their norm; vectors of zeros stay.

    Args:
        x: an array, or a symbolic tensor.
        axis: of the vectors.
        order: of the norm: 1, 2 or another positive number.

    Raises:
        ValueError: another order.

    >>> from kbackend.utils import normalize
    >>> normalize([[3.0, 4.0], [0.0, 0.0]]).tolist()
    [[0.6, 0.8], [0.0, 0.0]]
    """
    if isinstance(order, bool) or not isinstance(order, (int, float)) or order <= 0:
        raise ValueError(f"order must be a positive number, it is {order!r}")
    if isinstance(x, Tensor):
        norm = K.pow(K.sum(K.pow(K.abs(x), order), axis=axis, keepdims=True), 1.0 / order)
        return x / K.maximum(norm, epsilon())
    array = np.atleast_1d(np.asarray(x))
    norm = np.linalg.norm(array, order, axis, keepdims=True) if array.ndim else np.abs(array)
    return array / np.where(norm == 0, 1, norm)


def pad_sequences(
    sequences: Sequenced[Any],
    maxlen: int | None = None,
    dtype: Any = "int32",
    padding: str = "pre",
    truncating: str = "pre",
    value: Any = 0.0,
) -> np.ndarray:
    """Sequences of different lengths as one array.

    Args:
        sequences: of numbers, or of arrays of one shape.
        maxlen: the length; that of the longest when None.
        dtype: of the array.
        padding: where the value stands: 'pre' for before a short sequence, 'post' for after it.
        truncating: what long sequences lose: 'pre' for their beginnings, 'post' for their ends.
        value: what fills up.

    Returns:
        An array (sequences, maxlen, ...).

    Raises:
        ValueError: another word for a side, steps of different shapes, or sequences that are none.

    >>> from kbackend.utils import pad_sequences
    >>> pad_sequences([[1], [2, 3, 4]], maxlen=2).tolist()
    [[0, 1], [3, 4]]
    """
    for label, side in (("padding", padding), ("truncating", truncating)):
        if side not in ("pre", "post"):
            raise ValueError(f"{label} must be 'pre' or 'post', it is {side!r}")
    if not hasattr(sequences, "__iter__") or not all(hasattr(sequence, "__len__") for sequence in sequences):
        raise ValueError("pad_sequences needs a sequence of sequences")
    arrays = [np.asarray(sequence) for sequence in sequences]
    shapes = {array.shape[1:] for array in arrays if len(array)}
    if len(shapes) > 1:
        raise ValueError(f"the steps of all sequences must have one shape, they have {sorted(shapes)}")
    length = max((len(array) for array in arrays), default=0) if maxlen is None else maxlen
    kind = np.dtype(object if dtype is str else dtype)
    if isinstance(value, str) and kind.kind not in "OUS":
        raise ValueError(f"the value {value!r} is text, the dtype is {dtype}; use dtype=object")
    padded = np.full((len(arrays), length, *next(iter(shapes), ())), value, kind)
    for row, array in zip(padded, arrays):
        kept = array[len(array) - length :] if truncating == "pre" and len(array) > length else array[:length]
        if len(kept):
            row[slice(length - len(kept), None) if padding == "pre" else slice(len(kept))] = kept
    return padded
