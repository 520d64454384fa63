"""Equalization of histograms in parts of images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from kbackend import backend as K
from kbackend.layers.arguments import described, per_dimension
from kbackend.layers.preprocessing.colors import _Share
from kbackend.layers.preprocessing.geometry import _is_number
from kbackend.layers.preprocessing.numeric import floats
from kbackend.ops.arrays.dims import length
from kbackend.ops.arrays.pad import pad
from kbackend.ops.arrays.ranges import numbers
from kbackend.ops.indexing.segment import segment_sum

_LEVELS = 256


class ContrastLimitedAdaptiveHistogramEqualization(_Share):
    """Gives the values in each part of images the same frequency, up to a limit, in training and inference.

    Images are cut into tiles. The histogram of 256 levels of each tile and channel is limited, what is above the limit
    is spread over all levels, and its running sum is the table of new values; pixels take means of the tables of the
    four tiles whose middles are nearest.

    Args:
        value_range: the range.
        clip_limit: the limit, in multiples of the mean of a histogram; none when 0.
        tile_grid_size: how many tiles images have along rows and columns. Images are mirrored where it does not divide
            their size.
        data_format: 'channels_last' or 'channels_first'; the default of the process when None.

    Shapes: (batch, rows, columns, channels), kept; also without a batch. Sizes of images must be known.

    Raises:
        ValueError: a range that is none, a negative limit, a grid that is none or finer than the pixels; no images.

    Source: Zuiderveld, "Contrast Limited Adaptive Histogram Equalization", Graphics Gems IV, 1994.

    >>> from kbackend import Input, layers
    >>> layers.ContrastLimitedAdaptiveHistogramEqualization(tile_grid_size=(2, 2))(Input((8, 8, 3))).shape
    (None, 8, 8, 3)
    """

    arguments = ("value_range", "clip_limit", "tile_grid_size", "data_format")

    def __init__(
        self,
        value_range: Sequence[float] = (0, 255),
        clip_limit: float = 4.0,
        tile_grid_size: Sequence[int] = (8, 8),
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(1.0, value_range, data_format, **kwargs)
        if not _is_number(clip_limit) or not clip_limit >= 0:
            raise ValueError(f"{described(self)}: clip_limit must be a number from 0 on, it is {clip_limit!r}")
        self.clip_limit = float(clip_limit)
        self.tile_grid_size = per_dimension(tile_grid_size, 2, "tile_grid_size", described(self))

    def call(self, inputs: Any, training: Any = None) -> Any:
        return self._changed(floats(inputs))

    def _altered(self, x: Any) -> Any:
        sizes = self._known(x)
        tiles = [-(-size // count) for size, count in zip(sizes, self.tile_grid_size)]
        missing = [tile * count - size for tile, count, size in zip(tiles, self.tile_grid_size, sizes)]
        kind = "float64" if x.dtype == "float64" else "float32"
        whole = pad(self._as_bytes(K.cast(x, kind)), [(0, 0), *((0, n) for n in missing), (0, 0)], "symmetric")
        levels = K.cast(K.clip(whole, 0.0, _LEVELS - 1.0), "int32")
        found = self._looked_up(self._tables(levels, tiles, kind), levels, tiles, kind)
        return K.cast(self._from_bytes(found[:, : sizes[0], : sizes[1]]), x.dtype)

    def _known(self, x: Any) -> list[int]:
        if None in x.shape[1:]:
            raise ValueError(f"{described(self)}: images need a known size and channels, their shape is {x.shape}")
        for size, count, tile in zip(x.shape[1:3], self.tile_grid_size, ("rows", "columns")):
            # mirroring repeats each pixel once
            if -(-size // count) * count > 2 * size:
                raise ValueError(f"{described(self)}: {count} tiles do not fit {size} {tile} of pixels")
        return list(x.shape[1:3])

    def _tables(self, levels: Any, tiles: Sequence[int], kind: str) -> Any:
        """The new values of each level, (batch, tiles of rows, tiles of columns, channels, levels)."""
        down, across = self.tile_grid_size
        batch, channels = length(levels, 0), levels.shape[-1]
        parts = K.reshape(levels, (batch, down, tiles[0], across, tiles[1], channels))
        rows = K.reshape(K.permute_dimensions(parts, (0, 1, 3, 5, 2, 4)), (-1, tiles[0] * tiles[1]))
        count = length(rows, 0)
        places = rows + K.reshape(numbers(count), (-1, 1)) * _LEVELS
        flat = K.reshape(places, (-1,))
        sums = segment_sum(K.ones_like(K.cast(flat, kind)), flat, count * _LEVELS)
        counts = self._limited(K.reshape(sums, (-1, _LEVELS)), tiles[0] * tiles[1])
        running = K.cumsum(counts, axis=-1)
        least = K.min(running, axis=-1, keepdims=True)
        rest = tiles[0] * tiles[1] - least
        table = (running - least) * 255.0 / K.where(K.equal(rest, 0.0), K.ones_like(rest), rest)
        return K.reshape(K.clip(table, 0.0, 255.0), (batch, down, across, channels, _LEVELS))

    def _limited(self, counts: Any, pixels: int) -> Any:
        if not self.clip_limit:
            return counts
        kept = K.minimum(counts, self.clip_limit * pixels / _LEVELS)
        return kept + K.sum(counts - kept, axis=-1, keepdims=True) / _LEVELS

    def _looked_up(self, tables: Any, levels: Any, tiles: Sequence[int], kind: str) -> Any:
        """The means of the new values of pixels by the tables of the four tiles around."""
        down, across = self.tile_grid_size
        batch, channels = length(levels, 0), levels.shape[-1]
        flat = K.reshape(tables, (-1,))
        own = levels + np.arange(channels, dtype=np.int32) * _LEVELS
        own = own + K.reshape(numbers(batch), (-1, 1, 1, 1)) * (down * across * channels * _LEVELS)
        (top, bottom, below), (left, right, beside) = (
            _between(count, tile) for count, tile in zip(self.tile_grid_size, tiles)
        )
        stride = channels * _LEVELS

        def at(rows: np.ndarray, columns: np.ndarray) -> Any:
            return K.gather(flat, own + (rows[:, None, None] * across + columns[None, :, None]) * stride)

        weight = beside.astype(kind)[None, :, None]
        upper, lower = (at(r, left) * (1.0 - weight) + at(r, right) * weight for r in (top, bottom))
        weight = below.astype(kind)[:, None, None]
        return upper * (1.0 - weight) + lower * weight


def _between(count: int, tile: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For each pixel of an axis the tiles whose middles are before and after it, and the part of the way."""
    place = (np.arange(count * tile) - tile / 2.0) / tile
    before = np.floor(place)
    first, second = (np.clip(before + n, 0, count - 1).astype(np.int32) for n in (0, 1))
    return first, second, place - before


__all__ = ["ContrastLimitedAdaptiveHistogramEqualization"]
