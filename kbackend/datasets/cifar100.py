"""60,000 pictures of a hundred kinds of things, of 32 by 32 pixels, from a local copy."""

from __future__ import annotations

from typing import Any

from kbackend.datasets.cifar import Split, batches
from kbackend.datasets.local import located

__all__ = ["load_data"]

_FORM = "the batches train and test of 'CIFAR-100 python version', in a folder or a .tar.gz"


def load_data(label_mode: str = "fine", path: Any = "cifar-100-python") -> tuple[Split, Split]:
    """The pictures, split for training and testing.

    Args:
        label_mode: 'fine' for 100 classes, 'coarse' for the 20 that they belong to.
        path: the folder or the archive, or its name in the folders of ``KBACKEND_DATASETS``, ``~/.kbackend/datasets``
            or ``~/.keras/datasets``.

    Returns:
        ``(x_train, y_train), (x_test, y_test)``, uint8: pictures (n, 32, 32, 3), or (n, 3, 32, 32) where
        'channels_first' is the setting, and labels (n, 1).

    Raises:
        ValueError: another ``label_mode``.
        FileNotFoundError: it is not there; the message says where it may be put and what it holds.
        FormatError: the files hold something else. They are pickles, of which only data is taken.

    Source: A. Krizhevsky, Learning multiple layers of features from tiny images, 2009.

    >>> import pathlib, pickle, tempfile
    >>> import numpy as np
    >>> from kbackend.datasets import cifar100
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> batch = {b"data": np.zeros((2, 3072), np.uint8), b"fine_labels": [49, 71], b"coarse_labels": [10, 10]}
    >>> for name in ("train", "test"):
    ...     _ = (folder / name).write_bytes(pickle.dumps(batch))
    >>> (x_train, y_train), (x_test, y_test) = cifar100.load_data("coarse", folder)
    >>> x_train.shape, y_test.tolist()
    ((2, 32, 32, 3), [[10], [10]])
    """
    if label_mode not in ("fine", "coarse"):
        raise ValueError(f"label_mode must be 'fine' or 'coarse', it is {label_mode!r}")
    place = located(path, _FORM, "cifar-100-python.tar.gz")
    return batches(place, ["train"], f"{label_mode}_labels"), batches(place, ["test"], f"{label_mode}_labels")
