"""Indexing kernels."""

from __future__ import annotations

from typing import Any

import torch

from kbackend.plugin.contract import Specialized
from kbackend_torch.dtypes import TORCH


def _getitem(specs: Any, index: tuple[Any, ...]) -> Any:
    if any(isinstance(i, tuple) and i[2] < 0 for i in index):
        return lambda x: _backwards(x, index)
    plain = tuple(slice(*i) if isinstance(i, tuple) else i for i in index)
    return lambda x: x[plain]


def _backwards(x: Any, index: tuple[Any, ...]) -> Any:
    """``x[index]`` with negative steps, which torch lacks: the same elements forwards, then flipped."""
    plain: list[Any] = []
    flipped: list[int] = []
    axis = place = 0
    for entry in index:
        if isinstance(entry, tuple) and entry[2] < 0:
            numbers = range(*slice(*entry).indices(x.shape[axis]))
            plain.append(slice(numbers[-1], numbers[0] + 1, -entry[2]) if numbers else slice(0, 0))
            flipped.append(place)
        else:
            plain.append(slice(*entry) if isinstance(entry, tuple) else entry)
        axis += entry is not None
        place += not isinstance(entry, int)
    return torch.flip(x[tuple(plain)], flipped)


def _getitem_at(specs: Any, index: tuple[Any, ...]) -> Any:
    def getitem_at(x: Any, bounds: tuple[Any, ...]) -> Any:
        rest = iter(bounds)
        found = tuple(
            tuple(int(next(rest)) if b == "?" else b for b in i)
            if isinstance(i, tuple)
            else int(next(rest))
            if i == "?"
            else i
            for i in index
        )
        return _backwards(x, found)

    return getitem_at


# ---------------------------------------------------------------------- by number


def _wide(indices: Any) -> Any:
    return indices if indices.dtype in (torch.int32, torch.int64) else indices.to(torch.int64)


def gather(reference: Any, indices: Any) -> Any:
    indices = _wide(indices)
    if reference.is_cpu or not reference.is_floating_point():
        # Torch checks the range by itself and refuses negative indices, but does not say which.
        try:
            return _rows(reference, indices)
        except (IndexError, RuntimeError):  # the latter where there are no rows
            wrong = indices[(indices < 0) | (indices >= reference.shape[0])].tolist()
            if not wrong:
                raise
            raise IndexError(f"the index {wrong[0]} is not in [0, {reference.shape[0]})") from None
    return gather_without_waiting(reference, indices)


def gather_without_waiting(reference: Any, indices: Any) -> Any:
    """Rows, and NaN for those out of range: an error would stop a device for the rest of the process."""
    inside = indices.clamp(0, reference.shape[0] - 1)
    outside = (inside != indices).reshape(indices.shape + (1,) * (reference.ndim - 1))
    return _rows(reference, inside).masked_fill(outside, torch.nan)


def _rows(reference: Any, indices: Any) -> Any:
    if reference.ndim == 2 and indices.numel() and not reference.is_complex():
        return torch.embedding(reference, indices)
    rows = reference.index_select(0, indices.reshape(-1))
    return rows.reshape(indices.shape + reference.shape[1:])


def take_along_axis(x: Any, indices: Any, axis: int) -> Any:
    return torch.gather(x, axis, indices.to(torch.int64))


def one_hot(indices: Any, num_classes: int, dtype: str) -> Any:
    return (indices.unsqueeze(-1) == torch.arange(num_classes, device=indices.device)).to(TORCH[dtype])


KERNELS = {
    "getitem": Specialized(_getitem),
    "getitem_at": Specialized(_getitem_at),
    "gather": gather,
    "take_along_axis": take_along_axis,
    "one_hot": one_hot,
}
