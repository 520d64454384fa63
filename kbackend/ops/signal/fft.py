"""Discrete Fourier transforms of pairs (real, imaginary), as in Keras 3."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from kbackend import dtypes
from kbackend.declare.call import dtype_of
from kbackend.declare.decorate import derived, primitive
from kbackend.declare.op import TensorLike, TensorList
from kbackend.declare.rules import WIDE
from kbackend.declare.sample import In, Sample, call
from kbackend.declare.shapes import merge
from kbackend.graph.tensor import Shape, TensorSpec
from kbackend.ops.arrays.pad import pad_constant
from kbackend.ops.core.cast import cast


def _check_floats(*specs: TensorSpec) -> None:
    for spec in specs:
        if spec.dtype not in WIDE:
            raise TypeError(f"a Fourier transform needs float32 or float64, not {spec.dtype}; cast it first")


def _check_rank(shape: Shape, rank: int) -> None:
    if len(shape) < rank:
        raise ValueError(f"a Fourier transform over {rank} axes needs rank {rank} or more, the shape is {shape}")


def _check_sizes(shape: Shape, rank: int) -> None:
    _check_rank(shape, rank)
    if 0 in shape[len(shape) - rank :]:
        raise ValueError(f"a Fourier transform needs nonempty axes, the shape is {shape}")


@primitive(promote="float", tolerance="matmul", samples=lambda: [
    call(In((2, 3)), In((2, 3)), 1, False, dtypes=WIDE), call(In((3, 4)), In((3, 4)), 2, True, dtypes=WIDE),
    call(In((0, 3)), In((0, 3)), 1, False, dtypes=WIDE, name="empty"),
    call(In((2, 3)), In((2, 2)), 1, False, dtypes=WIDE, raises=ValueError, name="shapes"),
    call(In((2,)), In((2,)), 1, False, dtypes=("float16",), raises=TypeError, name="float16")])
def fourier(x: TensorLike, y: TensorLike, rank: int, inverse: bool) -> tuple[TensorSpec, TensorSpec]:
    """Real and imaginary part of the discrete Fourier transform of ``x + iy`` over the last ``rank`` axes.

    The inverse transform is divided by the number of elements.
    """
    _check_floats(x, y)
    shape = merge(x.shape, y.shape)
    _check_sizes(shape, rank)
    return TensorSpec(shape, x.dtype), TensorSpec(shape, x.dtype)


@primitive(promote="float", tolerance="matmul", samples=lambda: [
    call(In((2, 5)), dtypes=WIDE), call(In((2, 1)), dtypes=WIDE, name="one"), call(In((3, 4)), dtypes=WIDE),
    call(In((2, 0)), dtypes=WIDE, raises=ValueError, name="nothing")])
def real_fourier(x: TensorLike) -> tuple[TensorSpec, TensorSpec]:
    """Real and imaginary part of the first ``n // 2 + 1`` elements of the Fourier transform of n real numbers."""
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
    """The ``length`` real numbers whose :func:`real_fourier` is ``x + iy``; None for a length of ``2 (size - 1)``.

    The imaginary parts of the first frequency, and of the last frequency of an even length, are ignored.
    """
    _check_floats(x, y)
    shape = merge(x.shape, y.shape)
    _check_sizes(shape, 1)
    size = shape[-1]
    if length is None and size is not None:
        length = 2 * (size - 1)
    if length is not None and (length < 1 or size not in (None, length // 2 + 1)):
        raise ValueError(f"{size} frequencies are not those of {length} real numbers")
    return TensorSpec((*shape[:-1], length), x.dtype)


def _wide(parts: Sequence[Any], name: str) -> tuple[list[Any], str]:
    """The operands as float32 or float64, and the dtype of the result."""
    found = [dtype_of(p) for p in parts]
    if any(dtypes.is_complex(d) for d in found):
        raise TypeError(f"{name} takes real and imaginary part as two real tensors, not {', '.join(found)}")
    dtype = dtypes.to_float(dtypes.promote(*found))
    return [cast(p, "float32") for p in parts] if dtype not in WIDE else list(parts), dtype


def parts_of(x: Any, name: str) -> tuple[list[Any], str]:
    """Real and imaginary part as float32 or float64, and the dtype of the result.

    Raises:
        ValueError: not a pair, or shapes that differ.
        TypeError: complex tensors.
    """
    if not isinstance(x, (tuple, list)) or len(x) != 2:
        raise ValueError(f"{name} takes a pair of tensors, real and imaginary part, not {_described(x)}")
    shapes = [shape_of(part) for part in x]
    if len(shapes[0]) != len(shapes[1]) or any(
        None not in (a, b) and a != b for a, b in zip(*shapes)
    ):
        raise ValueError(f"{name}: real and imaginary part have the shapes {shapes[0]} and {shapes[1]}")
    return _wide(x, name)


def _described(x: Any) -> str:
    return f"{len(x)} tensors" if isinstance(x, (tuple, list)) else f"a {type(x).__name__}"


def shape_of(x: Any) -> Shape:
    return tuple(x.shape) if hasattr(x, "shape") else np.shape(x)


def _as(results: Sequence[Any], dtype: str) -> tuple[Any, Any]:
    first, second = (r if dtype in WIDE else cast(r, dtype) for r in results)
    return first, second


def _transform(x: Any, name: str, rank: int, inverse: bool) -> tuple[Any, Any]:
    (real, imaginary), dtype = parts_of(x, name)
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
        x: a pair of tensors (..., n), the real and the imaginary part. 16-bit floats are transformed in float32,
            integers in floatx.

    Returns:
        The pair of real and imaginary part, of the same shape.

    Raises:
        ValueError: not a pair, shapes that differ, a scalar, or a last axis of size 0.
        TypeError: complex tensors.

    >>> from kbackend import K
    >>> from kbackend.ops import fft
    >>> [K.eval(part).tolist() for part in fft((K.constant([1.0, 2.0]), K.constant([0.0, 0.0])))]
    [[3.0, -1.0], [0.0, 0.0]]
    """
    return _transform(x, "fft", 1, False)


@derived(tolerance="matmul", samples=lambda: _pair_samples(1))
def ifft(x: TensorList) -> tuple[Any, Any]:
    """The inverse discrete Fourier transform over the last axis, divided by its size.

    Arguments, result and errors are those of :func:`fft`.

    >>> from kbackend import K
    >>> from kbackend.ops import ifft
    >>> [K.eval(part).tolist() for part in ifft((K.constant([3.0, -1.0]), K.constant([0.0, 0.0])))]
    [[1.0, 2.0], [0.0, 0.0]]
    """
    return _transform(x, "ifft", 1, True)


@derived(tolerance="matmul", samples=lambda: _pair_samples(2))
def fft2(x: TensorList) -> tuple[Any, Any]:
    """The discrete Fourier transform over the last two axes.

    Arguments, result and errors are those of :func:`fft`, for tensors (..., m, n).

    >>> from kbackend import K
    >>> from kbackend.ops import fft2
    >>> K.eval(fft2((K.constant([[1.0, 2.0]]), K.constant([[0.0, 0.0]])))[0]).tolist()
    [[3.0, -1.0]]
    """
    return _transform(x, "fft2", 2, False)


@derived(tolerance="matmul", samples=lambda: _pair_samples(2))
def ifft2(x: TensorList) -> tuple[Any, Any]:
    """The inverse discrete Fourier transform over the last two axes, divided by their size.

    Arguments, result and errors are those of :func:`fft2`.

    >>> from kbackend import K
    >>> from kbackend.ops import ifft2
    >>> K.eval(ifft2((K.constant([[3.0, -1.0]]), K.constant([[0.0, 0.0]])))[0]).tolist()
    [[1.0, 2.0]]
    """
    return _transform(x, "ifft2", 2, True)


def whole_number(value: Any, name: str, least: int = 1) -> int:
    """An integer argument of at least ``least``.

    Raises:
        TypeError: not an integer.
        ValueError: a smaller one.
    """
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{name} must be an integer, it is {value!r}") from None
    if number < least:
        raise ValueError(f"{name} must be at least {least}, it is {number}")
    return number


def _fitted(x: Any, size: int) -> Any:
    """``x`` with its last axis cropped or padded with zeros to a size."""
    shape = shape_of(x)
    known = shape[-1]
    if known is None or known < size:
        x = pad_constant(x, [(0, 0)] * (len(shape) - 1) + [(0, size - (known or 0))])
    return x if known is not None and known <= size else x[..., 0:size]


@derived(tolerance="matmul", samples=lambda: [
    call(In((2, 5))), call(In((2, 3)), 8, name="zeros behind", dtypes=WIDE), call(In((2, 7)), 4, dtypes=WIDE),
    call(In((3,), 0, 9, kind="int32"), gradient=False, name="int32"), call(In((0, 4)), name="empty", dtypes=WIDE),
    call(In((2, 0)), 4, name="nothing but zeros", dtypes=WIDE), call(In((2, 0)), raises=ValueError, name="nothing"),
    call(In((2, 3)), 0, raises=ValueError, name="length"), call(In((2, 3)), 2.5, raises=TypeError, name="no integer"),
    call(In(()), raises=ValueError, name="scalar"), call(In((2,), kind="complex64"), raises=TypeError)])
def rfft(x: TensorLike, fft_length: int | None = None) -> tuple[Any, Any]:
    """The nonnegative frequencies of the discrete Fourier transform of real numbers over the last axis.

    Args:
        x: a tensor (..., n). 16-bit floats are transformed in float32, integers in floatx.
        fft_length: the length of the transform in samples, to which the last axis is cropped or padded with zeros;
            None for n.

    Returns:
        The pair of real and imaginary part, (..., fft_length // 2 + 1).

    Raises:
        ValueError: a scalar, a last axis of size 0 without ``fft_length``, or a length below 1.
        TypeError: a complex tensor, or a length that is not an integer.

    >>> from kbackend import K
    >>> from kbackend.ops import rfft
    >>> [K.eval(part).tolist() for part in rfft(K.constant([1.0, 2.0, 3.0, 2.0]))]
    [[8.0, -2.0, 0.0], [0.0, 0.0, 0.0]]
    """
    (x,), dtype = _wide([x], "rfft")
    _check_rank(shape_of(x), 1)
    if fft_length is not None:
        x = _fitted(x, whole_number(fft_length, "fft_length"))
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
    """The inverse of :func:`rfft`: the real numbers of which nonnegative frequencies are given.

    Args:
        x: a pair of tensors (..., m), the real and the imaginary part.
        fft_length: the length of the result in samples, for which the last axis is cropped or padded with zeros to
            ``fft_length // 2 + 1``; None for ``2 (m - 1)``.

    Returns:
        A real tensor (..., fft_length).

    Raises:
        ValueError: not a pair, shapes that differ, a scalar, or a length below 1.
        TypeError: complex tensors, or a length that is not an integer.

    >>> from kbackend import K
    >>> from kbackend.ops import irfft
    >>> K.eval(irfft((K.constant([8.0, -2.0, 0.0]), K.constant([0.0, 0.0, 0.0])))).tolist()
    [1.0, 2.0, 3.0, 2.0]
    """
    parts, dtype = parts_of(x, "irfft")
    _check_rank(shape_of(parts[0]), 1)
    if fft_length is not None:
        fft_length = whole_number(fft_length, "fft_length")
        parts = [_fitted(p, fft_length // 2 + 1) for p in parts]
    found = real_fourier_inverse(*parts, fft_length)
    return found if dtype in WIDE else cast(found, dtype)


__all__ = ["fft", "fft2", "ifft", "ifft2", "irfft", "rfft"]
