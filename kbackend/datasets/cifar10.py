"""60,000 pictures of ten kinds of things, of 32 by 32 pixels, from a local copy."""

from __future__ import annotations

from typing import Any

from kbackend.datasets.cifar import Split, batches
from kbackend.datasets.local import located

__all__ = ["load_data"]

_FORM = "the batches data_batch_1 to data_batch_5 and test_batch of 'CIFAR-10 python version', in a folder or a .tar.gz"


def load_data(path: Any = "cifar-10-batches-py") -> tuple[Split, Split]:
    """The pictures, split for training and testing.

    Args:
        path: the folder or the archive, or its name in the folders of ``KBACKEND_DATASETS``, ``~/.kbackend/datasets``
            or ``~/.keras/datasets``.

    Returns:
        ``(x_train, y_train), (x_test, y_test)``, uint8: pictures (n, 32, 32, 3), or (n, 3, 32, 32) where
        'channels_first' is the setting, and labels (n, 1) from 0 to 9.

    Raises:
        FileNotFoundError: it is not there; the message says where it may be put and what it holds.
        FormatError: the files hold something else. They are pickles, of which only data is taken.

    Source: A. Krizhevsky, Learning multiple layers of features from tiny images, 2009.

    >>> import pathlib, pickle, tempfile
    >>> import numpy as np
    >>> from kbackend.datasets import cifar10
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> batch = pickle.dumps({b"data": np.zeros((3, 3072), np.uint8), b"labels": [6, 9, 4]})
    >>> for name in ("test_batch", *(f"data_batch_{number}" for number in range(1, 6))):
    ...     _ = (folder / name).write_bytes(batch)
    >>> (x_train, y_train), (x_test, y_test) = cifar10.load_data(folder)
    >>> x_train.shape, y_test.tolist()
    ((15, 32, 32, 3), [[6], [9], [4]])
    """
    place = located(path, _FORM, "cifar-10-batches-py.tar.gz", "cifar-10-python.tar.gz")
    train = batches(place, [f"data_batch_{number}" for number in range(1, 6)], "labels")
    return train, batches(place, ["test_batch"], "labels")
