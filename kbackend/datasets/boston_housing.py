"""Prices of 506 houses and 13 numbers about each, from a local copy."""

from __future__ import annotations

from typing import Any

import numpy as np

from kbackend.datasets.local import arrays, located
from kbackend.saving.errors import FormatError

__all__ = ["load_data"]

_FORM = "x and y as an archive of NumPy (.npz), float64 (506, 13) and (506,)"


def load_data(
    path: Any = "boston_housing.npz", test_split: float = 0.2, seed: int = 113
) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """The numbers and prices, in a drawn order, split for training and testing.

    Args:
        path: the file, or its name in the folders of ``KBACKEND_DATASETS``, ``~/.kbackend/datasets`` or
            ``~/.keras/datasets``.
        test_split: the fraction for testing.
        seed: of the order.

    Returns:
        ``(x_train, y_train), (x_test, y_test)``.

    Raises:
        ValueError: ``test_split`` is not in [0, 1).
        FileNotFoundError: it is not there; the message says where it may be put and what it holds.
        FormatError: the file holds something else.

    Source: D. Harrison and D. Rubinfeld, Hedonic housing prices and the demand for clean air, 1978.

    >>> import pathlib, tempfile
    >>> import numpy as np
    >>> from kbackend.datasets import boston_housing
    >>> path = pathlib.Path(tempfile.mkdtemp(), "boston_housing.npz")
    >>> np.savez(path, x=np.zeros((10, 13)), y=np.arange(10.0))
    >>> (x_train, y_train), (x_test, y_test) = boston_housing.load_data(path)
    >>> x_train.shape, y_test.shape
    ((8, 13), (2,))
    """
    if not 0 <= test_split < 1:
        raise ValueError(f"test_split must be in [0, 1), it is {test_split!r}")
    file = located(path, _FORM)
    x, y = arrays(file, ["x", "y"])
    if x.ndim != 2 or len(x) != len(y):
        raise FormatError(f"x {x.shape} and y {y.shape}", str(file))
    order = np.arange(len(x))
    np.random.RandomState(seed).shuffle(order)
    x, y = x[order], y[order]
    count = int(len(x) * (1 - test_split))
    return (x[:count], y[:count]), (x[count:], y[count:])
