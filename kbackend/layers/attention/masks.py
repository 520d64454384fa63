"""Which pairs of a query and a key count."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from kbackend import backend as K


def of_inputs(mask: Any, count: int) -> list[Any]:
    """The masks of the inputs, one for each, None where there is none."""
    masks = list(mask) if isinstance(mask, (list, tuple)) else [mask]
    return [*masks, *[None] * (count - len(masks))]


def pairs(masks: Sequence[Any]) -> list[Any]:
    """Masks (batch, length) of query, value and perhaps key as masks (batch, query length, value length)."""
    rows = [] if masks[0] is None else [K.expand_dims(_bool(masks[0]), 2)]
    return rows + [K.expand_dims(_bool(m), 1) for m in masks[1:] if m is not None]


def all_of(masks: Sequence[Any]) -> Any:
    """Where all of the masks are True; None without masks."""
    found = None
    for mask in masks:
        if mask is not None:
            found = _bool(mask) if found is None else K.logical_and(found, _bool(mask))
    return found


def with_axes(mask: Any, rank: int, axis: int) -> Any:
    """A mask of a rank, by axes of 1 put in at ``axis``."""
    while mask is not None and len(mask.shape) < rank:
        mask = K.expand_dims(mask, axis)
    return mask


def _bool(mask: Any) -> Any:
    if isinstance(mask, (list, tuple)):
        mask = np.asarray(mask)
    return mask if K.dtype(mask) == "bool" else K.cast(mask, "bool")


__all__: list[str] = []
