"""The new meanings of padding, cutting into parts and choosing by places, as NumPy and Keras 3 have them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from kbackend import dtypes
from kbackend.graph.tensor import Tensor
from kbackend.ops import elementwise as e
from kbackend.ops import indexing, joining, linear, reduction, searching, shaping, statistics
from kbackend.ops.arranging import as_tensor, integer, length, numbers, take
from kbackend.ops.declare import TensorLike, derived
from kbackend.ops.dispatch import dtype_of, to_numpy
from kbackend.ops.rules import In, call
from kbackend.ops.shapes import axis_in

# ------------------------------------------------------------------------------------- padding


def _lowest(a: Any, b: Any) -> Any:
    return e.minimum(a, b) if isinstance(a, Tensor) else np.minimum(a, b)


def _reflected(places: Any, size: Any) -> Any:
    last = e.subtract(size, 1) if isinstance(size, Tensor) else size - 1
    period = e.maximum(e.multiply(last, 2), 1) if isinstance(size, Tensor) else max(2 * last, 1)
    inside = _modulo(places, period)
    return _lowest(inside, _minus(e.multiply(last, 2) if isinstance(size, Tensor) else 2 * last, inside))


def _mirrored(places: Any, size: Any) -> Any:
    twice = e.multiply(size, 2) if isinstance(size, Tensor) else 2 * size
    inside = _modulo(places, twice)
    return _lowest(inside, _minus(_minus(twice, 1), inside))


def _modulo(a: Any, b: Any) -> Any:
    return e.mod(a, b) if isinstance(a, Tensor) or isinstance(b, Tensor) else a % b


def _minus(a: Any, b: Any) -> Any:
    return e.subtract(a, b) if isinstance(a, Tensor) or isinstance(b, Tensor) else a - b


def _nearest(places: Any, size: Any) -> Any:
    if isinstance(size, Tensor):
        return e.maximum(e.minimum(places, e.subtract(size, 1)), 0)
    return np.clip(places, 0, size - 1)


#: modes that repeat elements: from places that may lie outside, and the size, to places inside
_PLACES: dict[str, Callable[[Any, Any], Any]] = {
    "circular": _modulo, "edge": _nearest, "reflect": _reflected, "symmetric": _mirrored, "wrap": _modulo}


def _repeated(x: Any, axis: int, before: int, after: int, mode: str) -> Any:
    size = length(x, axis)
    if isinstance(size, Tensor):
        places = e.subtract(numbers(e.add(size, before + after)), before)
    else:
        places = np.arange(-before, size + after, dtype=np.int32)
    return take(x, _PLACES[mode](places, size), axis)


def _mean(x: Any, axis: int) -> Any:
    found = reduction.mean(x, axis=axis, keepdims=True)
    return e.cast(found if dtypes.is_float(dtype_of(x)) else e.round_(found), dtype_of(x))


#: modes that put one number before and after: of the elements along the axis
_STATISTICS: dict[str, Callable[[Any, int], Any]] = {
    "maximum": lambda x, axis: reduction.max_(x, axis=axis, keepdims=True),
    "mean": _mean,
    "median": lambda x, axis: e.cast(statistics.median(x, axis=axis, keepdims=True), dtype_of(x)),
    "minimum": lambda x, axis: reduction.min_(x, axis=axis, keepdims=True)}


def _levelled(x: Any, axis: int, before: int, after: int, mode: str) -> Any:
    level = _STATISTICS[mode](x, axis)
    sides = [shaping.repeat_elements(level, n, axis) for n in (before, after)]
    return shaping.concatenate([sides[0], x, sides[1]], axis)


def _ramped(x: Any, axis: int, before: int, after: int, mode: str) -> Any:
    shape = [-1 if a == axis else 1 for a in range(len(x.shape))]
    dtype = dtype_of(x)

    def side(width: int, place: int, rising: bool) -> Any:
        share = np.arange(width) / max(width, 1)
        if not rising:
            share = share[::-1]
        edge = take(x, np.array([place], np.int32), axis)
        if dtypes.is_float(dtype):
            return edge * share.reshape(shape).astype(dtypes.numpy_dtype(dtype))
        return e.cast(e.floor(e.cast(edge, "float64") * share.reshape(shape)), dtype)

    return shaping.concatenate([side(before, 0, True), x, side(after, -1, False)], axis)


_MODES = ("constant", "empty", "linear_ramp", *_PLACES, *_STATISTICS)


def _pairs(pad_width: Any, rank: int) -> list[tuple[int, int]]:
    widths = to_numpy(pad_width)
    if widths.dtype.kind not in "iu" and widths.size:
        raise TypeError(f"pad_width must be integers, it is {pad_width!r}")
    if (widths < 0).any():
        raise ValueError(f"pad_width must not be negative, it is {pad_width!r}")
    try:
        return [(int(a), int(b)) for a, b in np.broadcast_to(widths, (rank, 2))]
    except ValueError:
        raise ValueError(f"pad_width {pad_width!r} is no number, pair, or {rank} pairs for a rank of {rank}") from None


def _pad_samples() -> list[Any]:
    x = In((3, 4), distinct=True)
    common: dict[str, Any] = {"dtypes": ("float64", "float32")}
    repeated = [call(x, ((4, 1), (0, 5)), mode, name=mode, **common) for mode in _PLACES]
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


@derived(name="modern_pad", tolerance="moving", samples=_pad_samples)
def pad(x: TensorLike, pad_width: Any, mode: str = "constant", constant_values: float | None = None) -> Any:
    """``x`` with more elements around it (NumPy's ``pad``).

    Args:
        x: a tensor of rank n.
        pad_width: a number, a pair (before, after), or n pairs.
        mode: what is put there: 'constant' (0 or ``constant_values``), 'edge' (the last element again), 'reflect' (the
            elements backwards, without the last one), 'symmetric' (with it), 'wrap' or 'circular' (those of the other
            end), 'maximum', 'mean', 'median', 'minimum' (of the elements along the axis), 'linear_ramp' (down to 0),
            'empty' (zeros, so that programs can be repeated).
        constant_values: a number, for 'constant' only.

    Raises:
        ValueError: an unknown mode, negative or other numbers of pairs, a value with another mode, or elements
            repeated where there are none. TypeError: a width or value that is no number.

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
        return joining.pad(x, pairs, float(value))
    extend = _repeated if mode in _PLACES else _ramped if mode == "linear_ramp" else _levelled
    for axis, (before, after) in enumerate(pairs):
        if not before and not after:
            continue
        if x.shape[axis] == 0:
            raise ValueError(f"the mode {mode!r} needs elements along axis {axis} of shape {tuple(x.shape)}")
        x = extend(x, axis, before, after, mode)
    return x


# ------------------------------------------------------------------------------------- parts and places


@derived(name="modern_unstack", samples=lambda: [
    call(In((2, 3)), axis=1), call(In((2, 3)), 2, dynamic=False, name="number"), call(In((2, 3)), 3, -1, name="both"),
    call(In((2, 3)), 2, 1, raises=ValueError, name="another number")])
def unstack(x: TensorLike, num: int | None = None, axis: int = 0) -> list[Any]:
    """The parts of ``x`` along an axis, without that axis.

    Args:
        x: a tensor of rank 1 or more.
        num: how many; needed where the size is unknown.
        axis: the axis.

    Raises:
        ValueError: another number than the size, an unknown size, or an axis out of range.

    >>> from kbackend import ops
    >>> [float(v) for v in ops.unstack([1.0, 2.0])]
    [1.0, 2.0]
    """
    x = as_tensor(x)
    axis = axis_in(axis, len(x.shape))
    size = x.shape[axis]
    if num is not None:
        num = integer(num, "num")
        if size is not None and num != size:
            raise ValueError(f"unstack: num is {num}, axis {axis} has the size {size}")
        if size is None:
            return [x[*[slice(None)] * axis, i] for i in range(num)]
    return list(joining.unstack(x, axis))


def _same_around(x: Any, indices: Any, axis: int) -> tuple[Any, Any]:
    """Both broadcast against each other in all dimensions but one."""
    pairs = [(m, n) if a != axis else (None, None) for a, (m, n) in enumerate(zip(x.shape, indices.shape))]
    return (_grown(x, indices, [m == 1 and n != 1 for m, n in pairs]),
            _grown(indices, x, [n == 1 and m != 1 for m, n in pairs]))


def _grown(x: Any, other: Any, axes: list[bool]) -> Any:
    """``x`` repeated along some axes to the sizes of another tensor."""
    if not any(axes):
        return x
    return shaping.broadcast_to(x, [length(other if grow else x, a) for a, grow in enumerate(axes)])


@derived(name="modern_take_along_axis", tolerance="moving", samples=lambda: [
    call(In((3, 4)), In((3, 2), -4, 4, kind="int32"), 1), call(In((2, 3)), In((5,), -6, 6, kind="int32"), dynamic=False,
                                                               name="all elements"),
    call(In((3, 4)), In((1, 4), 0, 3, kind="int64"), 0, dynamic=False, name="one row"),
    call(In((1, 4)), In((3, 2), 0, 4, kind="int32"), -1, dynamic=False, name="broadcasting"),
    call(In((3, 4)), In((3,), kind="int32"), 1, raises=ValueError, dynamic=False, name="rank"),
    call(In((3, 4)), In((3, 1)), 1, raises=TypeError, name="floats")])
def take_along_axis(x: TensorLike, indices: TensorLike, axis: int | None = None) -> Any:
    """Elements of ``x`` along an axis, picked by a tensor of the same rank (NumPy's ``take_along_axis``).

    Args:
        x: a tensor.
        indices: integers in [-n, n); their other dimensions broadcast against those of ``x``.
        axis: the axis; None takes both as vectors.

    Raises:
        ValueError: other ranks, shapes that do not broadcast, or an axis out of range. TypeError: no integers.

    >>> from kbackend import ops
    >>> ops.convert_to_numpy(ops.take_along_axis([[3, 1], [4, 2]], [[-1], [0]], 1)).tolist()
    [[1], [4]]
    """
    x, indices = as_tensor(x), as_tensor(indices)
    if not dtypes.is_integer(dtype_of(indices)):
        raise TypeError(f"indices must be integers, they are {dtype_of(indices)}; cast them first")
    if axis is None:
        x, indices, axis = shaping.flatten(x), shaping.flatten(indices), 0
    axis = axis_in(axis, len(x.shape))
    if len(x.shape) != len(indices.shape):
        raise ValueError(f"the indices have rank {len(indices.shape)}, the tensor has rank {len(x.shape)}")
    x, indices = _same_around(x, indices, axis)
    indices = e.where(e.less(indices, 0), indices + e.cast(length(x, axis), dtype_of(indices)), indices)
    return indexing.take_along_axis(x, indices, axis)


@derived(name="modern_where", tolerance="exact", samples=lambda: [
    call(In((2, 3), kind="bool"), In((2, 3)), In((3,))), call(In((2, 3), kind="bool"), 1.0, name="x1 alone",
                                                              raises=ValueError),
    call(In((2,)), 1.0, 2.0, raises=TypeError, name="condition of floats")])
def where(condition: TensorLike, x1: TensorLike | None = None, x2: TensorLike | None = None) -> Any:
    """``x1`` where ``condition`` holds, else ``x2``, with broadcasting; without both the places where it holds.

    Args:
        condition: a bool tensor; without ``x1`` and ``x2`` of any dtype and of rank 1 or more.
        x1, x2: tensors or numbers; they are promoted to one dtype.

    Returns:
        A tensor; or what :func:`kbackend.ops.searching.nonzero` gives: a list of int32 vectors, one an axis.

    Raises:
        TypeError: a condition that is not bool. ValueError: only one of ``x1`` and ``x2``, or shapes that do not
            broadcast.

    >>> from kbackend import ops
    >>> [v.tolist() for v in map(ops.convert_to_numpy, ops.where([True, False, True]))]
    [[0, 2]]
    """
    if x1 is None and x2 is None:
        return searching.nonzero(condition)
    if x1 is None or x2 is None:
        raise ValueError("where needs both x1 and x2, or neither")
    return e.where(condition, x1, x2)


@derived(name="modern_matmul", tolerance="matmul", samples=lambda: [
    call(In((2, 3, 4)), In((4, 2))), call(In((3,)), In((3,)), dynamic=False, name="vectors"),
    call(In((2, 3)), In((3,)), name="matrix and vector"),
    call(In((3,)), In((2, 3, 2)), dynamic=False, name="vector first"),
    call(In(()), In((3,)), raises=ValueError, name="scalar")])
def matmul(x1: TensorLike, x2: TensorLike) -> Any:
    """The matrix product of the last two dimensions; the others broadcast (NumPy's ``matmul``).

    Args:
        x1: a tensor (..., n, k), or a vector (k,), which counts as a row; the result has no n then.
        x2: a tensor (..., k, m), or a vector (k,), which counts as a column; the result has no m then.

    Raises:
        ValueError: a scalar, inner dimensions that differ, or others that do not broadcast. TypeError: bool.

    >>> from kbackend import ops
    >>> float(ops.matmul([1.0, 2.0], [3.0, 4.0]))
    11.0
    """
    x1, x2 = as_tensor(x1), as_tensor(x2)
    row, column = len(x1.shape) == 1, len(x2.shape) == 1
    found = linear.matmul(shaping.expand_dims(x1, 0) if row else x1, shaping.expand_dims(x2, 1) if column else x2)
    found = shaping.squeeze(found, -1) if column else found
    return shaping.squeeze(found, -1 if column else -2) if row else found


__all__ = ["matmul", "pad", "take_along_axis", "unstack", "where"]
