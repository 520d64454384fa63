"""Random words and shapes of draws."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from kbackend.plugin.host import philox


def stream(op_id: int, step: Any) -> int:
    """The high half of the Philox counter: the number of the op and that of the step."""
    return op_id << 32 | int(step) & 0xFFFFFFFF


def known_shape(shape: Any, sizes: Any) -> tuple[int, ...]:
    """The shape with each None replaced by the next size."""
    rest = iter(sizes)
    return tuple(int(next(rest)) if d is None else d for d in shape)


def words(step: Any, trial: Any, count: int, key: int, op_id: int, first: int = 0) -> np.ndarray:
    """``count`` uint32 words of the stream of an op in a step, after the ``first`` ones."""
    return philox.words(key, stream(op_id, step), count, 0 if trial is None else int(trial) & 0xFFFFFFFF, first)


def words_before(row: Any, shape: tuple[int, ...], each: int = 1) -> int:
    """The words of a draw before a row, of which an element takes ``each``."""
    return int(row) * math.prod(shape[1:]) * each
