"""Tuples of inputs, targets and sample weights; data sets in two parts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from kbackend.ground.tree import tree_leaves, tree_map


def pack_x_y_sample_weight(x: Any, y: Any = None, sample_weight: Any = None) -> Any:
    """The values as a batch of a data set gives them: those that are None at the end are left out.

    Args:
        x: inputs, an array or a nest of arrays.
        y: targets of the same kinds.
        sample_weight: a weight for each sample.

    >>> from kbackend.utils import pack_x_y_sample_weight
    >>> pack_x_y_sample_weight(1, 2)
    (1, 2)
    >>> pack_x_y_sample_weight([1])
    ([1],)
    """
    if y is None and sample_weight is None:
        return (x,) if isinstance(x, (tuple, list)) else x
    return (x, y) if sample_weight is None else (x, y, sample_weight)


def unpack_x_y_sample_weight(data: Any) -> tuple[Any, Any, Any]:
    """Inputs, targets and sample weights of a batch; None for those that there are not.

    Args:
        data: an array, or a tuple of up to three.

    Raises:
        ValueError: a tuple of more than three.

    >>> from kbackend.utils import unpack_x_y_sample_weight
    >>> unpack_x_y_sample_weight((1, 2))
    (1, 2, None)
    """
    parts = tuple(data) if isinstance(data, (tuple, list)) else (data,)
    if not 1 <= len(parts) <= 3:
        raise ValueError(f"a batch is (x,), (x, y) or (x, y, sample_weight), it has {len(parts)} parts")
    x, y, weights = (*parts, None, None)[:3]
    return x, y, weights


def split_dataset(
    dataset: Any,
    left_size: float | None = None,
    right_size: float | None = None,
    shuffle: bool = False,
    seed: int | None = None,
    preferred_backend: str | None = None,
) -> tuple[Any, Any]:
    """A data set in two parts.

    Args:
        dataset: an array, nested lists, tuples or dicts of arrays with as many samples, or any iterable of samples.
        left_size, right_size: a number of samples, or a fraction between 0 and 1; the rest is the other part's.
        shuffle: whether the samples are drawn in a random order.
        seed: of that order.
        preferred_backend: must be None or 'numpy'; the parts are of NumPy.

    Returns:
        Two structures of arrays like the given one, or two lists of samples.

    Raises:
        ValueError: sizes that do not fit, or no size.

    >>> import numpy as np
    >>> from kbackend.utils import split_dataset
    >>> [part.tolist() for part in split_dataset(np.arange(5), left_size=0.6)]
    [[0, 1, 2], [3, 4]]
    """
    if preferred_backend not in (None, "numpy"):
        raise ValueError(f"split_dataset gives NumPy arrays; preferred_backend is {preferred_backend!r}")
    leaves = tree_leaves(dataset) if isinstance(dataset, (np.ndarray, list, tuple, dict)) else []
    arrays = bool(leaves) and all(hasattr(leaf, "shape") and np.ndim(leaf) for leaf in leaves)
    samples = None if arrays else list(_iterated(dataset))
    count = len(leaves[0]) if samples is None else len(samples)
    if arrays and len({len(leaf) for leaf in leaves}) > 1:
        raise ValueError(f"the arrays have different numbers of samples: {sorted({len(leaf) for leaf in leaves})}")
    left, right = _counts(left_size, right_size, count)
    order = np.random.default_rng(seed).permutation(count) if shuffle else np.arange(count)
    parts = (order[:left], order[left : left + right])
    if samples is not None:
        return [samples[i] for i in parts[0]], [samples[i] for i in parts[1]]
    return _taken(dataset, parts[0]), _taken(dataset, parts[1])


def _taken(arrays: Any, numbers: np.ndarray) -> Any:
    return tree_map(lambda leaf: np.asarray(leaf)[numbers], arrays)


def _iterated(dataset: Any) -> Iterable[Any]:
    if hasattr(dataset, "__getitem__") and hasattr(dataset, "__len__") and not hasattr(dataset, "__iter__"):
        return (dataset[i] for i in range(len(dataset)))
    return dataset


def _counts(left: Any, right: Any, total: int) -> tuple[int, int]:
    if left is None and right is None:
        raise ValueError("split_dataset needs left_size or right_size")
    sizes = [None if size is None else _count(size, total) for size in (left, right)]
    a = total - sizes[1] if sizes[0] is None else sizes[0]  # type: ignore[operator]
    b = total - a if sizes[1] is None else sizes[1]
    if a + b > total or min(a, b) < 1:
        raise ValueError(f"{total} samples have no parts of {left} and {right}")
    return a, b


def _count(size: Any, total: int) -> int:
    if isinstance(size, float):
        if not 0 < size < 1:
            raise ValueError(f"a fraction must lie between 0 and 1, it is {size}")
        return round(size * total)
    return int(size)
