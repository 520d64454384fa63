"""70,000 handwritten digits of 28 by 28 pixels, from a local copy."""

from __future__ import annotations

from typing import Any

import numpy as np

from kbackend.datasets.local import located, splits

__all__ = ["load_data"]

_FORM = (
    "x_train, y_train, x_test and y_test as an archive of NumPy (.npz), digits uint8 (n, 28, 28) and labels uint8 (n,)"
)


def load_data(path: Any = "mnist.npz") -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """The digits, split for training and testing.

    Args:
        path: the file, or its name in the folders of ``KBACKEND_DATASETS``, ``~/.kbackend/datasets`` or
            ``~/.keras/datasets``.

    Returns:
        ``(x_train, y_train), (x_test, y_test)``, uint8: digits (n, 28, 28) and labels (n,).

    Raises:
        FileNotFoundError: it is not there; the message says where it may be put and what it holds.
        FormatError: the file holds something else.

    Source: Y. LeCun, C. Cortes and C. Burges, The MNIST database of handwritten digits, 1998.

    >>> import pathlib, tempfile
    >>> import numpy as np
    >>> from kbackend.datasets import mnist
    >>> path = pathlib.Path(tempfile.mkdtemp(), "mnist.npz")
    >>> x, y = np.zeros((5, 28, 28), np.uint8), np.arange(5, dtype=np.uint8)
    >>> np.savez(path, x_train=x, y_train=y, x_test=x[:2], y_test=y[:2])
    >>> (x_train, y_train), (x_test, y_test) = mnist.load_data(path)
    >>> x_train.shape, y_test.shape
    ((5, 28, 28), (2,))
    """
    return splits(located(path, _FORM), (28, 28))
