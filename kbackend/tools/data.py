"""Data for the steps of a model: arrays of a file, or drawn ones."""

from __future__ import annotations

import argparse
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from kbackend import dtypes
from kbackend.tools.arguments import file_name

#: what NumPy raises for a file that is none of its own, or a damaged one
_DAMAGED = (ValueError, EOFError, zipfile.BadZipFile, zlib.error)
_SEED = 0
#: the length of an axis that the model leaves open
_OPEN = 4


def add_data(parser: argparse.ArgumentParser) -> None:
    """The argument ``--data``."""
    parser.add_argument(
        "--data", type=file_name, metavar="FILE.npz",
        help="an array for each input, or x for one input, and y for training",
    )  # fmt: skip


def arrays_of(model: Any, path: Path | None, samples: int) -> tuple[list[np.ndarray], Any]:
    """The inputs and the targets in a file; without one, drawn inputs and no targets.

    Floats are drawn from the normal distribution, integers and booleans are 0 or 1.

    Raises:
        ValueError: the file lacks an array; the message lists those that it has.
        OSError: no file.
    """
    if path is None:
        return [_drawn(t.shape, t.dtype, samples) for t in model.inputs], None
    with _opened(path) as found:
        names = [n for n in (t.name for t in model.inputs) if n in found] or ["x"]
        missing = [n for n in names if n not in found]
        if missing or len(names) != len(model.inputs):
            wanted = ", ".join(t.name for t in model.inputs)
            held = ", ".join(found) or "no arrays"
            raise ValueError(f"{path} has {held}; the model wants {wanted}, or x for one input")
        try:
            return [found[n] for n in names], found["y"] if "y" in found else None
        except _DAMAGED as error:
            raise ValueError(f"{path} cannot be read: {error}") from None


def _opened(path: Path) -> Any:
    try:
        found = np.load(path, allow_pickle=False)
    except _DAMAGED as error:
        if path.stat().st_size == 0:
            raise ValueError(f"{path}: the file is empty") from None
        raise ValueError(f"{path} is no .npz file of arrays") from error
    if isinstance(found, np.ndarray):
        raise ValueError(f"{path} is one array; it must be an .npz with an array for each input")
    return found


def drawn_targets(model: Any, samples: int) -> Any:
    """Targets for a step of training that is only timed: zeros where the loss takes labels, else numbers of [0, 1)."""
    rng = np.random.default_rng(_SEED)
    shapes = [((samples, *_known(t.shape[1:])), t.dtype) for t in model.targets]
    made = [rng.uniform(size=s) if dtypes.is_float(dtype) else np.zeros(s, dtype) for s, dtype in shapes]
    return made if len(made) > 1 else made[0]


def _known(shape: Any) -> tuple[int, ...]:
    return tuple(_OPEN if d is None else d for d in shape)


def _drawn(shape: Any, dtype: str, samples: int) -> np.ndarray:
    rng = np.random.default_rng(_SEED)
    whole = (samples, *_known(shape[1:]))
    if dtypes.is_float(dtype):
        return rng.normal(size=whole).astype(dtypes.numpy_dtype(dtype))
    return rng.integers(0, 2, whole).astype(dtype)
