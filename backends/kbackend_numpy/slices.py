"""Slices of a sequence and the way back, with gradients that cost one array, not one array a slice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import autograd.numpy as anp
import numpy as np
from autograd.extend import defvjp, defvjp_argnums, primitive
from autograd.tracer import isbox


def slices(sequence: Any, axis: int) -> Sequence[Any]:
    """The slices of an array or box along an axis.

    The gradient of a slice would be an array of zeros as large as the sequence. Here slices hand their
    gradients to a holder of the sequence, which stacks them once.
    """
    if not isbox(sequence):
        return np.moveaxis(sequence, axis, 0)
    held = _hold(sequence, axis)
    return [_slice(held, axis, t) for t in range(sequence.shape[axis])]


class _Gradients:
    """The gradients of the slices of one holder, by position; sums are made in place, nobody else has
    them."""

    def __init__(self, t: int, gradient: Any) -> None:
        self.found = {t: gradient}

    def __add__(self, other: _Gradients) -> _Gradients:
        self.found.update(
            other.found
        )  # no slice comes twice: what a slice gets is summed before it is handed on
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
