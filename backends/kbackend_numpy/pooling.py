"""Max and average pooling on channels-last NumPy arrays, differentiable to any order.

Both are computed one axis at a time, the last spatial axis first: a window of k x k costs 2k passes, and the first
maximum along each axis in turn is the first of the window in row-major order. Padding is not materialized.
"""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from autograd.extend import defvjp
from autograd.tracer import getval

from kbackend_numpy.recording import primitive

Pairs = Sequence[tuple[int, int]]


class Line(NamedTuple):
    """The windows along one axis."""

    axis: int
    size: int
    window: int
    stride: int
    before: int
    out: int

    @property
    def is_whole(self) -> bool:
        """Whether no window overlaps the padding."""
        return self.before == 0 and (self.out - 1) * self.stride + self.window <= self.size

    def tap(self, tap: int) -> tuple[tuple, tuple]:
        """Indices of the outputs for which this tap of the window is inside the input, and of the inputs at the tap."""
        shift = tap - self.before
        first = max(0, -(shift // self.stride))
        last = min(self.out, (self.size - 1 - shift) // self.stride + 1)
        last = max(first, last)
        start = first * self.stride + shift
        lead = (slice(None),) * self.axis
        inputs = slice(start, start + (last - first - 1) * self.stride + 1, self.stride)
        return (*lead, slice(first, last)), (*lead, inputs if last > first else slice(0, 0))


def max_pool(x: Any, *, window: Sequence[int], strides: Sequence[int], padding: Pairs) -> Any:
    """The maximum of each window, NaN if it contains one; the gradient flows to the first maximum.

    x: (batch, *spatial, channels) with 1 to 3 spatial axes; `padding` holds a (before, after) pair for
    each axis; padding is never the maximum. Returns (batch, *out, channels) in the dtype of x.

    >>> max_pool(np.array([[[1.0], [3.0], [2.0]]]), window=(2,), strides=(2,), padding=((0, 1),)).ravel()
    array([3., 2.])
    """
    for line in _lines("max_pool", x, window, strides, padding):
        x = _line_max(x, line)
    return x


def avg_pool(x: Any, *, window: Sequence[int], strides: Sequence[int], padding: Pairs) -> Any:
    """The mean of each window without the padding; 16-bit floats are summed in float32.

    x: (batch, *spatial, channels), floating, with 1 to 3 spatial axes. Returns (batch, *out, channels) in the
    dtype of x.

    >>> avg_pool(np.array([[[1.0], [3.0], [2.0]]]), window=(2,), strides=(2,), padding=((0, 1),)).ravel()
    array([2., 2.])
    """
    lines = _lines("avg_pool", x, window, strides, padding)
    dtype = x.dtype
    total = x.astype(np.float32) if dtype.itemsize == 2 else x
    for line in lines:
        total = _line_sum(total, line)
    mean = total / _counts(lines, x.ndim, total.dtype)
    return mean.astype(dtype) if dtype.itemsize == 2 else mean


def _lines(op: str, x: Any, window: Sequence[int], strides: Sequence[int], padding: Pairs) -> list[Line]:
    spatial = tuple(x.shape[1:-1])
    if not 1 <= len(spatial) <= 3 or any(len(part) != len(spatial) for part in (window, strides, padding)):
        raise ValueError(
            f"{op}: x of shape {tuple(x.shape)}, window {tuple(window)}, strides {tuple(strides)} and "
            f"padding {tuple(padding)} must agree on 1 to 3 spatial axes"
        )
    lines = []
    for axis in reversed(range(len(spatial))):
        size, taps, stride, (before, after) = spatial[axis], window[axis], strides[axis], padding[axis]
        out = (size + before + after - taps) // stride + 1 if stride > 0 else 0
        only_padding = before >= taps or (out - 1) * stride - before >= size
        if min(taps, stride, out) < 1 or min(before, after) < 0 or only_padding:
            raise ValueError(
                f"{op}: window {tuple(window)} with strides {tuple(strides)} and padding {tuple(padding)} "
                f"does not fit spatial size {spatial}: each window needs at least one element of x"
            )
        if taps > 1 or stride > 1 or before or after:
            lines.append(Line(axis + 1, size, taps, stride, before, out))
    return lines


def _counts(lines: list[Line], ndim: int, dtype: np.dtype) -> Any:
    """The number of elements of x in each window, as a number or an array that broadcasts."""
    whole = math.prod(line.window for line in lines if line.is_whole)
    counts: Any = float(whole)
    for line in lines:
        if not line.is_whole:
            starts = np.arange(line.out) * line.stride - line.before
            inside = np.minimum(starts + line.window, line.size) - np.maximum(starts, 0)
            counts = counts * inside.astype(dtype).reshape((-1,) + (1,) * (ndim - 1 - line.axis))
    return counts


def _shape_along(x: np.ndarray, line: Line, length: int) -> tuple[int, ...]:
    return (*x.shape[: line.axis], length, *x.shape[line.axis + 1 :])


@primitive
def _line_max(x: np.ndarray, line: Line) -> np.ndarray:
    if line.is_whole:
        y = x[line.tap(0)[1]]
        y = np.maximum(y, x[line.tap(1)[1]]) if line.window > 1 else y.copy()
        rest = range(2, line.window)
    else:
        lowest = np.iinfo(x.dtype).min if x.dtype.kind in "iu" else -np.inf
        y = np.full(_shape_along(x, line, line.out), lowest, x.dtype)
        rest = range(line.window)
    for tap in rest:
        outputs, inputs = line.tap(tap)
        part = y[outputs]
        np.maximum(part, x[inputs], out=part)
    return y


def _first_maximum(x: np.ndarray, y: np.ndarray, line: Line) -> np.ndarray:
    """The tap of the first maximum of each window."""
    chosen = np.zeros(y.shape, np.uint8 if line.window <= 256 else np.int32)
    has_nan = bool(np.isnan(y).any())
    searching = np.ones(y.shape, np.bool_)
    # Count the taps before the maximum.
    for tap in range(line.window - 1):
        outputs, inputs = line.tap(tap)
        missed = x[inputs] != y[outputs]
        if has_nan:
            missed &= ~np.isnan(x[inputs])
        searching[outputs] &= missed
        chosen += searching
    return chosen


def _masked(values: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """The bits of the values where the mask holds, 0 elsewhere, as integers of the same width.

    Multiplying by the mask would turn infinities into NaN; `np.where` takes ten times as long.
    """
    bits = np.dtype(f"i{values.itemsize}")
    return values.view(bits) & np.negative(mask.view(np.int8))


@primitive
def _scatter(g: np.ndarray, chosen: np.ndarray, line: Line) -> np.ndarray:
    """The transpose of :func:`_gather`: each element of g is added to the chosen input of its window."""
    gx = np.zeros(_shape_along(g, line, line.size), g.dtype)
    for tap in range(line.window):
        outputs, inputs = line.tap(tap)
        share = _masked(g[outputs], chosen[outputs] == tap).view(g.dtype)
        if line.stride >= line.window:
            gx[inputs] = share
        else:
            gx[inputs] += share
    return gx


@primitive
def _gather(x: np.ndarray, chosen: np.ndarray, line: Line) -> np.ndarray:
    """The element of x at the chosen tap of each window."""
    y = np.zeros(chosen.shape, x.dtype)
    bits = y.view(np.dtype(f"i{x.itemsize}"))
    for tap in range(line.window):
        outputs, inputs = line.tap(tap)
        bits[outputs] |= _masked(x[inputs], chosen[outputs] == tap)
    return y


@primitive
def _line_sum(x: np.ndarray, line: Line) -> np.ndarray:
    if line.is_whole:
        y = x[line.tap(0)[1]].copy()
    else:
        y = np.zeros(_shape_along(x, line, line.out), x.dtype)
    for tap in range(line.is_whole, line.window):
        outputs, inputs = line.tap(tap)
        y[outputs] += x[inputs]
    return y


@primitive
def _line_spread(g: np.ndarray, line: Line) -> np.ndarray:
    """The transpose of :func:`_line_sum`: each element of g is added to all inputs of its window."""
    gx = np.zeros(_shape_along(g, line, line.size), g.dtype)
    for tap in range(line.window):
        outputs, inputs = line.tap(tap)
        gx[inputs] += g[outputs]
    return gx


def _max_vjp(ans: Any, x: Any, line: Line) -> Any:
    # The choice is piecewise constant in x, so it is a constant for differentiation.
    chosen = _first_maximum(getval(x), getval(ans), line)
    return lambda g: _scatter(g, chosen, line)


defvjp(_line_max, _max_vjp, argnums=(0,))
defvjp(_scatter, lambda ans, g, chosen, line: lambda c: _gather(c, chosen, line), argnums=(0,))
defvjp(_gather, lambda ans, x, chosen, line: lambda c: _scatter(c, chosen, line), argnums=(0,))
defvjp(_line_sum, lambda ans, x, line: lambda g: _line_spread(g, line), argnums=(0,))
defvjp(_line_spread, lambda ans, g, line: lambda c: _line_sum(c, line), argnums=(0,))
