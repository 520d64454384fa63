"""Basic indexing kernels."""

from __future__ import annotations

from typing import Any

import numpy as np
from autograd.extend import defvjp

from kbackend.plugin.contract import Specialized
from kbackend_numpy.recording import primitive


@primitive
def take_slice(x: Any, index: Any) -> Any:
    """``x[index]`` with integers, slices and None only, which selects no element twice."""
    return x[index]


@primitive
def put_slice(g: Any, index: Any, shape: tuple[int, ...]) -> Any:
    """An array of zeros with ``g`` at the index."""
    result = np.zeros(shape, g.dtype)
    result[index] = g
    return result


defvjp(take_slice, lambda ans, x, index: lambda g: put_slice(g, index, x.shape), argnums=(0,))


defvjp(put_slice, lambda ans, g, index, shape: lambda h: take_slice(h, index), argnums=(0,))


def _plain_index(index: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(slice(*i) if isinstance(i, tuple) else i for i in index)


def _getitem(specs: Any, index: tuple[Any, ...]) -> Any:
    plain = _plain_index(index)
    return lambda x: take_slice(x, plain)


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
        return take_slice(x, _plain_index(resolved))

    return getitem_at


KERNELS = {
    "getitem": Specialized(_getitem),
    "getitem_at": Specialized(_getitem_at),
}
