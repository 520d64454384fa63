"""70,000 pictures of clothes of 28 by 28 pixels, from a local copy."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import numpy as np

from kbackend.datasets.local import located, splits
from kbackend.saving.errors import FormatError, inside, reading

__all__ = ["load_data"]

_FILES = {"train": "train", "test": "t10k"}
_FORM = (
    "four files in the format of MNIST, train-images-idx3-ubyte.gz, train-labels-idx1-ubyte.gz and the same of t10k; "
    "or x_train, y_train, x_test and y_test as an archive of NumPy"
)


def load_data(path: Any = "fashion-mnist") -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """The pictures, split for training and testing.

    Args:
        path: the folder of the four files, or an archive of NumPy, 'fashion_mnist.npz'; or their name in the folders
            of ``KBACKEND_DATASETS``, ``~/.kbackend/datasets`` or ``~/.keras/datasets``.

    Returns:
        ``(x_train, y_train), (x_test, y_test)``, uint8: pictures (n, 28, 28) and labels (n,) from 0 to 9.

    Raises:
        FileNotFoundError: it is not there; the message says where it may be put and what it holds.
        FormatError: the files hold something else.

    Source: H. Xiao, K. Rasul and R. Vollgraf, Fashion-MNIST, 2017, arXiv:1708.07747.

    >>> import pathlib, tempfile
    >>> import numpy as np
    >>> from kbackend.datasets import fashion_mnist
    >>> path = pathlib.Path(tempfile.mkdtemp(), "fashion_mnist.npz")
    >>> x, y = np.zeros((5, 28, 28), np.uint8), np.arange(5, dtype=np.uint8)
    >>> np.savez(path, x_train=x, y_train=y, x_test=x[:2], y_test=y[:2])
    >>> (x_train, y_train), (x_test, y_test) = fashion_mnist.load_data(path)
    >>> x_train.shape, y_test.shape
    ((5, 28, 28), (2,))
    """
    place = located(path, _FORM, "fashion_mnist.npz")
    if place.is_file():
        return splits(place, (28, 28))
    train, test = (_split(place, part) for part in _FILES.values())
    return train, test


def _split(folder: Path, part: str) -> tuple[np.ndarray, np.ndarray]:
    images = _idx(folder / f"{part}-images-idx3-ubyte.gz", 3)
    labels = _idx(folder / f"{part}-labels-idx1-ubyte.gz", 1)
    if images.shape[1:] != (28, 28) or len(images) != len(labels):
        raise FormatError(f"{part}: pictures {images.shape} and labels {labels.shape}", str(folder))
    return images, labels


def _idx(file: Path, rank: int) -> np.ndarray:
    """An array of bytes: two zeros, 8 for the type, the number of axes, the sizes of four bytes each, the elements."""
    if not file.exists():
        raise FileNotFoundError(f"{file} is missing; {file.parent.name} must hold {_FORM}")
    with inside(str(file)), reading("the array"):
        with gzip.open(file) as opened:
            head = opened.read(4 + 4 * rank)
            if head[:4] != bytes([0, 0, 8, rank]):
                raise FormatError(f"it is no array of bytes with {rank} axes")
            shape = tuple(np.frombuffer(head, ">u4", offset=4).tolist())
            return np.frombuffer(opened.read(), np.uint8).reshape(shape).copy()
