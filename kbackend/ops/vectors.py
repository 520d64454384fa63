"""Products and comparisons of vectors: cross, kron, vander, corrcoef, correlate."""

from __future__ import annotations

import operator
import string
from typing import Any

import numpy as np

from kbackend import dtypes
from kbackend.graph.tensor import TensorSpec
from kbackend.ops import creation, indexing, reduction, shaping
from kbackend.ops import elementwise as e
from kbackend.ops.arranging import as_tensor, lengths, moveaxis, part, swapaxes, times
from kbackend.ops.complexes import conjugated
from kbackend.ops.convolution import convolution
from kbackend.ops.declare import TensorLike, composite, derived
from kbackend.ops.dispatch import dtype_of
from kbackend.ops.linear import matmul
from kbackend.ops.products import einsum
from kbackend.ops.reduction import _in_wide
from kbackend.ops.rules import WIDE, In, call, values
from kbackend.ops.shapes import axis_in

# ------------------------------------------------------------------------------------- products


def _last(x: Any, axis: int, name: str) -> Any:
    """``x`` with its vectors in the last axis."""
    if not len(x.shape):
        raise ValueError(f"cross: {name} is a number, a vector of 2 or 3 elements is needed")
    place = axis_in(axis, len(x.shape))
    if x.shape[place] not in (2, 3):
        raise ValueError(f"cross: {name} of shape {tuple(x.shape)} has {x.shape[place]} elements in axis {place}, "
                         "not 2 or 3")
    return moveaxis(x, place, -1)


def _element(x: Any, i: int) -> Any:
    return x[Ellipsis, i]


def _minor(x: Any, y: Any, i: int, j: int) -> Any:
    """``x[i] * y[j] - x[j] * y[i]``; a third element that is not there is 0."""
    have = [k < x.shape[-1] and m < y.shape[-1] for k, m in ((i, j), (j, i))]
    first, second = (e.multiply(_element(x, k), _element(y, m)) if there else None
                     for there, (k, m) in zip(have, ((i, j), (j, i))))
    if second is None:
        return first
    return e.negative(second) if first is None else e.subtract(first, second)


@derived(tolerance="matmul", samples=lambda: [
    call(In((4, 3)), In((4, 3))), call(In((2, 1, 3), 0.5), In((3, 4), 0.5), axisb=0, axisc=0, name="axes, broadcast"),
    call(In((2, 2)), In((2, 3)), name="2 and 3"), call(In((2, 3)), In((2, 2)), name="3 and 2"),
    call(In((4, 2)), In((2,)), name="2 and 2"), call(In((3, 2)), In((3, 2)), axis=0, name="axis", dynamic=False),
    call(values(1, 2, 3, kind="int32"), values(0, 1, 0, kind="int32"), gradient=False, name="int32",
         expect=np.array([-3, 0, 1], np.int32), dynamic=False),
    call(In((2, 4)), In((2, 4)), raises=ValueError, name="4", dtypes=WIDE),
    call(In((2, 3)), In((5, 3)), raises=ValueError, name="shapes", dtypes=WIDE)])
def cross(x1: TensorLike, x2: TensorLike, axisa: int = -1, axisb: int = -1, axisc: int = -1,
          axis: int | None = None) -> Any:
    """The cross product of vectors of 2 or 3 elements (NumPy's ``cross``).

    Args:
        x1, x2: tensors; all other axes broadcast. A third element that is missing is 0.
        axisa, axisb: the axes of the vectors.
        axisc: the axis of the vectors of the result.
        axis: an axis in the place of all three.

    Returns:
        A tensor of vectors of 3 elements; of numbers, the third elements, where both operands have 2.

    Raises:
        ValueError: vectors of another or an unknown size, axes out of range, shapes that do not broadcast.
        TypeError: bool operands.

    >>> from kbackend import K, ops
    >>> K.eval(ops.vectors.cross(K.constant([1., 0., 0.]), K.constant([0., 1., 0.]))).tolist()
    [0.0, 0.0, 1.0]
    """
    if axis is not None:
        axisa = axisb = axisc = axis
    x, y = _last(as_tensor(x1), axisa, "x1"), _last(as_tensor(x2), axisb, "x2")
    third = _minor(x, y, 0, 1)
    if x.shape[-1] == 2 and y.shape[-1] == 2:
        return third
    parts = [_minor(x, y, 1, 2), _minor(x, y, 2, 0), third]
    return shaping.stack(parts, axis_in(axisc, len(third.shape) + 1))


@derived(tolerance="matmul", samples=lambda: [
    call(In((2, 3)), In((3, 2))), call(In((2,)), In((3, 1, 2)), name="ranks"), call(In(()), In((2,)), name="a number"),
    call(In((0, 2)), In((3, 1)), name="empty"),
    call(values(1, 2, kind="int32"), values(1, 10, kind="int32"), gradient=False, name="int32",
         expect=np.array([1, 10, 2, 20], np.int32)),
    call(In((2,), kind="bool"), In((2,), kind="bool"), raises=TypeError, name="bool")])
