"""What the targets of an output look like: what its loss says, or what the data is where the loss is the user's own."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from kbackend import config, dtypes, losses
from kbackend.graph.tensor import Tensor


class TargetSpec(NamedTuple):
    """The shape, None where it is unknown, and the dtype of targets."""

    shape: tuple[int | None, ...]
    dtype: str


def computed_dtype(dtype: str) -> str:
    """The dtype in which losses and metrics of predictions are computed: theirs, or floatx where they have 16 bits and
    floatx has more."""
    return dtypes.promote(dtype, config.floatx()) if dtype in ("float16", "bfloat16") else dtype


def specs_to_try(loss: Any, output: Tensor) -> list[TargetSpec]:
    """What the targets of an output may look like before there is data, the likeliest first; only one where the loss
    is the library's."""
    shape, dtype = output.shape, computed_dtype(output.dtype)
    if losses.function_of(loss) is losses.ctc:
        return [TargetSpec((shape[0], None), "int32")]
    if losses.takes_labels(loss):
        return [TargetSpec((*shape[:-1], 1), "int32")]
    if not losses.is_own(loss):
        return [TargetSpec(shape, dtype)]
    shapes = [shape, (None,) * len(shape), (*shape[:-1], 1), shape[:-1]]
    return [TargetSpec(s, _kind(output)) for s in shapes if s]


def specs_of(array: np.ndarray, output: Tensor) -> list[TargetSpec]:
    """What targets for a loss of the user's own look like, in the order in which they are tried: with the sizes that
    the output has too, so that batches of many shapes share a step; with all sizes as they are."""
    dtype, sizes = _kind(output), (None, *array.shape[1:])
    if array.ndim != len(output.shape):
        common: tuple[int | None, ...] = (*(None,) * (array.ndim - 1), 1 if array.shape[-1] == 1 else None)
    elif all(wanted in (None, size) for wanted, size in zip(output.shape[1:], sizes[1:])):
        common = output.shape
    else:
        last = array.ndim - 1
        common = tuple(
            size if size == wanted or axis == last and size == 1 else None
            for axis, (wanted, size) in enumerate(zip(output.shape, sizes))
        )
    return [TargetSpec(shape, dtype) for shape in dict.fromkeys((common, sizes))]


def _kind(output: Tensor) -> str:
    return computed_dtype(output.dtype) if dtypes.is_inexact(output.dtype) else config.floatx()
