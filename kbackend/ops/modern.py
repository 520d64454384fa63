"""The new meanings of names that K keeps with their old ones: ``kbackend.ops.repeat`` is not ``K.repeat``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from kbackend import config, dtypes
from kbackend.graph.tensor import Tensor
from kbackend.ops import control, creation, indexing, reduction, shaping
from kbackend.ops import elementwise as e
from kbackend.ops.arranging import as_tensor, integer, take
from kbackend.ops.declare import TensorLike, TensorList, derived
from kbackend.ops.dispatch import dtype_of, lift, to_numpy
from kbackend.ops.pieces import cut
from kbackend.ops.rules import In, Sample, call
from kbackend.ops.shapes import axes_in, axis_in
from kbackend.ops.state import constant
from kbackend.ops.triangles import spaced

# ------------------------------------------------------------------------------------- repeating and cutting


@derived(name="modern_repeat", samples=lambda: [
    call(In((2, 3)), 2, name="all elements"), call(In((2, 3)), 2, -1), call(In((2, 3)), [2, 0, 1], 1, name="each"),
    call(In((2, 3)), [3], 0, name="one number"), call(In((2, 3)), -1, 0, raises=ValueError, name="negative"),
    call(In((2, 3)), [1, 2], 1, raises=ValueError, name="numbers")])
def repeat(x: TensorLike, repeats: Any, axis: int | None = None) -> Any:
    """Each element repeated along an axis (NumPy's ``repeat``).

    Args:
        x: a tensor.
        repeats: how often: an integer, or one for each element along the axis, known while the graph is built.
        axis: the axis; None takes ``x`` as a vector.

    Raises:
        ValueError: a negative number, another number of them, or an axis out of range.
        TypeError: numbers that are no integers, or symbolic.

    >>> from kbackend import K
    >>> from kbackend.ops.modern import repeat
    >>> K.eval(repeat(K.constant([1, 2]), [2, 1])).tolist()
    [1.0, 1.0, 2.0]
    """
    x = as_tensor(x)
    if axis is None:
        x, axis = shaping.flatten(x), 0
    axis = axis_in(axis, len(x.shape))
    given = repeats if isinstance(repeats, Tensor) else to_numpy(repeats)
    if isinstance(given, Tensor) or given.dtype.kind not in "iu" or given.ndim > 1:
        raise TypeError(f"repeats must be integers known while the graph is built, they are {repeats!r}")
    if (given < 0).any():
        raise ValueError(f"repeats must not be negative, they are {repeats}")
    if given.size == 1:
        return shaping.repeat_elements(x, int(given.reshape(())), axis)
    if x.shape[axis] != given.size:
        raise ValueError(f"{given.size} repeats were given for axis {axis} of size {x.shape[axis]}")
    return take(x, np.repeat(np.arange(given.size, dtype=np.int32), given), axis)


@derived(name="modern_slice", samples=lambda: [
    call(In((3, 4)), (1, 0), (2, 3), dynamic=False),
    call(In((3, 4)), (2, 0), (2, 3), raises=ValueError, dynamic=False, name="does not fit")])
def slice_(inputs: TensorLike, start_indices: Any, shape: Any) -> Any:
    """The block of a shape that begins at ``start_indices``.

    Args:
        inputs: a tensor of rank n.
        start_indices, shape: n integers or integer scalars each; -1 in the shape means all that follow.

    Raises:
        ValueError: other numbers of integers, or a block that does not fit.

    >>> from kbackend import K
    >>> from kbackend.ops.modern import slice_
    >>> K.eval(slice_(K.constant([1, 2, 3]), [1], [2])).tolist()
    [2.0, 3.0]
    """
    return indexing.slice_(as_tensor(inputs), start_indices, shape)


@derived(name="modern_split", samples=lambda: [
    call(In((6, 2)), 3, dynamic=False), call(In((2, 5)), [1, 3], 1, name="places"),
    call(In((2, 5)), 2, 1, raises=ValueError, name="unequal")])
def split(x: TensorLike, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    """``x`` cut along an axis into equal parts, or at places (NumPy's ``split``).

    Args:
        x: a tensor of rank 1 or more.
        indices_or_sections: the number of parts, or the places of the cuts.
        axis: the axis; of known size when a number of parts is given.

    Raises:
        ValueError: parts that are not equal, an unknown size, or an axis out of range. TypeError: no integers.

    >>> from kbackend import K
    >>> from kbackend.ops.modern import split
    >>> [t.shape for t in split(K.zeros((4, 2)), [1])]
    [(1, 2), (3, 2)]
    """
    return cut(as_tensor(x), indices_or_sections, axis, equal=True)


@derived(name="modern_concatenate", samples=lambda: [
    call([In((2, 3)), In((2, 3))], dynamic=False), call([In((2, 3)), In((2, 1))], 1),
    call([In((2, 3)), In((2, 2))], raises=ValueError, name="shapes")])
def concatenate(xs: TensorList, axis: int = 0) -> Any:
    """Tensors put one after the other along an axis, the first unless another is given.

    Raises:
        ValueError: ranks or other dimensions differ.

    >>> from kbackend import K
    >>> from kbackend.ops.modern import concatenate
    >>> K.eval(concatenate([K.constant([1]), K.constant([2, 3])])).tolist()
    [1.0, 2.0, 3.0]
    """
    return shaping.concatenate(xs, axis)


@derived(name="modern_transpose", samples=lambda: [
    call(In((2, 3, 4))), call(In((2, 3, 4)), (1, 2, 0)), call(In((2, 3)), (0, 0), raises=ValueError)])
def transpose(x: TensorLike, axes: Any = None) -> Any:
    """The axes in another order, the reverse one unless they are given.

    Raises:
        ValueError: axes that are no permutation.

    >>> from kbackend import K
    >>> from kbackend.ops.modern import transpose
    >>> K.int_shape(transpose(K.placeholder((None, 2, 3)), (1, 0, 2)))
    (2, None, 3)
    """
    x = as_tensor(x)
    return shaping.permute_dimensions(x, tuple(reversed(range(len(x.shape)))) if axes is None else axes)


@derived(name="modern_squeeze", samples=lambda: [
    call(In((2, 1, 3, 1))), call(In((2, 1, 3, 1)), (1, -1), name="axes"), call(In((2, 3)), 1, raises=ValueError)])
def squeeze(x: TensorLike, axis: Any = None) -> Any:
    """``x`` without dimensions of 1: those of some axes, or all that are known to be 1.

    Raises:
        ValueError: another dimension, or an axis out of range or named twice.

    >>> from kbackend import K
    >>> from kbackend.ops.modern import squeeze
    >>> K.int_shape(squeeze(K.zeros((1, 2, 1))))
    (2,)
    """
    x = as_tensor(x)
    axes = [i for i, d in enumerate(x.shape) if d == 1] if axis is None else axes_in(axis, len(x.shape))
    for a in sorted(axes, reverse=True):
        x = shaping.squeeze(x, a)
    return x


# ------------------------------------------------------------------------------------- choosing a branch


def _branch_samples() -> list[Sample]:
    branches = [lambda x: e.add(x, 1.0), lambda x: e.multiply(x, 2.0), lambda x: e.negative(x)]
    index = In((), kind="int32", values=1)
    common: dict[str, Any] = {"dtypes": ("float32",)}
    return [
        call(index, branches, In((3,)), **common),
        call(In((), kind="int32", values=9), branches, In((3,)), name="above", **common),
        call(In((), kind="int32", values=-4), branches, In((3,)), name="below", **common),
        call(index, [], In((3,)), raises=ValueError, name="none", **common)]


@derived(name="modern_switch", samples=_branch_samples)
def switch(index: TensorLike, branches: Sequence[Callable[..., Any]], *operands: Any) -> Any:
    """The result of one of several functions; only that one is computed.

    Args:
        index: an integer scalar, limited to the numbers of the functions.
        branches: functions of the operands that return a tensor, or a list of as many each.
        *operands: tensors.

    Raises:
        ValueError: no functions, an index that is no scalar, or results that differ in number or rank.

    >>> from kbackend import K
    >>> from kbackend.ops.modern import switch
    >>> float(K.eval(switch(1, [lambda x: x, lambda x: -x], K.constant(2.0))))
    -2.0
    """
    if not branches:
        raise ValueError("switch needs one branch or more")
    if not isinstance(index, Tensor):
        known = to_numpy(index)
        if known.size != 1 or known.dtype.kind not in "iu":
            raise ValueError(f"the index must be an integer scalar, it is {index!r}")
        return branches[min(max(int(known.reshape(())), 0), len(branches) - 1)](*operands)
    if len(branches) == 1:
        return branches[0](*operands)
    given = [lift(o) for o in operands]

    def choose(first: int) -> Any:
        if first == len(branches) - 1:
            return branches[first](*given)
        return control.cond(e.less_equal(index, first), lambda: branches[first](*given), lambda: choose(first + 1))

    return choose(0)


# ------------------------------------------------------------------------------------- extremes with a start


def _extreme(x: Any, axis: Any, keepdims: bool, initial: Any, reduce: Callable[..., Any], pair: Callable[..., Any],
             furthest: int) -> Any:
    x = as_tensor(x)
    if initial is None:
        return reduce(x, axis=axis, keepdims=keepdims)
    axes = axes_in(axis, len(x.shape))
    if any(x.shape[a] == 0 for a in axes):
        return e.add(reduction.sum_(x, axis=axes, keepdims=keepdims), initial)  # the sum is 0
    unknown = [a for a in axes if x.shape[a] is None]
    if unknown:  # there may be no elements
        never = _furthest(dtype_of(x), furthest)
        x = shaping.pad(x, [(0, int(a in unknown)) for a in range(len(x.shape))], never)
    return pair(reduce(x, axis=axis, keepdims=keepdims), initial)


def _furthest(dtype: str, sign: int) -> Any:
    """The number that no other is beyond."""
    if not dtypes.is_integer(dtype):
        return sign * np.inf
    limits = np.iinfo(dtype)
    return int(limits.max if sign > 0 else limits.min)


@derived(name="modern_max", tolerance="exact", samples=lambda: [
    call(In((2, 3), distinct=True), 1), call(In((2, 3), distinct=True), 1, True, 0.5, name="initial"),
    call(In((2, 0)), 1, initial=2.0, gradient=False, name="of nothing"), call(In((2, 0)), 1, raises=ValueError)])
def max_(x: TensorLike, axis: Any = None, keepdims: bool = False, initial: Any = None) -> Any:
    """The largest element over axes, and no less than ``initial``, which is also that of nothing.

    Raises:
        ValueError: nothing without ``initial``, or an axis out of range or named twice.

    >>> from kbackend import K
    >>> from kbackend.ops.modern import max_
    >>> float(K.eval(max_(K.constant([1, 3]), initial=5)))
    5.0
    """
    return _extreme(x, axis, keepdims, initial, reduction.max_, e.maximum, -1)


@derived(name="modern_min", tolerance="exact", samples=lambda: [
    call(In((2, 3), distinct=True), 0), call(In((2, 3), distinct=True), 1, True, 0.5, name="initial"),
    call(In((2, 0)), 1, initial=2.0, gradient=False, name="of nothing"), call(In((2, 0)), 1, raises=ValueError)])
def min_(x: TensorLike, axis: Any = None, keepdims: bool = False, initial: Any = None) -> Any:
    """The smallest element over axes, and no more than ``initial``, which is also that of nothing.

    Errors as in :func:`max_`.

    >>> from kbackend import K
    >>> from kbackend.ops.modern import min_
    >>> float(K.eval(min_(K.constant([1, 3]), initial=0)))
    0.0
    """
    return _extreme(x, axis, keepdims, initial, reduction.min_, e.minimum, 1)


# ------------------------------------------------------------------------------------- creation


@derived(name="modern_identity", samples=lambda: [call(3), call(2, "int32"), call(0)])
def identity(n: int, dtype: Any = None) -> Any:
    """A matrix ``(n, n)`` with ones on the diagonal, of floatx unless another dtype is given.

    >>> from kbackend import K
    >>> from kbackend.ops.modern import identity
    >>> K.eval(identity(2)).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    return eye(n, dtype=dtype)


@derived(name="modern_eye", samples=lambda: [call(3), call(2, 4, 1, "int32"), call(0), call(3, k=-1)])
def eye(N: int, M: int | None = None, k: int = 0, dtype: Any = None) -> Any:
    """A matrix ``(N, M)`` with ones on diagonal ``k``, zeros elsewhere; square when ``M`` is None.

    Raises:
        TypeError: sizes that are no integers.

    >>> from kbackend import K
    >>> from kbackend.ops.modern import eye
    >>> K.eval(eye(2, k=1)).tolist()
    [[0.0, 1.0], [0.0, 0.0]]
    """
    rows = integer(N, "the number of rows")
    columns = rows if M is None else integer(M, "the number of columns")
    return constant(np.eye(rows, columns, integer(k, "the number of the diagonal")), dtype=dtype)


@derived(name="modern_zeros", samples=lambda: [call((2, 3)), call(2, "int32"), call((-1,), raises=ValueError)])
def zeros(shape: Any, dtype: Any = None) -> Any:
    """A tensor of zeros, no variable; dimensions may be integer scalars.

    >>> from kbackend import K
    >>> from kbackend.ops.modern import zeros
    >>> K.eval(zeros((2,))).tolist()
    [0.0, 0.0]
    """
    return creation.full(shape, 0, config.floatx() if dtype is None else dtype)


@derived(name="modern_ones", samples=lambda: [call((2, 3)), call(2, "int32"), call((-1,), raises=ValueError)])
def ones(shape: Any, dtype: Any = None) -> Any:
    """A tensor of ones, no variable; dimensions may be integer scalars.

    >>> from kbackend import K
    >>> from kbackend.ops.modern import ones
    >>> K.eval(ones((2,))).tolist()
    [1.0, 1.0]
    """
    return creation.full(shape, 1, config.floatx() if dtype is None else dtype)


@derived(name="modern_linspace", tolerance="elementwise", samples=lambda: [
    call(0.0, 1.0, 5), call(0.0, 1.0, 4, False, name="without the end"), call([0.0, 1.0], 2.0, 3, axis=1),
    call(0.0, 1.0, -1, raises=ValueError, name="negative")])
def linspace(start: Any, stop: Any, num: int = 50, endpoint: bool = True, retstep: bool = False, dtype: Any = None,
             axis: int = 0) -> Any:
    """Evenly spaced numbers (NumPy's ``linspace``).

    Args:
        start, stop: numbers or arrays.
        num: how many.
        endpoint: whether the last one is ``stop``.
        retstep: return (numbers, step).
        dtype: floatx when None.
        axis: the axis of the result along which they stand.

    Raises:
        ValueError: a negative number of points. TypeError: ends that are symbolic.

    >>> from kbackend import K
    >>> from kbackend.ops.modern import linspace
    >>> K.eval(linspace(0, 1, 3)).tolist()
    [0.0, 0.5, 1.0]
    """
    found = spaced(np.linspace, start, stop, num, dtype, endpoint=endpoint, axis=axis)
    if not retstep:
        return found
    parts = num - 1 if endpoint else num
    step = np.subtract(to_numpy(stop), to_numpy(start)) / parts if parts > 0 else np.nan
    return found, constant(step, dtype=dtype)


__all__ = [
    "concatenate", "eye", "identity", "linspace", "max_", "min_", "ones", "repeat", "slice_", "split", "squeeze",
    "switch", "transpose", "zeros",
]
