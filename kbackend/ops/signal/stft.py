"""Short-time Fourier transforms: of the overlapping windows of a signal, and their inverse."""

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
from kbackend.ops.arrays.dims import length as dimension
from kbackend.ops.arrays.join import concatenate_last
from kbackend.ops.arrays.pad import pad_constant
from kbackend.ops.arrays.transpose import reverse
from kbackend.ops.core.cast import cast
from kbackend.ops.core.leaves import constant
from kbackend.ops.elementwise.power import square
from kbackend.ops.elementwise.select import select_elements
from kbackend.ops.signal.fft import parts_of, real_fourier, real_fourier_inverse, shape_of, whole_number

_WINDOWS = {"hann": np.hanning, "hamming": np.hamming}
#: sums of squared windows below this count as 0
_NEGLIGIBLE = 1e-10


@primitive(view=True, tolerance="moving", samples=lambda: [
    call(In((2, 9)), 4, 2), call(In((8,)), 3, 4, name="gaps", dynamic=False), call(In((0, 3)), 3, 1, name="empty"),
    call(In((2, 3)), 4, 1, raises=ValueError, name="too long")])
def frame(x: TensorLike, length: int, stride: int) -> TensorSpec:
    """Sliding windows of the last axis, whose starts are ``stride`` apart: (..., windows, length)."""
    if not x.ndim:
        raise ValueError("a signal must have rank 1 or more, it is a scalar")
    size = x.shape[-1]
    if size is not None and size < length:
        raise ValueError(f"a window of {length} does not fit {size} samples")
    return TensorSpec((*x.shape[:-1], None if size is None else (size - length) // stride + 1, length), x.dtype)


@primitive(tolerance="reduction", samples=lambda: [
    call(In((2, 3, 4)), 2), call(In((3, 5)), 3, dynamic=False), call(In((2, 3)), 4, name="gaps", dynamic=False),
    call(In((0, 2, 3)), 1, name="empty"), call(In((3,)), 1, raises=ValueError, name="rank")])
def overlap_add(x: TensorLike, stride: int) -> TensorSpec:
    """The sum of overlapping windows, whose starts are ``stride`` apart: (..., windows, length) -> (..., samples)."""
    if x.ndim < 2 or x.shape[-2] == 0:
        raise ValueError(f"overlap_add needs windows (..., windows, length), the shape is {x.shape}")
    if not dtypes.is_float(x.dtype):
        raise TypeError(f"overlap_add needs floats, not {x.dtype}; cast them first")
    count, length = x.shape[-2:]
    size = None if count is None or length is None else (count - 1) * stride + length
    return TensorSpec((*x.shape[:-2], size), x.dtype)


def _window(window: Any, length: int, fft_length: int, dtype: str) -> Any:
    """The window padded with zeros on both sides to the length of the transform; None for none."""
    if window is None:
        return None
    if isinstance(window, str):
        if window not in _WINDOWS:
            raise ValueError(f"unknown window {window!r}; choose one of {', '.join(map(repr, _WINDOWS))}")
        window = _WINDOWS[window](length + 1)[:-1] if length > 1 else np.ones(1)
    elif isinstance(window, (list, tuple)):
        window = np.asarray(window)
    if shape_of(window) != (length,):
        raise ValueError(f"the window must have the shape ({length},), it is {shape_of(window)}")
    if dtypes.is_complex(dtype_of(window)):
        raise TypeError(f"a window must be real, it is {dtype_of(window)}")
    before = (fft_length - length) // 2
    sides = (before, fft_length - length - before)
    if isinstance(window, np.ndarray):
        return np.pad(window.astype(dtypes.numpy_dtype(dtype)), sides)
    return pad_constant(cast(window, dtype), [sides])


def _checked_lengths(sequence_length: Any, sequence_stride: Any, fft_length: Any) -> tuple[int, int, int]:
    try:
        stride = whole_number(sequence_stride, "sequence_stride")
    except TypeError as error:
        raise ValueError(str(error)) from None  # the type of Keras's error
    length, size = whole_number(sequence_length, "sequence_length"), whole_number(fft_length, "fft_length")
    if size < length:
        raise ValueError(f"fft_length {size} must not be below sequence_length {length}")
    return length, stride, size


def _reflected(x: Any, width: int) -> Any:
    """``x`` with its last axis padded on both sides by reflection, without repeating the ends."""
    size = shape_of(x)[-1]
    if size is not None and size <= width:
        raise ValueError(f"a signal of {size} samples cannot be reflected by {width}; it must be longer than that")
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
    """The short-time Fourier transform of a signal along the last axis.

    Args:
        x: float32 or float64 (..., samples).
        sequence_length: the length of the window, in samples.
        sequence_stride: the distance between the starts of windows, in samples.
        fft_length: the length of a transform, in samples; a shorter window is centred in it and padded with zeros.
        window: "hann" or "hamming" (periodic), a vector of ``sequence_length`` numbers, or None for a rectangular
            window of ``fft_length``.
        center: whether the signal is padded by reflection with ``fft_length // 2`` samples at both ends, so that
            windows are centred at multiples of the stride. The signal must be longer than that, which is not checked
            if its length is unknown.

    Returns:
        The pair of real and imaginary part, (..., windows, fft_length // 2 + 1).

    Raises:
        ValueError: lengths that do not fit each other, an unknown window or one of another length, or a signal that is
            too short.
        TypeError: another dtype, or lengths that are not integers.

    Source: Allen and Rabiner, "A Unified Approach to Short-Time Fourier Analysis and Synthesis", 1977.

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
        raise TypeError(f"stft needs float32 or float64, not {dtype}; cast it first")
    if not shape_of(x):
        raise ValueError("stft needs a signal of rank 1 or more, it is a scalar")
    padded = _window(window, length, size, dtype)
    frames = frame(_reflected(x, size // 2) if center else x, size, stride)
    real, imaginary = real_fourier(frames if padded is None else frames * padded)
    return real, imaginary


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
    """The inverse short-time Fourier transform: the signal whose :func:`stft` with the same arguments is ``x``.

    The windowed inverse transforms are added and divided at each sample by the sum of the squares of the windows that
    cover it, so that the ends of the signal are recovered too. Without a window they are only added, as in Keras.

    Args:
        x: a pair of tensors (..., windows, fft_length // 2 + 1), the real and the imaginary part.
        sequence_length, sequence_stride, fft_length, window, center: as in :func:`stft`.
        length: the most samples to return; None for all that the windows cover, without the padding of ``center``.

    Returns:
        A tensor (..., samples).

    Raises:
        ValueError: lengths or windows as in :func:`stft`, a pair of another last dimension or of rank below 2, or a
            negative length.
        TypeError: complex tensors, or lengths that are not integers.

    Source: Griffin and Lim, "Signal Estimation from Modified Short-Time Fourier Transform", 1984.

    >>> import numpy as np
    >>> from kbackend import K
    >>> from kbackend.ops import istft, stft
    >>> K.eval(istft(stft(K.constant(np.arange(8.0)), 4, 2, 4), 4, 2, 4)).round(3).tolist()
    [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]
    """
    window_length, stride, size = _checked_lengths(sequence_length, sequence_stride, fft_length)
    parts, dtype = parts_of(x, "istft")
    shape = shape_of(parts[0])
    if len(shape) < 2 or shape[-1] not in (None, size // 2 + 1):
        raise ValueError(f"istft needs tensors (..., windows, {size // 2 + 1}), their shape is {shape}")
    most = None if length is None else whole_number(length, "length", 0)
    padded = _window(window, window_length, size, dtype if dtype in WIDE else "float32")
    frames = real_fourier_inverse(*parts, size)
    signal = overlap_add(frames if padded is None else frames * padded, stride)
    if padded is not None:
        signal = signal / _sum_of_squares(padded, frames, stride, size)
    start = size // 2 if center else 0
    stop = start + most if most is not None else -start if center and start else None
    signal = signal[..., start:stop]
    return signal if dtype in WIDE else cast(signal, dtype)


def _sum_of_squares(window: Any, frames: Any, stride: int, size: int) -> Any:
    """The sum of the squares of the windows at each sample; 1 where it is negligible."""
    count = dimension(frames, -2)
    if isinstance(window, np.ndarray):
        if isinstance(count, int):
            return _static_sum_of_squares(window, count, stride)
        window = constant(window, window.dtype)
    total = overlap_add(broadcast_to(square(window), [count, size]), stride)
    return select_elements(total > _NEGLIGIBLE, total, 1.0)


def _static_sum_of_squares(window: np.ndarray, count: int, stride: int) -> np.ndarray:
    """:func:`_sum_of_squares` of a known window and number of windows, computed while the graph is built."""
    total = np.zeros((count - 1) * stride + window.size, window.dtype)
    for start in range(0, count * stride, stride):
        total[start : start + window.size] += np.square(window)
    return np.where(total > _NEGLIGIBLE, total, total.dtype.type(1))


__all__ = ["istft", "stft"]
