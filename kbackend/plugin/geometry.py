"""Where windows lie: 'same' padding, counts, and the axes of transposed convolutions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

Pairs = tuple[tuple[int, int], ...]


def same_pairs(
    sizes: Sequence[int], window: Sequence[int], strides: Sequence[int], dilation: Sequence[int]
) -> Pairs:
    """The pairs that 'same' stands for. An odd total has its extra element at the end.

    >>> same_pairs((6,), (3,), (2,), (1,))
    ((0, 1),)
    """
    totals = [max((-(-n // s) - 1) * s + (k - 1) * d + 1 - n, 0)
              for n, k, s, d in zip(sizes, window, strides, dilation)]
    return tuple((total // 2, total - total // 2) for total in totals)


def window_counts(size: int, window: int, stride: int, pair: tuple[int, int], out: int) -> np.ndarray:
    """How many elements that are not padding each window holds, along one dimension."""
    starts = np.arange(out) * stride - pair[0]
    return np.minimum(starts + window, size) - np.maximum(starts, 0)


class Axis(NamedTuple):
    """One spatial dimension of the convolution that is transposed.

    Attributes:
        window, stride, dilation: as of the convolution.
        pair: its paddings (before, after), or None for 'same'.
    """

    window: int
    stride: int
    dilation: int
    pair: tuple[int, int] | None

    @property
    def reach(self) -> int:
        """How many elements the window spans."""
        return (self.window - 1) * self.dilation + 1

    def covered(self, positions: int) -> int:
        """How many elements so many positions of the window span."""
        return (positions - 1) * self.stride + self.reach

    def usual(self, positions: Any) -> Any:
        """The size of the result that Keras's layers choose, for a number of positions or a tensor of one."""
        padded = 0 if self.pair is None else max(self.reach - self.stride, 0) - sum(self.pair)
        return positions * self.stride + padded

    def pads(self, positions: int, size: int) -> tuple[int, int]:
        """The paddings with which the convolution takes ``size`` elements to so many positions.

        Raises:
            ValueError: it takes them to another number.
        """
        if self.pair is None:
            total = max(self.covered(positions) - size, 0)
            fits, pair = size > 0 and -(-size // self.stride) == positions, (total // 2, total - total // 2)
        else:
            rest = size + sum(self.pair) - self.covered(positions)
            fits, pair = size > 0 and 0 <= rest < self.stride, self.pair
        if not fits:
            raise ValueError(self._misfit(positions, size))
        return pair

    def _misfit(self, positions: int, size: int) -> str:
        least = (positions - 1) * self.stride + 1 if self.pair is None else self.covered(positions) - sum(self.pair)
        padding = "padding 'same'" if self.pair is None else f"padding {self.pair}"
        return (f"an output size of {size} does not fit {positions} positions of a window of {self.window} with stride "
                f"{self.stride}, dilation {self.dilation} and {padding}: it must be in "
                f"[{max(least, 1)}, {least + self.stride - 1}]")


def axes_of(window: Sequence[int], strides: Sequence[int], padding: Any, dilation: Sequence[int]) -> list[Axis]:
    """One Axis for each spatial dimension."""
    pairs = (None,) * len(window) if padding == "same" else padding
    return [Axis(*parts) for parts in zip(window, strides, dilation, pairs)]
