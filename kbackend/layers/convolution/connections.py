"""Which elements of the input each position of a local convolution reads."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def output_sizes(
    sizes: Sequence[int], window: Sequence[int], strides: Sequence[int], padding: str
) -> tuple[int, ...]:
    """The number of positions in each dimension.

    Raises:
        ValueError: the window is larger than a dimension.
    """
    if padding == "same":
        return tuple(-(-n // s) for n, s in zip(sizes, strides))
    found = tuple((n - k) // s + 1 for n, k, s in zip(sizes, window, strides))
    if min(found) < 1:
        raise ValueError(f"a window of {tuple(window)} does not fit inputs of size {tuple(sizes)}")
    return found


def _along(size: int, count: int, window: int, stride: int, padding: str) -> tuple[np.ndarray, np.ndarray]:
    """Positions and the elements they read, along one dimension, by position."""
    starts = np.arange(count) * stride - (window // 2 if padding == "same" else 0)
    results, elements = np.repeat(np.arange(count), window), (starts[:, None] + np.arange(window)).ravel()
    inside = (elements >= 0) & (elements < size)
    return results[inside], elements[inside]


def connected(
    sizes: Sequence[int], output: Sequence[int], window: Sequence[int], strides: Sequence[int], padding: str
) -> tuple[np.ndarray, np.ndarray]:
    """Positions of the output and elements of the input that they read, as flat indices without channels.

    >>> [pair.tolist() for pair in connected((4,), (3,), (2,), (1,), "valid")]
    [[0, 0, 1, 1, 2, 2], [0, 1, 1, 2, 2, 3]]
    """
    result, source = np.zeros(1, np.int64), np.zeros(1, np.int64)
    for size, count, k, s in zip(sizes, output, window, strides):
        results, elements = _along(size, count, k, s, padding)
        result = (result[:, None] * count + results).ravel()
        source = (source[:, None] * size + elements).ravel()
    return result, source


def places(
    result: np.ndarray, source: np.ndarray, inputs: int, outputs: int, channels: int, filters: int, first: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of flat indices with channels, sorted by the output's and then the input's.

    Args:
        result, source: what :func:`connected` gives.
        inputs, outputs: the number of positions of input and output.
        channels, filters: the number of channels of input and output.
        first: whether channels come before positions.
    """
    c, f = np.arange(channels), np.arange(filters)
    results = f * outputs + result[:, None] if first else result[:, None] * filters + f
    sources = c * inputs + source[:, None] if first else source[:, None] * channels + c
    pairs = np.broadcast_arrays(results[:, :, None], sources[:, None, :])
    flat_results, flat_sources = (part.ravel() for part in pairs)
    order = np.lexsort((flat_sources, flat_results))
    return flat_results[order], flat_sources[order]


__all__ = ["connected", "output_sizes", "places"]
