"""The weights with which resized images take pixels."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache

import numpy as np


def _triangle(x: np.ndarray) -> np.ndarray:
    return np.maximum(1 - x, 0)


def _cubic(x: np.ndarray) -> np.ndarray:
    """Keys's cubic convolution with a = -0.5."""
    near, far = (1.5 * x - 2.5) * x * x + 1, ((2.5 - 0.5 * x) * x - 4) * x + 2
    return np.where(x < 1, near, np.where(x < 2, far, 0))


def _lanczos(radius: int) -> Callable[[np.ndarray], np.ndarray]:
    return lambda x: np.where(x < radius, np.sinc(x) * np.sinc(x / radius), 0)


#: name -> (how far the window reaches, its values at distances from 0 up)
WINDOWS: dict[str, tuple[int, Callable[[np.ndarray], np.ndarray]]] = {
    "bilinear": (1, _triangle),
    "bicubic": (2, _cubic),
    "lanczos3": (3, _lanczos(3)),
    "lanczos5": (5, _lanczos(5)),
}


@lru_cache(maxsize=128)
def taps(old: int, new: int, interpolation: str, antialias: bool = False) -> tuple[np.ndarray, np.ndarray | None]:
    """What the pixels of a line of ``new`` are made of, for a line of ``old``.

    Returns:
        ``(places, weights)``, each ``(taps, new)``: pixel i is the sum of the old pixels at ``places[:, i]`` times
        ``weights[:, i]``. The places of one tap do not fall. The weights are float64, and None for one tap of weight 1.

    >>> taps(4, 6, "nearest")[0].tolist()
    [[0, 1, 1, 2, 3, 3]]
    >>> [part.tolist() for part in taps(2, 4, "bilinear")]
    [[[0, 0, 0, 1], [0, 1, 1, 1]], [[0.0, 0.75, 0.25, 1.0], [1.0, 0.25, 0.75, 0.0]]]
    """
    pixels = np.arange(new)
    if interpolation == "nearest":
        return ((2 * pixels + 1) * old // (2 * new))[None], None
    if interpolation == "area":
        return _overlaps(old, new)
    radius, window = WINDOWS[interpolation]
    stretch = max(old / new, 1.0) if antialias else 1.0
    centres = (2 * pixels + 1) * old / (2 * new)
    first = np.ceil(centres - radius * stretch - 0.5).astype(np.int64)
    places = first + np.arange(math.ceil(2 * radius * stretch))[:, None]
    weights = window(np.abs(places + 0.5 - centres) / stretch) * ((places >= 0) & (places < old))
    return np.clip(places, 0, old - 1), weights / weights.sum(axis=0)


def _overlaps(old: int, new: int) -> tuple[np.ndarray, np.ndarray]:
    """The old pixels that each new one covers, and how much of it each of them fills."""
    starts = np.arange(new) * old
    places = starts // new + np.arange((old + new - 2) // new + 1)[:, None]
    covered = np.minimum((places + 1) * new, starts + old) - np.maximum(places * new, starts)
    return np.minimum(places, old - 1), np.maximum(covered, 0) / old
