"""Where data sets lie on this machine, and arrays in NumPy's archives. Nothing is downloaded."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from kbackend.config import config_path
from kbackend.saving.errors import FormatError, inside, reading

Split = tuple[np.ndarray, np.ndarray]


def folders() -> list[Path]:
    """Where data sets are looked for: the folders of ``KBACKEND_DATASETS``, that beside the config file, Keras's."""
    named = [Path(name) for name in os.environ.get("KBACKEND_DATASETS", "").split(os.pathsep) if name]
    return [*named, config_path().parent / "datasets", Path.home() / ".keras" / "datasets"]


def located(path: Any, form: str, *others: str) -> Path:
    """The file or folder of a data set.

    Args:
        path: its path, or its name in one of :func:`folders`.
        form: what it holds, for the message.
        others: other names that it may have.

    Raises:
        FileNotFoundError: it is nowhere; the message says where it may be put and what it holds.
    """
    given = Path(path)
    places = [given, *(folder / name for folder in folders() for name in [str(given), *others])]
    for place in places:
        if place.exists():
            return place
    where = ", ".join(str(folder) for folder in folders())
    names = " or ".join([given.name, *others])
    raise FileNotFoundError(
        f"{names} is not on this machine, and kbackend downloads no data. It holds {form}. Put it to one of {where}, "
        "name its folder in the environment variable KBACKEND_DATASETS, or give its path"
    )


def arrays(file: Path, names: Sequence[str]) -> list[np.ndarray]:
    """Arrays of numbers in an archive of NumPy.

    Raises:
        FormatError: it is none, or lacks one of the arrays.
    """
    with inside(str(file)), reading("the archive"):
        with np.load(file, allow_pickle=False) as archive:
            return [_member(archive, name) for name in names]


def _member(archive: Any, name: str) -> np.ndarray:
    if name not in archive:
        raise FormatError(f"there is no array {name!r}; there are {', '.join(archive)}")
    with reading(name):
        return archive[name]


def splits(file: Path, shape: tuple[int, ...]) -> tuple[Split, Split]:
    """``x_train, y_train, x_test, y_test`` of an archive, checked: samples of one shape, a label for each."""
    x_train, y_train, x_test, y_test = arrays(file, ["x_train", "y_train", "x_test", "y_test"])
    with inside(str(file)):
        for part, x, y in (("train", x_train, y_train), ("test", x_test, y_test)):
            if x.shape[1:] != shape or len(x) != len(y):
                raise FormatError(f"samples {x.shape} and labels {y.shape}, not {('n', *shape)}".replace("'", ""), part)
    return (x_train, y_train), (x_test, y_test)


def pickled(file: Path, names: Sequence[str]) -> list[np.ndarray]:
    """Arrays of lists of numbers in an archive of NumPy, which NumPy keeps as pickles; nothing in them is run."""
    from kbackend.datasets.pickles import array_in

    with inside(str(file)), reading("the archive"):
        with zipfile.ZipFile(file) as archive:
            found = []
            for name in names:
                with reading(name), archive.open(f"{name}.npy") as member:
                    found.append(array_in(member))
            return found