def kron(x1: TensorLike, x2: TensorLike) -> Any:
    """The product of Kronecker: each element of ``x1`` times all of ``x2`` (NumPy's ``kron``).

    Args:
        x1, x2: tensors; the one of smaller rank gets axes of size 1 in front.

    Returns:
        A tensor whose sizes are the products of theirs.

    Raises:
        TypeError: bool operands.

    >>> from kbackend import K, ops
    >>> K.eval(ops.vectors.kron(K.constant([1., 2.]), K.constant([1., 1.]))).tolist()
    [1.0, 1.0, 2.0, 2.0]
    """
    x, y = as_tensor(x1), as_tensor(x2)
    rank = max(len(x.shape), len(y.shape))
    first, second = ([*[1] * (rank - len(t.shape)), *lengths(t)] for t in (x, y))
    ours, theirs = string.ascii_lowercase[:rank], string.ascii_uppercase[:rank]
    mixed = "".join(a + b for a, b in zip(ours, theirs))
    # Not a broadcast product: the program of its gradient ends the process under TensorFlow where x1 is empty.
    found = einsum(f"{ours},{theirs}->{mixed}", shaping.reshape(x, first), shaping.reshape(y, second))
    return shaping.reshape(found, [times(a, b) for a, b in zip(first, second)])


@derived(tolerance="cumulative", samples=lambda: [
    call(values(0.5, -2.0, 0.0), dynamic=False, dtypes=WIDE), call(In((3,)), 2, True, name="increasing"),
    call(In((2,)), 1, name="ones"), call(In((2,)), 0, name="no column"), call(In((0,)), 3, name="empty"),
    call(values(2, 3, kind="int32"), 3, gradient=False, name="int32",
         expect=np.array([[4, 2, 1], [9, 3, 1]], np.int32)),
    call(In((2, 2)), raises=ValueError, name="rank", dtypes=WIDE),
    call(In((2,)), -1, raises=ValueError, name="columns", dtypes=WIDE)])
def vander(x: TensorLike, N: int | None = None, increasing: bool = False) -> Any:
    """The matrix of the powers of a vector (NumPy's ``vander``).

    Args:
        x: a vector.
        N: how many columns; as many as elements when None.
        increasing: the powers grow from left to right, from 0 to N - 1.

    Returns:
        A tensor (elements, N) of the dtype of ``x``.

    Raises:
        ValueError: another rank, a negative N, or None where the number of elements is unknown.
        TypeError: bools; an N that is no integer.

    >>> from kbackend import K, ops
    >>> K.eval(ops.vectors.vander(K.constant([2., 3.]), 3)).tolist()
    [[4.0, 2.0, 1.0], [9.0, 3.0, 1.0]]
    """
    x = as_tensor(x)
    if len(x.shape) != 1:
        raise ValueError(f"vander needs a vector, the shape is {tuple(x.shape)}")
    count = x.shape[0] if N is None else operator.index(N)
    if count is None or count < 0:
        raise ValueError(f"vander needs a number of columns, N is {N!r} and the shape {tuple(x.shape)}")
    column = shaping.expand_dims(x, 1) + 0  # refuses bools, for which there are no products
    if count == 0:
        return part(column, 1, 0, 0)
    powers = creation.ones_like(column)
    if count > 1:
        repeated = shaping.repeat_elements(column, count - 1, 1)
        powers = shaping.concatenate([powers, reduction.cumprod(repeated, axis=1)], 1)
    return powers if increasing else shaping.reverse(powers, 1)


# ------------------------------------------------------------------------------------- correlations


def _corrcoef_rule(x: TensorSpec) -> TensorSpec:
    if x.ndim not in (1, 2):
        raise ValueError(f"corrcoef needs a vector, or a matrix with a variable in each row, not {x.shape}")
    return TensorSpec((x.shape[0], x.shape[0]) if x.ndim == 2 else (), x.dtype)


@composite(promote="float", rule=_corrcoef_rule, tolerance="matmul", samples=lambda: [
    call(In((3, 6)), dtypes=WIDE), call(In((2, 5), 1.0, 9.0), name="float16"),
    call(In((4,)), name="a vector", expect=np.array(1.0), gradient=False, dynamic=False, dtypes=WIDE),
    call(In((2, 3), values=[[1.0, 2.0, 4.0], [-2.0, -4.0, -8.0]]), name="opposite", gradient=False, dtypes=WIDE,
         expect=np.array([[1.0, -1.0], [-1.0, 1.0]])),
    call(In((2, 3), 0, 9, kind="int32"), name="int32", gradient=False),
    call(In((2, 2, 2)), raises=ValueError, name="rank", dtypes=WIDE)])
