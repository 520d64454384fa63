"""Padding with constants, repeated elements and statistics."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from kbackend import config, dtypes
from kbackend.declare.call import dtype_of, to_numpy
from kbackend.declare.decorate import derived, primitive
from kbackend.declare.op import TensorLike
from kbackend.declare.sample import In, call
from kbackend.graph.tensor import Tensor, TensorSpec
from kbackend.ops.arrays.dims import length
from kbackend.ops.arrays.join import concatenate_last
from kbackend.ops.arrays.ranges import numbers
from kbackend.ops.arrays.repeat import repeat_elements
from kbackend.ops.core.arguments import as_tensor
from kbackend.ops.core.cast import cast
from kbackend.ops.elementwise.rounding import floor, round_half_even
from kbackend.ops.elementwise.select import maximum, minimum
from kbackend.ops.indexing.gather import take
from kbackend.ops.reduction.reductions import mean, reduce_max, reduce_min
from kbackend.ops.statistics.quantile import median


def _prepare_pad(specs: Any, attrs: dict[str, Any]) -> dict[str, Any]:
    pairs = tuple((int(a), int(b)) for a, b in attrs["padding"])
    if len(pairs) != specs[0].ndim or any(n < 0 for pair in pairs for n in pair):
        raise ValueError(
            f"{specs[0].ndim} pairs of numbers, not negative, are needed; they are {attrs['padding']}"
        )
    return {**attrs, "padding": pairs, "value": float(attrs["value"])}


@primitive(takes_complex=True, name="pad",
    prepare=_prepare_pad,
    tolerance="moving",
    samples=lambda: [
        call(In((2, 3)), ((0, 0), (1, 2))),
        call(In((2,)), ((1, 0),), 2.5),
        call(In((0, 2)), ((1, 1), (0, 0)), name="empty"),
        call(In(()), (), name="scalar"),
        call(In((2, 2), 0, 9, kind="int32"), ((0, 1), (1, 0)), name="int32", gradient=False),
        call(In((2, 2)), ((0, 1),), name="pairs", raises=ValueError),
    ],
)
def pad_constant(x: TensorLike, padding: Any, value: float = 0.0) -> TensorSpec:
    """``x`` padded with a constant.

    Args:
        x: a tensor of rank n.
        padding: n pairs (before, after) of integers.
        value: the constant.

    Raises:
        ValueError: another number of pairs, or a negative number.

    >>> from kbackend import K
    >>> K.eval(K.pad(K.constant([1, 2]), [(1, 2)])).tolist()
    [0.0, 1.0, 2.0, 0.0, 0.0]
    """
    return TensorSpec(tuple(None if d is None else d + a + b for d, (a, b) in zip(x.shape, padding)), x.dtype)


@derived(
    samples=lambda: [
        call(In((2, 3, 2))),
        call(In((2, 3, 2)), padding=(0, 2)),
        call(In((2, 3, 2)), padding=2, name="int", raises=ValueError),
    ]
)
def temporal_padding(x: TensorLike, padding: Any = (1, 1)) -> Any:
    """Pad the time axis with zeros (Keras's ``K.temporal_padding``).

    Args:
        x: a tensor ``(samples, steps, features)``.
        padding: the numbers of steps (before, after).

    Raises:
        ValueError: another rank, or no pair of numbers.

    >>> from kbackend import K
    >>> K.int_shape(K.temporal_padding(K.placeholder((None, 10, 4))))
    (None, 12, 4)
    """
    _check_padding(padding, 2)
    return pad_constant(x, ((0, 0), tuple(padding), (0, 0)))


@derived(
    samples=lambda: [
        call(In((2, 3, 3, 2))),
        call(In((2, 3, 3, 2)), padding=((0, 1), (2, 0))),
        call(In((2, 2, 3, 3)), data_format="channels_first"),
        call(In((2, 3, 3, 2)), padding=(1, 1), name="ints", raises=ValueError),
    ]
)
def spatial_2d_padding(x: TensorLike, padding: Any = ((1, 1), (1, 1)), data_format: str | None = None) -> Any:
    """Pad rows and columns of images with zeros (Keras's ``K.spatial_2d_padding``).

    Args:
        x: a tensor of rank 4.
        padding: ((top, bottom), (left, right)), in pixels.
        data_format: 'channels_last' or 'channels_first'; the configured one when None.

    Raises:
        ValueError: another rank, no two pairs, or another data format.

    >>> from kbackend import K
    >>> K.int_shape(K.spatial_2d_padding(K.placeholder((None, 8, 8, 3)), ((1, 0), (2, 2))))
    (None, 9, 12, 3)
    """
    return _spatial_padding(x, padding, data_format, 2)


@derived(
    samples=lambda: [
        call(In((1, 2, 2, 2, 1)), padding=((0, 1), (2, 0), (1, 1))),
        call(In((1, 1, 2, 2, 2)), data_format="channels_first"),
    ]
)
def spatial_3d_padding(
    x: TensorLike, padding: Any = ((1, 1), (1, 1), (1, 1)), data_format: str | None = None
) -> Any:
    """Pad the three spatial axes of volumes with zeros (Keras's ``K.spatial_3d_padding``).

    Arguments and errors as in :func:`spatial_2d_padding`, with rank 5 and three pairs.

    >>> from kbackend import K
    >>> K.int_shape(K.spatial_3d_padding(K.placeholder((None, 8, 8, 8, 3)), ((1, 0), (2, 2), (0, 0))))
    (None, 9, 12, 8, 3)
    """
    return _spatial_padding(x, padding, data_format, 3)


def _spatial_padding(x: Any, padding: Any, data_format: str | None, count: int) -> Any:
    _check_padding(padding, count)
    for pair in padding:
        _check_padding(pair, 2)
    pairs = [tuple(pair) for pair in padding]
    first = config.normalize_data_format(data_format) == "channels_first"
    return pad_constant(x, ((0, 0), (0, 0), *pairs) if first else ((0, 0), *pairs, (0, 0)))


def _check_padding(padding: Any, count: int) -> None:
    if not isinstance(padding, (list, tuple)) or len(padding) != count:
        raise ValueError(f"the padding must have {count} entries, it is {padding!r}")


def _lower(a: Any, b: Any) -> Any:
    return minimum(a, b) if isinstance(a, Tensor) else np.minimum(a, b)


def _reflected(positions: Any, size: Any) -> Any:
    last = size - 1
    period = maximum(last * 2, 1) if isinstance(size, Tensor) else max(last * 2, 1)
    inside = positions % period
    return _lower(inside, last * 2 - inside)


def _mirrored(positions: Any, size: Any) -> Any:
    period = size * 2
    inside = positions % period
    return _lower(inside, period - 1 - inside)


def _nearest(positions: Any, size: Any) -> Any:
    if isinstance(size, Tensor):
        return maximum(minimum(positions, size - 1), 0)
    return np.clip(positions, 0, size - 1)


#: modes that repeat elements: a function of positions, some of them out of range, and the size, to positions in range.
#: Both are integers and arrays, or symbolic where the size is unknown.
_POSITIONS: dict[str, Callable[[Any, Any], Any]] = {
    "circular": operator.mod, "edge": _nearest, "reflect": _reflected, "symmetric": _mirrored, "wrap": operator.mod}


def _repeated(x: Any, axis: int, before: int, after: int, mode: str) -> Any:
    size = length(x, axis)
    if isinstance(size, Tensor):
        positions = numbers(size + (before + after)) - before
    else:
        positions = np.arange(-before, size + after, dtype=np.int32)
    return take(x, _POSITIONS[mode](positions, size), axis)


def _mean(x: Any, axis: int) -> Any:
    average = mean(x, axis=axis, keepdims=True)
    return cast(average if dtypes.is_float(dtype_of(x)) else round_half_even(average), dtype_of(x))


#: modes that pad with a statistic of the elements along the axis
_STATISTICS: dict[str, Callable[[Any, int], Any]] = {
    "maximum": lambda x, axis: reduce_max(x, axis=axis, keepdims=True),
    "mean": _mean,
    "median": lambda x, axis: cast(median(x, axis=axis, keepdims=True), dtype_of(x)),
    "minimum": lambda x, axis: reduce_min(x, axis=axis, keepdims=True)}


def _levelled(x: Any, axis: int, before: int, after: int, mode: str) -> Any:
    level = _STATISTICS[mode](x, axis)
    return concatenate_last([repeat_elements(level, before, axis), x, repeat_elements(level, after, axis)], axis)


def _ramped(x: Any, axis: int, before: int, after: int, mode: str) -> Any:
    shape = [-1 if a == axis else 1 for a in range(len(x.shape))]
    dtype = dtype_of(x)

    def ramp(width: int, end: int, rising: bool) -> Any:
        fractions = np.arange(width) / max(width, 1)
        fractions = (fractions if rising else fractions[::-1]).reshape(shape)
        edge = take(x, np.array([end], np.int32), axis)
        if dtypes.is_float(dtype):
            return edge * fractions.astype(dtypes.numpy_dtype(dtype))
        return cast(floor(cast(edge, "float64") * fractions), dtype)

    return concatenate_last([ramp(before, 0, True), x, ramp(after, -1, False)], axis)


_MODES = ("constant", "empty", "linear_ramp", *_POSITIONS, *_STATISTICS)


def _pairs(pad_width: Any, rank: int) -> list[tuple[int, int]]:
    widths = to_numpy(pad_width)
    if widths.dtype.kind not in "iu" and widths.size:
        raise TypeError(f"pad_width must be integers, it is {pad_width!r}")
    if (widths < 0).any():
        raise ValueError(f"pad_width must not be negative, it is {pad_width!r}")
    try:
        return [(int(a), int(b)) for a, b in np.broadcast_to(widths, (rank, 2))]
    except ValueError:
        raise ValueError(f"pad_width {pad_width!r} is not a number, a pair or {rank} pairs (the rank)") from None


def _pad_samples() -> list[Any]:
    x = In((3, 4), distinct=True)
    common: dict[str, Any] = {"dtypes": ("float64", "float32")}
    repeated = [call(x, ((4, 1), (0, 5)), mode, name=mode, **common) for mode in _POSITIONS]
    levelled = [call(x, ((0, 0), (2, 1)), mode, name=mode, **common) for mode in ("maximum", "minimum")]
    levelled += [call(x, ((0, 0), (2, 1)), mode, name=mode, tolerance="reduction", reason="it adds", **common)
                 for mode in ("mean", "median", "linear_ramp")]
    return [
        call(In((2, 3)), 1), call(In((2, 3)), ((0, 1), (2, 0)), "constant", 2.5, name="value"), *repeated, *levelled,
        call(In((3,), -9, 9, kind="int32"), (2, 3), "linear_ramp", gradient=False, name="integers"),
        call(In((2, 0)), 1, "edge", raises=ValueError, dynamic=False, name="of nothing"),
        call(In((2, 3)), 1, "edge", 1.0, raises=ValueError, name="value of edges"),
        call(In((2, 3)), 1, "around", raises=ValueError, name="mode"),
        call(In((2, 3)), ((1, 1),) * 3, raises=ValueError, name="pairs"),
        call(In((2, 3)), -1, raises=ValueError, name="negative"),
        call(In((2, 3)), 1.5, raises=TypeError, name="floats")]


@derived(tolerance="moving", samples=_pad_samples)
def pad(x: TensorLike, pad_width: Any, mode: str = "constant", constant_values: float | None = None) -> Any:
    """``x`` padded along its axes (NumPy's ``pad``).

    Args:
        x: a tensor of rank n.
        pad_width: the numbers of elements: an integer, a pair (before, after), or n pairs.
        mode: 'constant' (0 or ``constant_values``), 'edge' (the outermost element), 'reflect' (the elements in reverse
            order, without the outermost), 'symmetric' (with it), 'wrap' or 'circular' (the elements of the other end),
            'maximum', 'mean', 'median' or 'minimum' of the elements along the axis, 'linear_ramp' (from 0 to the edge),
            or 'empty' (zeros, so that programs give the same results each time).
        constant_values: a number, for 'constant' only.

    Raises:
        ValueError: an unknown mode, a negative width or another number of pairs, ``constant_values`` with another mode,
            or a mode that repeats elements of an empty axis.
        TypeError: a width or value that is not a number.

    >>> from kbackend import ops
    >>> ops.convert_to_numpy(ops.pad([1, 2, 3], 2, "reflect")).tolist()
    [3, 2, 1, 2, 3, 2, 1]
    """
    x = as_tensor(x)
    pairs = _pairs(pad_width, len(x.shape))
    if mode not in _MODES:
        raise ValueError(f"mode must be one of {', '.join(sorted(_MODES))}, it is {mode!r}")
    if constant_values is not None and mode != "constant":
        raise ValueError(f"constant_values is for the mode 'constant', the mode is {mode!r}")
    if mode in ("constant", "empty"):
        value = to_numpy(0.0 if constant_values is None else constant_values)
        if value.ndim:
            raise TypeError(f"constant_values must be a number, it is {constant_values!r}")
        if dtypes.is_integer(dtype_of(x)):
            dtypes.converted(value, dtype_of(x))
        return pad_constant(x, pairs, float(value))
    extend = _repeated if mode in _POSITIONS else _ramped if mode == "linear_ramp" else _levelled
    for axis, (before, after) in enumerate(pairs):
        if not before and not after:
            continue
        if x.shape[axis] == 0:
            raise ValueError(f"the mode {mode!r} needs elements along axis {axis} of shape {tuple(x.shape)}")
        x = extend(x, axis, before, after, mode)
    return x


__all__ = ["pad"]
