"""Handwritten digits of 8 by 8 pixels; source, citation and licence are in kbackend/data/DIGITS.md."""

from importlib import resources
from typing import TypeAlias

import numpy as np

__all__ = ["load_data"]

Split: TypeAlias = tuple[np.ndarray, np.ndarray]


def load_data(test_fraction: float = 0.2) -> tuple[Split, Split]:
    """The digits, split for training and testing.

    Args:
        test_fraction: the part that is held out, at least 0 and less than 1.

    Returns `(x_train, y_train), (x_test, y_test)`: images of dtype uint8 and shape `(n, 8, 8)` with values
    from 0 to 16, and labels of dtype uint8 and shape `(n,)` with values from 0 to 9.

    The split draws no random numbers and is the same everywhere. Of each digit's `n` images,
    `round(n * test_fraction)` go to the test set, taken at even distances through the file, so that both sets
    hold every digit in proportion and images from all of the file. Each set keeps the order of the file:
    shuffle before you train.

    Raises:
        ValueError: ``test_fraction`` out of its range.

    Source: E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI Machine Learning
    Repository, 1998, https://doi.org/10.24432/C50P49 (CC BY 4.0), in scikit-learn's copy.

    >>> (x_train, y_train), (x_test, y_test) = load_data()
    >>> x_train.shape, y_test.shape, x_train.dtype.name, int(x_train.max())
    ((1438, 8, 8), (359,), 'uint8', 16)
    """
    if not 0 <= test_fraction < 1:
        raise ValueError(f"load_data: test_fraction must be in [0, 1), not {test_fraction!r}")
    images, labels = _read()
    held_out = _held_out(labels, test_fraction)
    return (images[~held_out], labels[~held_out]), (images[held_out], labels[held_out])


def _read() -> Split:
    source = resources.files("kbackend") / "data" / "digits.npz"
    with source.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
        return arrays["images"], arrays["labels"]


def _held_out(labels: np.ndarray, fraction: float) -> np.ndarray:
    mask = np.zeros(labels.shape, dtype=bool)
    for digit in range(10):
        places = np.flatnonzero(labels == digit)
        count = round(len(places) * fraction)
        if count:
            mask[places[((np.arange(count) + 0.5) * len(places) / count).astype(int)]] = True
    return mask