def corrcoef(x: TensorLike) -> Any:
    """The coefficients of correlation of Pearson (NumPy's ``corrcoef``).

    Args:
        x: a matrix with a variable in each row, or a vector; integers become floatx. float16 is computed in float32.

    Returns:
        A matrix (rows, rows) of numbers from -1 to 1, or the number 1; NaN for a row of equal elements.

    Raises:
        ValueError: another rank.

    >>> from kbackend import K, ops
    >>> K.eval(ops.vectors.corrcoef(K.constant([[1., 2.], [4., 3.]]))).round(5).tolist()
    [[1.0, -1.0], [-1.0, 1.0]]
    """
    def body(wide: Any) -> Any:
        rows = wide if len(wide.shape) == 2 else shaping.expand_dims(wide, 0)
        centred = rows - reduction.mean(rows, axis=1, keepdims=True)
        length = e.sqrt(reduction.sum_(e.square(centred), axis=1, keepdims=True))
        unit = centred / length
        found = e.clip(matmul(unit, swapaxes(unit, 0, 1)), -1.0, 1.0)
        return found if len(wide.shape) == 2 else _element(_element(found, 0), 0)

    return _in_wide(body, x)


_MODES = ("valid", "same", "full")


def _slid(x: Any, y: Any, pad: int) -> Any:
    """The sums of products of the vector ``y`` with each piece of ``x``, which gets ``pad`` zeros at its ends."""
    if dtypes.is_float(dtype_of(x)):
        column = shaping.reshape(x, (1, -1, 1))
        found = convolution(column, shaping.reshape(y, (-1, 1, 1)), padding=((pad, pad),))
        return shaping.reshape(found, (-1,))
    wide = shaping.reshape(shaping.temporal_padding(shaping.reshape(x, (1, -1, 1)), (pad, pad)), (-1,))
    count = x.shape[0] + 2 * pad - y.shape[0] + 1
    places = np.arange(count, dtype=np.int32)[:, None] + np.arange(y.shape[0], dtype=np.int32)
    return einsum("ij,j->i", indexing.gather(wide, places), y)


@derived(tolerance="matmul", samples=lambda: [
    call(In((5,)), In((3,)), dynamic=False), call(In((5,)), In((2,)), "same", name="same, even", dynamic=False),
    call(In((3,)), In((5,)), "full", name="full", dynamic=False), call(In((2,)), In((4,)), name="the second is longer",
                                                                     dynamic=False, dtypes=WIDE),
    call(In((2,)), In((5,)), "same", name="same, the second is longer", dynamic=False, dtypes=WIDE),
    call(values(1, 2, 3, kind="int32"), values(0, 1, kind="int32"), "full", gradient=False, name="int32",
         dynamic=False, expect=np.array([1, 2, 3, 0], np.int32)),
    call(In((0,)), In((2,)), raises=ValueError, name="empty", dtypes=WIDE, dynamic=False),
    call(In((3,)), In((2,)), "some", raises=ValueError, name="mode", dtypes=WIDE, dynamic=False),
    call(In((3, 1)), In((2,)), raises=ValueError, name="rank", dtypes=WIDE, dynamic=False)])
def correlate(x1: TensorLike, x2: TensorLike, mode: str = "valid") -> Any:
    """The cross-correlation of two vectors, ``c[k] = sum(x1[n + k] * conj(x2[n]))`` (NumPy's ``correlate``).

    Args:
        x1, x2: vectors of known size.
        mode: 'valid': where they overlap fully; 'same': as many as the longer has elements, from the middle of
            'full'; 'full': wherever they overlap.

    Returns:
        A vector of their common dtype; integers stay integers.

    Raises:
        ValueError: another mode or rank, an empty vector, an unknown size.
        TypeError: bools.

    >>> from kbackend import K, ops
    >>> K.eval(ops.vectors.correlate(K.constant([1., 2., 3.]), K.constant([0., 1., 0.5]), "same")).tolist()
    [2.0, 3.5, 3.0]
    """
    x, y = as_tensor(x1), as_tensor(x2)
    if mode not in _MODES:
        raise ValueError(f"the mode of correlate is one of {', '.join(map(repr, _MODES))}, it is {mode!r}")
    shapes = f"the shapes are {tuple(x.shape)} and {tuple(y.shape)}"
    if len(x.shape) != 1 or len(y.shape) != 1 or None in (x.shape[0], y.shape[0]):
        raise ValueError(f"correlate needs vectors of known size, {shapes}")
    if 0 in (x.shape[0], y.shape[0]):
        raise ValueError(f"correlate needs elements, {shapes}")
    common = dtypes.promote(dtype_of(x), dtype_of(y))
    if common == dtypes.BOOL:
        raise TypeError("arithmetic on bool tensors; cast them first")
    x, y = e.cast(x, common), conjugated(e.cast(y, common))
    # As in NumPy the shorter one slides, which decides where the middle of 'same' is.
    turned = x.shape[0] < y.shape[0]
    long, short = (y, x) if turned else (x, y)
    size = short.shape[0]
    found = _slid(long, short, 0 if mode == "valid" else size - 1)
    if mode == "same":
        start = (size - 1) // 2
        found = part(found, 0, start, start + long.shape[0])
    return shaping.reverse(found, 0) if turned else found


__all__ = ["corrcoef", "correlate", "cross", "kron", "vander"]
