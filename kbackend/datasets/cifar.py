"""The batches of CIFAR: pickles in a folder, or in its archive as it is distributed."""

from __future__ import annotations

import tarfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any

import numpy as np

from kbackend.config import image_data_format
from kbackend.datasets import pickles
from kbackend.saving.errors import FormatError, inside, reading

Split = tuple[np.ndarray, np.ndarray]


def batches(place: Path, names: Sequence[str], label: str) -> Split:
    """Pictures and labels of some batches.

    Args:
        place: the folder, or the archive.
        names: of the batches.
        label: under which key they have labels.

    Returns:
        uint8: pictures (n, 32, 32, 3), or (n, 3, 32, 32) where that is the setting, and labels (n, 1).
    """
    parts = [_batch(place, name, label) for name in names]
    images, labels = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    first = images.reshape(-1, 3, 32, 32)
    return (first if image_data_format() == "channels_first" else first.transpose(0, 2, 3, 1)), labels.reshape(-1, 1)


def _batch(place: Path, name: str, label: str) -> Split:
    with inside(str(place)), reading(name), ExitStack() as stack:
        found = pickles.read(stack.enter_context(_opened(place, name, stack)))
        if not isinstance(found, dict):
            raise FormatError("it is no table")
        table = {key.decode() if isinstance(key, bytes) else key: value for key, value in found.items()}
        if not {"data", label} <= table.keys():
            raise FormatError(f"it has {sorted(table)}, and must have data and {label}")
        images, labels = np.asarray(table["data"]), np.asarray(table[label], np.uint8)
        if images.dtype != np.uint8 or images.shape != (len(labels), 3072):
            raise FormatError(f"pictures {images.dtype} {images.shape} and labels {labels.shape}")
        return images, labels


def _opened(place: Path, name: str, stack: ExitStack) -> IO[bytes]:
    if place.is_dir():
        return open(place / name, "rb")
    archive: Any = stack.enter_context(tarfile.open(place))
    for member in archive:
        if member.isfile() and Path(member.name).name == name:
            return archive.extractfile(member)
    raise FormatError("the archive has no such member")
