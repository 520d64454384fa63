"""Gathering kernels."""

from __future__ import annotations

from typing import Any

import torch

# ---------------------------------------------------------------------- rows of an index


def _wide(indices: Any) -> Any:
    return indices if indices.dtype in (torch.int32, torch.int64) else indices.to(torch.int64)


def gather(reference: Any, indices: Any) -> Any:
    indices = _wide(indices)
    if reference.is_cpu or not reference.is_floating_point():
        # torch checks the range and refuses negative indices, but does not name the index.
        try:
            return _rows(reference, indices)
        except (IndexError, RuntimeError):  # the latter where there are no rows
            wrong = indices[(indices < 0) | (indices >= reference.shape[0])].tolist()
            if not wrong:
                raise
            raise IndexError(f"the index {wrong[0]} is not in [0, {reference.shape[0]})") from None
    return gather_without_waiting(reference, indices)


def gather_without_waiting(reference: Any, indices: Any) -> Any:
    """Rows, and NaN for those out of range: a device-side assertion makes the device unusable in this process."""
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


KERNELS = {
    "gather": gather,
    "take_along_axis": take_along_axis,
}
