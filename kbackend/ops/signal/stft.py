"""The windows of a signal: cut, added up again, and their Fourier transforms."""

from __future__ import annotations

from typing import Any

import numpy as np

from kbackend import dtypes
from kbackend.declare.call import dtype_of
from kbackend.declare.decorate import derived, primitive
from kbackend.declare.op import TensorLike, TensorList
from kbackend.declare.rules import WIDE
from kbackend.declare.sample import In, Sample, call
from kbackend.graph.tensor import TensorSpec
from kbackend.ops.arrays.broadcast import broadcast_to
from kbackend.ops.arrays.join import concatenate_last
from kbackend.ops.arrays.pad import pad_constant
from kbackend.ops.arrays.reshape import extent
from kbackend.ops.arrays.transpose import reverse
from kbackend.ops.core.cast import cast
from kbackend.ops.core.leaves import constant
from kbackend.ops.elementwise.power import square
from kbackend.ops.elementwise.select import select_elements
from kbackend.ops.signal.fft import parts_of, real_fourier, real_fourier_inverse, shape_of, whole_number

_WINDOWS = {"hann": np.hanning, "hamming": np.hamming}
#: sums of squared windows below this are taken for none
_NOTHING = 1e-10


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
    if shape_of(window) != (length,):
        raise ValueError(f"the window has the shape {shape_of(window)}, its length must be {length}")
    if dtypes.is_complex(dtype_of(window)):
        raise TypeError(f"a window of real numbers is needed, not {dtype_of(window)}")
    before = (fft_length - length) // 2
    sides = (before, fft_length - length - before)
    if isinstance(window, np.ndarray):
        return np.pad(window.astype(dtypes.numpy_dtype(dtype)), sides)
    return pad_constant(cast(window, dtype), [sides])


def _checked_lengths(sequence_length: Any, sequence_stride: Any, fft_length: Any) -> tuple[int, int, int]:
    try:
        stride = whole_number(sequence_stride, "sequence_stride")
    except TypeError as error:
        raise ValueError(str(error)) from None  # Keras's kind
    length, size = whole_number(sequence_length, "sequence_length"), whole_number(fft_length, "fft_length")
    if size < length:
        raise ValueError(f"fft_length {size} is below sequence_length {length}")
    return length, stride, size


def _reflected(x: Any, width: int) -> Any:
    """The last axis continued on both sides by its mirror image, without the ends themselves."""
    size = shape_of(x)[-1]
    if size is not None and size <= width:
        raise ValueError(f"{size} samples cannot be reflected by {width}; a signal must be longer than that")
    if not width:
        return x
    axis = len(shape_of(x)) - 1
    before = reverse(x[..., 1:width + 1], axis)
    after = reverse(x[..., -width - 1:-1], axis)
    return concatenate_last([before, x, after], axis=-1)


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
    >>> from kbackend.ops import stft
    >>> K.eval(stft(K.constant(np.arange(5.0)), 3, 2, 3)[0]).round(3).tolist()
    [[0.75, -0.375], [3.75, -1.875], [5.25, -2.625]]
    """
    length, stride, size = _checked_lengths(sequence_length, sequence_stride, fft_length)
    x = np.asarray(x, float) if isinstance(x, (list, tuple)) else x
    dtype = dtype_of(x)
    if dtype not in WIDE:
        raise TypeError(f"stft needs float32 or float64, it was given {dtype}; cast it first")
    if not shape_of(x):
        raise ValueError("stft needs a signal, it was given a scalar")
    shaped = _window(window, length, size, dtype)
    frames = frame(_reflected(x, size // 2) if center else x, size, stride)
    first, second = real_fourier(frames if shaped is None else frames * shaped)
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
    >>> from kbackend.ops import istft, stft
    >>> K.eval(istft(stft(K.constant(np.arange(8.0)), 4, 2, 4), 4, 2, 4)).round(3).tolist()
    [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]
    """
    size, stride, whole = _checked_lengths(sequence_length, sequence_stride, fft_length)
    parts, dtype = parts_of(x, "istft")
    shape = shape_of(parts[0])
    if len(shape) < 2 or shape[-1] not in (None, whole // 2 + 1):
        raise ValueError(f"istft needs tensors (..., windows, {whole // 2 + 1}), their shape is {shape}")
    kept = None if length is None else whole_number(length, "length", 0)
    shaped = _window(window, size, whole, dtype if dtype in WIDE else "float32")
    frames = real_fourier_inverse(*parts, whole)
    found = overlap_add(frames if shaped is None else frames * shaped, stride)
    if shaped is not None:
        found = found / _squares(shaped, frames, stride, whole)
    start = whole // 2 if center else 0
    stop = start + kept if kept is not None else -start if center and start else None
    found = found[..., start:stop]
    return found if dtype in WIDE else cast(found, dtype)


def _squares(window: Any, frames: Any, stride: int, whole: int) -> Any:
    """At each sample the sum of the squares of the windows there; 1 where there is none."""
    count = shape_of(frames)[-2]
    if isinstance(window, np.ndarray):
        if count is not None:
            return _squares_beforehand(window, count, stride)
        window = constant(window, window.dtype)
    rows = [extent(frames, (len(shape_of(frames)) - 2,)) if count is None else count, whole]
    total = overlap_add(broadcast_to(square(window), rows), stride)
    return select_elements(total > _NOTHING, total, 1.0)


def _squares_beforehand(window: np.ndarray, count: int, stride: int) -> np.ndarray:
    total = np.zeros((count - 1) * stride + window.size, window.dtype)
    for start in range(0, count * stride, stride):
        total[start : start + window.size] += np.square(window)
    return np.where(total > _NOTHING, total, total.dtype.type(1))


__all__ = ["istft", "stft"]
