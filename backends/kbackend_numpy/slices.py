"""Slices of a sequence and their stack, with gradients that allocate one array instead of one for each slice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import autograd.numpy as anp
import numpy as np
from autograd.extend import defvjp, defvjp_argnums
from autograd.tracer import isbox

from kbackend_numpy.recording import primitive


def slices(sequence: Any, axis: int) -> Sequence[Any]:
    """The slices of an array or box along an axis.

    By default the gradient of each slice is an array of the size of the sequence. Here the gradients of all slices are
    collected and stacked once.
    """
    if not isbox(sequence):
        return np.moveaxis(sequence, axis, 0)
    held = _hold(sequence, axis)
    return [_slice(held, axis, t) for t in range(sequence.shape[axis])]


class _Gradients:
    """The gradients of the slices of one sequence, by position; summed in place, since there is no other reference."""

    def __init__(self, t: int, gradient: Any) -> None:
        self.found = {t: gradient}

    def __add__(self, other: _Gradients) -> _Gradients:
        self.found.update(other.found)  # autograd sums the gradients of a slice before, so that positions are distinct
        return self


@primitive
def _hold(sequence: Any, axis: int) -> Any:
    return sequence


@primitive
def _slice(held: Any, axis: int, t: int) -> Any:
    return held[(slice(None),) * axis + (t,)]


def _hold_vjp(ans: Any, sequence: Any, axis: int) -> Callable[[_Gradients], Any]:
    length = sequence.shape[axis]

    def gradient(g: _Gradients) -> Any:
        empty = None
        if len(g.found) < length:
            empty = anp.zeros_like(next(iter(g.found.values())))
        return join([g.found.get(t, empty) for t in range(length)], axis)

    return gradient


defvjp(_hold, _hold_vjp, argnums=(0,))
defvjp(_slice, lambda ans, held, axis, t: lambda g: _Gradients(t, g), argnums=(0,))


def join(arrays: Sequence[Any], axis: int) -> Any:
    """The arrays and boxes stacked along a new axis."""
    return _join(axis, *arrays)


@primitive
def _join(axis: int, *arrays: Any) -> Any:
    return np.stack(arrays, axis)


def _join_vjp(argnums: Sequence[int], ans: Any, args: Any, kwargs: Any) -> Callable[[Any], Any]:
    axis = args[0]

    def gradients(g: Any) -> Any:
        parts = slices(g, axis)
        return tuple(parts[n - 1] for n in argnums)

    return gradients


defvjp_argnums(_join, _join_vjp)
