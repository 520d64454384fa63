"""Functions of ``keras.engine`` and its like, and others with an underscore, that programs of the time imported."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np


def make_batches(size: int, batch_size: int) -> list[tuple[int, int]]:
    """The first and the end of each batch of so many samples.

    >>> make_batches(5, 2)
    [(0, 2), (2, 4), (4, 5)]
    """
    return [(start, min(start + batch_size, size)) for start in range(0, size, batch_size)]


def batch_shuffle(index_array: np.ndarray, batch_size: int) -> np.ndarray:
    """Places of samples with whole batches in an order drawn from NumPy, and what makes no whole batch at the end.

    >>> import numpy as np
    >>> sorted(batch_shuffle(np.arange(5), 2)[:4].tolist()), int(batch_shuffle(np.arange(5), 2)[4])
    ([0, 1, 2, 3], 4)
    """
    whole = len(index_array) // batch_size * batch_size
    batches = np.array(index_array[:whole]).reshape(-1, batch_size)
    np.random.shuffle(batches)
    return np.concatenate([batches.ravel(), index_array[whole:]])


def compute_fans(shape: Sequence[int], data_format: str = "channels_last") -> tuple[float, float]:
    """Inputs and outputs of a unit for a weight: of a matrix its sides; with kernel positions in front, or behind for
    'channels_first', their number times the channels; the root of the number of elements for other shapes.

    Raises:
        ValueError: another data format.

    >>> compute_fans((3, 3, 16, 32)), compute_fans((32, 16, 3, 3), "channels_first")
    ((144, 288), (144, 288))
    """
    if len(shape) == 2:
        return shape[0], shape[1]
    if len(shape) not in (3, 4, 5):
        root = math.sqrt(math.prod(shape))
        return root, root
    if data_format not in ("channels_last", "channels_first"):
        raise ValueError(f"data_format must be 'channels_last' or 'channels_first', it is {data_format!r}")
    *positions, inputs, outputs = shape if data_format == "channels_last" else (*shape[2:], shape[1], shape[0])
    return math.prod(positions) * inputs, math.prod(positions) * outputs


__all__ = ["batch_shuffle", "compute_fans", "make_batches"]
