"""Derivatives by central differences."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np


def central(function: Callable[[Any], Any], x: np.ndarray, step: float = 1e-6) -> np.ndarray:
    """The gradient of a scalar function of one array, entry by entry, in float64."""
    gradient = np.empty_like(x)
    for index in np.ndindex(x.shape):
        up, down = x.copy(), x.copy()
        up[index] += step
        down[index] -= step
        gradient[index] = (float(function(up)) - float(function(down))) / (2 * step)
    return gradient


def differences(function: Callable[[], Any], arrays: Sequence[np.ndarray], step: float = 1e-6) -> list[np.ndarray]:
    """The gradients of a scalar function that reads these arrays, which change while it is called."""
    found = []
    for array in arrays:
        kept = array.copy()

        def at(value: np.ndarray, array: np.ndarray = array) -> Any:
            array[...] = value
            return function()

        found.append(central(at, kept, step))
        array[...] = kept
    return found
