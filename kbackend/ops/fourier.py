"""Fourier transforms of pairs (real, imaginary), as in Keras 3, and of the windows of a signal."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from kbackend import dtypes
from kbackend.graph.tensor import Shape, TensorSpec
from kbackend.ops import elementwise as e
from kbackend.ops.declare import TensorLike, TensorList, derived, primitive
from kbackend.ops.indexing import getitem
from kbackend.ops.joining import broadcast_to, concatenate, pad
from kbackend.ops.reshaping import extent, reverse
from kbackend.ops.rules import WIDE, In, Sample, call, dtype_of
from kbackend.ops.shapes import merge
from kbackend.ops.state import constant

_WINDOWS = {"hann": np.hanning, "hamming": np.hamming}
#: sums of squared windows below this are taken for none
_NOTHING = 1e-10

# ------------------------------------------------------------ transforms of one or two axes


def _check_floats(*specs: TensorSpec) -> None:
    for spec in specs:
        if spec.dtype not in WIDE:
            raise TypeError(f"Fourier transforms need float32 or float64, not {spec.dtype}; cast it first")


def _check_sizes(shape: Shape, rank: int) -> None:
    if len(shape) < rank:
        raise ValueError(f"rank {rank} or more is needed, the shape is {shape}")
    if 0 in shape[len(shape) - rank :]:
        raise ValueError(f"there is nothing to transform in the shape {shape}")


@primitive(promote="float", tolerance="matmul", samples=lambda: [
    call(In((2, 3)), In((2, 3)), 1, False, dtypes=WIDE), call(In((3, 4)), In((3, 4)), 2, True, dtypes=WIDE),
    call(In((0, 3)), In((0, 3)), 1, False, dtypes=WIDE, name="empty"),
    call(In((2, 3)), In((2, 2)), 1, False, dtypes=WIDE, raises=ValueError, name="shapes"),
    call(In((2,)), In((2,)), 1, False, dtypes=("float16",), raises=TypeError, name="float16")])
def fourier(x: TensorLike, y: TensorLike, rank: int, inverse: bool) -> tuple[TensorSpec, TensorSpec]:
    """Real and imaginary part of the discrete Fourier transform of ``x + iy`` over the last ``rank`` axes, or of its
    inverse, which divides by the number of elements."""
    _check_floats(x, y)
    shape = merge(x.shape, y.shape)
    _check_sizes(shape, rank)
    return TensorSpec(shape, x.dtype), TensorSpec(shape, x.dtype)


@primitive(promote="float", tolerance="matmul", samples=lambda: [
    call(In((2, 5)), dtypes=WIDE), call(In((2, 1)), dtypes=WIDE, name="one"), call(In((3, 4)), dtypes=WIDE),
    call(In((2, 0)), dtypes=WIDE, raises=ValueError, name="nothing")])
def real_fourier(x: TensorLike) -> tuple[TensorSpec, TensorSpec]:
    """Real and imaginary part of the first half, ``n // 2 + 1``, of the Fourier transform of n real numbers."""
    _check_floats(x)
    _check_sizes(x.shape, 1)
    shape = (*x.shape[:-1], None if x.shape[-1] is None else x.shape[-1] // 2 + 1)
    return TensorSpec(shape, x.dtype), TensorSpec(shape, x.dtype)


@primitive(promote="float", tolerance="matmul", samples=lambda: [
    call(In((2, 3)), In((2, 3)), 4, dtypes=WIDE), call(In((2, 3)), In((2, 3)), 5, dtypes=WIDE, name="odd"),
    call(In((2, 3)), In((2, 3)), None, dtypes=WIDE, name="even by itself"),
    call(In((2, 1)), In((2, 1)), None, dtypes=WIDE, raises=ValueError, name="nothing"),
    call(In((2, 3)), In((2, 3)), 6, dtypes=WIDE, raises=ValueError, name="length")])
def real_fourier_inverse(x: TensorLike, y: TensorLike, length: int | None) -> TensorSpec:
    """The ``length`` real numbers of which :func:`real_fourier` makes ``x + iy``; None for ``2 (size - 1)``. The
    imaginary parts of the first frequency, and of the last one of an even length, make no difference."""
    _check_floats(x, y)
    shape = merge(x.shape, y.shape)
    _check_sizes(shape, 1)
    size = shape[-1]
    if length is None and size is not None:
        length = 2 * (size - 1)
    if length is not None and (length < 1 or size not in (None, length // 2 + 1)):
        raise ValueError(f"{length} numbers cannot be made of {size} frequencies")
    return TensorSpec((*shape[:-1], length), x.dtype)


# ------------------------------------------------------------ pairs


def _wide(parts: Sequence[Any], name: str) -> tuple[list[Any], str]:
    """The operands as float32 or float64, and the dtype of the result."""
    found = [dtype_of(p) for p in parts]
    if any(dtypes.is_complex(d) for d in found):
        raise TypeError(f"{name} takes real and imaginary part as two tensors, it was given {', '.join(found)}")
    dtype = dtypes.to_float(dtypes.promote(*found))
    return [e.cast(p, "float32") for p in parts] if dtype not in WIDE else list(parts), dtype


def _pair(x: Any, name: str) -> tuple[list[Any], str]:
    if not isinstance(x, (tuple, list)) or len(x) != 2:
        raise ValueError(f"{name} takes a pair of tensors, real and imaginary part; it was given {_said(x)}")
    shapes = [_shape(part) for part in x]
    if len(shapes[0]) != len(shapes[1]) or any(
        None not in (a, b) and a != b for a, b in zip(*shapes)
    ):
        raise ValueError(f"{name}: real and imaginary part have the shapes {shapes[0]} and {shapes[1]}")
    return _wide(x, name)


def _said(x: Any) -> str:
    return f"{len(x)} of them" if isinstance(x, (tuple, list)) else f"a {type(x).__name__}"


def _shape(x: Any) -> Shape:
    return tuple(x.shape) if hasattr(x, "shape") else np.shape(x)


def _as(results: Sequence[Any], dtype: str) -> tuple[Any, Any]:
    first, second = (r if dtype in WIDE else e.cast(r, dtype) for r in results)
    return first, second


def _transform(x: Any, name: str, rank: int, inverse: bool) -> tuple[Any, Any]:
    (real, imaginary), dtype = _pair(x, name)
    return _as(fourier(real, imaginary, rank, inverse), dtype)


def _pair_samples(rank: int) -> list[Sample]:
    return [
        call((In((2, 3, 4)), In((2, 3, 4)))),
        call((In((0, 3, 2)), In((0, 3, 2))), name="empty"),
        call((In((2, 3), 0, 9, kind="int32"), In((2, 3))), gradient=False, name="int32", dtypes=WIDE),
        call((In((2, 2)), In((2, 3))), raises=ValueError, name="shapes"),
        call(In((2, 2, 2)), raises=ValueError, name="no pair"),
        call((In((2,) * rank, kind="complex64"),) * 2, raises=TypeError, name="complex"),
        call((In((2,) * (rank - 1)),) * 2, raises=ValueError, name="rank"),
    ]


@derived(tolerance="matmul", samples=lambda: _pair_samples(1))
def fft(x: TensorList) -> tuple[Any, Any]:
    """The discrete Fourier transform over the last axis.

    Args:
        x: a pair of tensors of one shape (..., n): real and imaginary part. Small floats are transformed in float32.

    Returns:
        The pair of real and imaginary part, of that shape.

    Raises:
        ValueError: no pair, shapes that differ, no last axis, or one of size 0.
        TypeError: complex tensors.

    >>> from kbackend import K
    >>> from kbackend.ops.fourier import fft
    >>> [K.eval(part).tolist() for part in fft((K.constant([1.0, 2.0]), K.constant([0.0, 0.0])))]
    [[3.0, -1.0], [0.0, 0.0]]
    """
    return _transform(x, "fft", 1, False)


@derived(tolerance="matmul", samples=lambda: _pair_samples(1))
def ifft(x: TensorList) -> tuple[Any, Any]:
    """The inverse of :func:`fft`, with the same arguments and errors.

    >>> from kbackend import K
    >>> from kbackend.ops.fourier import ifft
    >>> [K.eval(part).tolist() for part in ifft((K.constant([3.0, -1.0]), K.constant([0.0, 0.0])))]
    [[1.0, 2.0], [0.0, 0.0]]
    """
    return _transform(x, "ifft", 1, True)


@derived(tolerance="matmul", samples=lambda: _pair_samples(2))
def fft2(x: TensorList) -> tuple[Any, Any]:
    """The discrete Fourier transform over the last two axes. Arguments and errors as in :func:`fft`.

    >>> from kbackend import K
    >>> from kbackend.ops.fourier import fft2
    >>> K.eval(fft2((K.constant([[1.0, 2.0]]), K.constant([[0.0, 0.0]])))[0]).tolist()
    [[3.0, -1.0]]
    """
    return _transform(x, "fft2", 2, False)


@derived(tolerance="matmul", samples=lambda: _pair_samples(2))
def ifft2(x: TensorList) -> tuple[Any, Any]:
    """The inverse of :func:`fft2`, with the same arguments and errors.

    >>> from kbackend import K
    >>> from kbackend.ops.fourier import ifft2
    >>> K.eval(ifft2((K.constant([[3.0, -1.0]]), K.constant([[0.0, 0.0]])))[0]).tolist()
    [[1.0, 2.0]]
    """
    return _transform(x, "ifft2", 2, True)


# ------------------------------------------------------------ real numbers


def _whole(value: Any, name: str, least: int = 1) -> int:
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{name} must be an integer, it is {value!r}") from None
    if number < least:
        raise ValueError(f"{name} must be {least} or more, it is {number}")
    return number


def _fitted(x: Any, size: int) -> Any:
    """The last axis cut, or continued with zeros, to a size."""
    shape = _shape(x)
    known = shape[-1]
    if known is None or known < size:
        x = pad(x, [(0, 0)] * (len(shape) - 1) + [(0, size - (known or 0))])
    return x if known is not None and known <= size else getitem(x, (..., slice(0, size)))


@derived(tolerance="matmul", samples=lambda: [
    call(In((2, 5))), call(In((2, 3)), 8, name="zeros behind", dtypes=WIDE), call(In((2, 7)), 4, dtypes=WIDE),
    call(In((3,), 0, 9, kind="int32"), gradient=False, name="int32"), call(In((0, 4)), name="empty", dtypes=WIDE),
    call(In((2, 3)), 0, raises=ValueError, name="length"), call(In((2, 3)), 2.5, raises=TypeError, name="no integer"),
    call(In(()), raises=ValueError, name="scalar"), call(In((2,), kind="complex64"), raises=TypeError)])
def rfft(x: TensorLike, fft_length: int | None = None) -> tuple[Any, Any]:
    """The Fourier transform of real numbers over the last axis; what it gives is half of a symmetric whole.

    Args:
        x: a tensor (..., n). Small floats are transformed in float32.
        fft_length: the number of elements that are transformed: n is cut, or continued with zeros. None for n.

    Returns:
        The pair of real and imaginary part, (..., fft_length // 2 + 1).

    Raises:
        ValueError: no last axis, or one of size 0; a length below 1.
        TypeError: complex numbers; a length that is no integer.

    >>> from kbackend import K
    >>> from kbackend.ops.fourier import rfft
    >>> [K.eval(part).tolist() for part in rfft(K.constant([1.0, 2.0, 3.0, 2.0]))]
    [[8.0, -2.0, 0.0], [0.0, 0.0, 0.0]]
    """
    (x,), dtype = _wide([x], "rfft")
    _check_sizes(_shape(x), 1)
    if fft_length is not None:
        x = _fitted(x, _whole(fft_length, "fft_length"))
    return _as(real_fourier(x), dtype)


@derived(tolerance="matmul", samples=lambda: [
    call((In((2, 3)), In((2, 3)))), call((In((2, 3)), In((2, 3))), 5, name="odd", dtypes=WIDE),
    call((In((2, 3)), In((2, 3))), 8, name="zeros behind", dtypes=WIDE),
    call((In((2, 5)), In((2, 5))), 4, name="cut", dtypes=WIDE),
    call((In((2, 1)), In((2, 1))), raises=ValueError, name="nothing"),
    call((In((0, 3)), In((0, 3))), name="empty", dtypes=WIDE),
    call((In((2, 3)), In((2, 3))), -2, raises=ValueError, name="length"),
    call((In((2, 3)), In((2, 2))), raises=ValueError, name="shapes"),
    call(In((2, 3)), raises=ValueError, name="no pair")])
def irfft(x: TensorList, fft_length: int | None = None) -> Any:
    """The inverse of :func:`rfft`: real numbers.

    Args:
        x: a pair of tensors of one shape (..., m): real and imaginary part.
        fft_length: how many numbers are made; x is cut, or continued with zeros, to ``fft_length // 2 + 1``. None
            for ``2 (m - 1)``.

    Returns:
        A tensor (..., fft_length).

    Raises:
        ValueError: no pair, shapes that differ, no last axis, a length below 1.
        TypeError: complex tensors; a length that is no integer.

    >>> from kbackend import K
    >>> from kbackend.ops.fourier import irfft
    >>> K.eval(irfft((K.constant([8.0, -2.0, 0.0]), K.constant([0.0, 0.0, 0.0])))).tolist()
    [1.0, 2.0, 3.0, 2.0]
    """
    parts, dtype = _pair(x, "irfft")
    _check_sizes(_shape(parts[0]), 1)
    if fft_length is not None:
        fft_length = _whole(fft_length, "fft_length")
        parts = [_fitted(p, fft_length // 2 + 1) for p in parts]
    found = real_fourier_inverse(*parts, fft_length)
    return found if dtype in WIDE else e.cast(found, dtype)


# ------------------------------------------------------------ windows of a signal


@primitive(view=True, tolerance="moving", samples=lambda: [
    call(In((2, 9)), 4, 2), call(In((8,)), 3, 4, name="gaps", dynamic=False), call(In((0, 3)), 3, 1, name="empty"),
    call(In((2, 3)), 4, 1, raises=ValueError, name="too long")])
def frame(x: TensorLike, length: int, stride: int) -> TensorSpec:
    """Windows of the last axis, each ``stride`` after the one before: (..., windows, length)."""
    if not x.ndim:
        raise ValueError("a scalar has no windows")
    size = x.shape[-1]
    if size is not None and size < length:
        raise ValueError(f"a window of {length} does not fit {size} samples")
    return TensorSpec((*x.shape[:-1], None if size is None else (size - length) // stride + 1, length), x.dtype)


@primitive(tolerance="reduction", samples=lambda: [
    call(In((2, 3, 4)), 2), call(In((3, 5)), 3, dynamic=False), call(In((2, 3)), 4, name="gaps", dynamic=False),
    call(In((0, 2, 3)), 1, name="empty"), call(In((3,)), 1, raises=ValueError, name="rank")])
def overlap_add(x: TensorLike, stride: int) -> TensorSpec:
    """The sum of windows, each ``stride`` after the one before; (..., windows, length) -> (..., samples)."""
    if x.ndim < 2 or x.shape[-2] == 0:
        raise ValueError(f"windows (..., windows, length) are needed, the shape is {x.shape}")
    if not dtypes.is_float(x.dtype):
        raise TypeError(f"windows of floats are needed, not {x.dtype}; cast them first")
    count, length = x.shape[-2:]
    size = None if count is None or length is None else (count - 1) * stride + length
    return TensorSpec((*x.shape[:-2], size), x.dtype)


def _window(window: Any, length: int, fft_length: int, dtype: str) -> Any:
    """The window, with zeros on both sides up to the length of the transform; None for none."""
    if window is None:
        return None
    if isinstance(window, str):
        if window not in _WINDOWS:
            raise ValueError(f"the window is {window!r}; known are {', '.join(map(repr, _WINDOWS))}")
        window = _WINDOWS[window](length + 1)[:-1] if length > 1 else np.ones(1)
    elif isinstance(window, (list, tuple)):
        window = np.asarray(window)
    if _shape(window) != (length,):
        raise ValueError(f"the window has the shape {_shape(window)}, its length must be {length}")
    if dtypes.is_complex(dtype_of(window)):
        raise TypeError(f"a window of real numbers is needed, not {dtype_of(window)}")
    before = (fft_length - length) // 2
    sides = (before, fft_length - length - before)
    if isinstance(window, np.ndarray):
        return np.pad(window.astype(dtypes.numpy_dtype(dtype)), sides)
    return pad(e.cast(window, dtype), [sides])


def _checked_lengths(sequence_length: Any, sequence_stride: Any, fft_length: Any) -> tuple[int, int, int]:
    try:
        stride = _whole(sequence_stride, "sequence_stride")
    except TypeError as error:
        raise ValueError(str(error)) from None  # Keras's kind
    length, size = _whole(sequence_length, "sequence_length"), _whole(fft_length, "fft_length")
    if size < length:
        raise ValueError(f"fft_length {size} is below sequence_length {length}")
    return length, stride, size


def _reflected(x: Any, width: int) -> Any:
    """The last axis continued on both sides by its mirror image, without the ends themselves."""
    size = _shape(x)[-1]
    if size is not None and size <= width:
        raise ValueError(f"{size} samples cannot be reflected by {width}; a signal must be longer than that")
    if not width:
        return x
    axis = len(_shape(x)) - 1
    before = reverse(getitem(x, (..., slice(1, width + 1))), axis)
    after = reverse(getitem(x, (..., slice(-width - 1, -1))), axis)
    return concatenate([before, x, after], axis=-1)


_SHORT = {"sequence_length": 4, "sequence_stride": 2, "fft_length": 4}


def _stft_samples() -> list[Sample]:
    short = {"dtypes": WIDE, **_SHORT}
    return [
        call(In((2, 9)), **short),
        call(In((9,)), 3, 2, 5, "hamming", False, dtypes=WIDE, name="zeros beside", dynamic=False),
        call(In((2, 2, 8)), 4, 3, 4, None, dtypes=WIDE, name="no window"),
        call(In((8,)), 4, 4, 4, In((4,)), dtypes=WIDE, name="a window", dynamic=False),
        call(In((0, 8)), name="empty", **short),
        call(In((8,)), 4, 2, 4, In((3,)), dtypes=WIDE, raises=ValueError, name="a short window"),
        call(In((8,)), 4, 2, 4, "square", dtypes=WIDE, raises=ValueError, name="unknown window"),
        call(In((8,)), 4, 0, 4, dtypes=WIDE, raises=ValueError, name="stride"),
        call(In((8,)), 4, 2, 3, dtypes=WIDE, raises=ValueError, name="short transform"),
        call(In((2,)), raises=ValueError, name="short signal", **short),
        call(In((8,), 0, 9, kind="int32"), raises=TypeError, name="int32", **_SHORT),
        call(In((8,)), raises=TypeError, name="float16", dtypes=("float16",), **_SHORT),
    ]


@derived(tolerance="matmul", samples=_stft_samples)
def stft(
    x: TensorLike,
    sequence_length: int,
    sequence_stride: int,
    fft_length: int,
    window: Any = "hann",
    center: bool = True,
) -> tuple[Any, Any]:
    """The Fourier transforms of overlapping windows of a signal, which is the last axis.

    Args:
        x: a tensor (..., samples) of float32 or float64.
        sequence_length: the length of the window.
        sequence_stride: from one window to the next.
        fft_length: the length of a transform; the window stands in its middle, with zeros beside it.
        window: "hann", "hamming" (the periodic ones), a vector of ``sequence_length`` numbers, or None: the whole
            ``fft_length`` as it is.
        center: whether the signal is reflected at its ends, by ``fft_length // 2``, so that windows stand around
            multiples of the stride. It must be longer than that; where its length is not known this is not checked.

    Returns:
        The pair of real and imaginary part, (..., windows, fft_length // 2 + 1).

    Raises:
        ValueError: lengths that do not fit each other, an unknown window or one of another length, a signal that is
            too short.
        TypeError: other dtypes, lengths that are no integers.

    >>> import numpy as np
    >>> from kbackend import K
    >>> from kbackend.ops.fourier import stft
    >>> K.eval(stft(K.constant(np.arange(5.0)), 3, 2, 3)[0]).round(3).tolist()
    [[0.75, -0.375], [3.75, -1.875], [5.25, -2.625]]
    """
    length, stride, size = _checked_lengths(sequence_length, sequence_stride, fft_length)
    x = np.asarray(x, float) if isinstance(x, (list, tuple)) else x
    dtype = dtype_of(x)
    if dtype not in WIDE:
        raise TypeError(f"stft needs float32 or float64, it was given {dtype}; cast it first")
    if not _shape(x):
        raise ValueError("stft needs a signal, it was given a scalar")
    shaped = _window(window, length, size, dtype)
    frames = frame(_reflected(x, size // 2) if center else x, size, stride)
    first, second = real_fourier(frames if shaped is None else e.multiply(frames, shaped))
    return first, second


def _istft_samples() -> list[Sample]:
    def pair(*shape: int) -> tuple[In, In]:
        return In(shape), In(shape)

    short = {"dtypes": WIDE, **_SHORT}
    return [
        call(pair(2, 5, 3), **short),
        call(pair(4, 3), 3, 2, 5, 7, "hamming", False, dtypes=WIDE, name="a length", dynamic=False),
        call(pair(2, 4, 3), 4, 3, 4, window=None, dtypes=WIDE, name="no window"),
        call(pair(3, 3), 4, 2, 4, None, In((4,), 0.5, 2), dtypes=WIDE, name="a window", dynamic=False),
        call(pair(2, 5, 4), raises=ValueError, name="other frequencies", **short),
        call(pair(3), raises=ValueError, name="rank", **short),
        call(pair(3, 3), 4, 2, 4, -1, dtypes=WIDE, raises=ValueError, name="negative length"),
        call(pair(3, 3), 4, 2, 4, window=In((5,)), dtypes=WIDE, raises=ValueError, name="a long window"),
        call(In((2, 3, 3)), raises=ValueError, name="no pair", **_SHORT),
    ]


@derived(tolerance="matmul", samples=_istft_samples)
def istft(
    x: TensorList,
    sequence_length: int,
    sequence_stride: int,
    fft_length: int,
    length: int | None = None,
    window: Any = "hann",
    center: bool = True,
) -> Any:
    """The signal of which :func:`stft` with the same arguments makes ``x``.

    What windows overlap is added and divided by the sum of their squares, at each sample by those that reach it, so
    that the ends of a signal come back too (Griffin and Lim, 1984). Without a window it is only added, as in Keras.

    Args:
        x: a pair of tensors of one shape (..., windows, fft_length // 2 + 1): real and imaginary part.
        length: how many samples are kept at most; None for all of them that lie inside.

    Returns:
        A tensor (..., samples).

    Raises:
        ValueError: as for stft; a pair of another last dimension or of rank below 2; a length below 0.
        TypeError: complex tensors, lengths that are no integers.

    >>> import numpy as np
    >>> from kbackend import K
    >>> from kbackend.ops.fourier import istft, stft
    >>> K.eval(istft(stft(K.constant(np.arange(8.0)), 4, 2, 4), 4, 2, 4)).round(3).tolist()
    [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]
    """
    size, stride, whole = _checked_lengths(sequence_length, sequence_stride, fft_length)
    parts, dtype = _pair(x, "istft")
    shape = _shape(parts[0])
    if len(shape) < 2 or shape[-1] not in (None, whole // 2 + 1):
        raise ValueError(f"istft needs tensors (..., windows, {whole // 2 + 1}), their shape is {shape}")
    kept = None if length is None else _whole(length, "length", 0)
    shaped = _window(window, size, whole, dtype if dtype in WIDE else "float32")
    frames = real_fourier_inverse(*parts, whole)
    found = overlap_add(frames if shaped is None else e.multiply(frames, shaped), stride)
    if shaped is not None:
        found = e.divide(found, _squares(shaped, frames, stride, whole))
    start = whole // 2 if center else 0
    stop = start + kept if kept is not None else -start if center and start else None
    found = getitem(found, (..., slice(start, stop)))
    return found if dtype in WIDE else e.cast(found, dtype)


def _squares(window: Any, frames: Any, stride: int, whole: int) -> Any:
    """At each sample the sum of the squares of the windows there; 1 where there is none."""
    count = _shape(frames)[-2]
    if isinstance(window, np.ndarray):
        if count is not None:
            return _squares_beforehand(window, count, stride)
        window = constant(window, window.dtype)
    rows = [extent(frames, (len(_shape(frames)) - 2,)) if count is None else count, whole]
    total = overlap_add(broadcast_to(e.square(window), rows), stride)
    return e.where(e.greater(total, _NOTHING), total, 1.0)


def _squares_beforehand(window: np.ndarray, count: int, stride: int) -> np.ndarray:
    total = np.zeros((count - 1) * stride + window.size, window.dtype)
    for start in range(0, count * stride, stride):
        total[start : start + window.size] += np.square(window)
    return np.where(total > _NOTHING, total, total.dtype.type(1))


__all__ = ["fft", "fft2", "ifft", "ifft2", "irfft", "istft", "rfft", "stft"]
