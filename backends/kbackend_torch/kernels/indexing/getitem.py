"""Basic indexing kernels."""

from __future__ import annotations

from typing import Any

import torch

from kbackend.plugin.contract import Specialized


def _getitem(specs: Any, index: tuple[Any, ...]) -> Any:
    if any(isinstance(i, tuple) and i[2] < 0 for i in index):
        return lambda x: _backwards(x, index)
    plain = tuple(slice(*i) if isinstance(i, tuple) else i for i in index)
    return lambda x: x[plain]


def _backwards(x: Any, index: tuple[Any, ...]) -> Any:
    """``x[index]`` with negative steps, which torch does not support: the elements in ascending order, flipped."""
    plain: list[Any] = []
    flipped: list[int] = []
    axis = dimension = 0
    for entry in index:
        if isinstance(entry, tuple) and entry[2] < 0:
            numbers = range(*slice(*entry).indices(x.shape[axis]))
            plain.append(slice(numbers[-1], numbers[0] + 1, -entry[2]) if numbers else slice(0, 0))
            flipped.append(dimension)
        else:
            plain.append(slice(*entry) if isinstance(entry, tuple) else entry)
        axis += entry is not None
        dimension += not isinstance(entry, int)
    return torch.flip(x[tuple(plain)], flipped)


def _getitem_at(specs: Any, index: tuple[Any, ...]) -> Any:
    def getitem_at(x: Any, bounds: tuple[Any, ...]) -> Any:
        rest = iter(bounds)
        resolved = tuple(
            tuple(int(next(rest)) if b == "?" else b for b in i)
            if isinstance(i, tuple)
            else int(next(rest))
            if i == "?"
            else i
            for i in index
        )
        return _backwards(x, resolved)

    return getitem_at


KERNELS = {
    "getitem": Specialized(_getitem),
    "getitem_at": Specialized(_getitem_at),
}
