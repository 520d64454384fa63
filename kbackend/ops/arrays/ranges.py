"""Ranges, evenly spaced numbers, grids and Vandermonde matrices."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from kbackend import config, dtypes
from kbackend.declare.call import dtype_of, to_numpy
from kbackend.declare.decorate import derived, primitive
from kbackend.declare.op import TensorLike
from kbackend.declare.rules import WIDE, values
from kbackend.declare.sample import In, call
from kbackend.graph.tensor import Tensor, TensorSpec
from kbackend.ops.arrays.broadcast import broadcast_to
from kbackend.ops.arrays.dims import length, part
from kbackend.ops.arrays.join import concatenate_last
from kbackend.ops.arrays.repeat import repeat_elements
from kbackend.ops.arrays.reshape import expand_dims, reshape
from kbackend.ops.arrays.transpose import reverse
from kbackend.ops.core.arguments import as_tensor, chosen_dtype, integer
from kbackend.ops.core.creation import fresh_constant, ones_like
from kbackend.ops.core.leaves import constant
from kbackend.ops.elementwise.select import maximum, minimum, select_elements
from kbackend.ops.reduction.cumulative import cumprod_along


def _prepare_range(specs: Any, attrs: dict[str, Any]) -> dict[str, Any]:
    return {**attrs, "dtype": dtypes.canonical(attrs["dtype"])}


@primitive(
    name="arange",
    promote="same",
    prepare=_prepare_range,
    differentiable=False,
    tolerance="moving",
    samples=lambda: [
        call(
            In((), kind="int32", values=0),
            In((), kind="int32", values=5),
            In((), kind="int32", values=2),
            "int32",
            gradient=False,
        ),
        call(
            In((), kind="int32", values=5),
            In((), kind="int32", values=0),
            In((), kind="int32", values=-2),
            "float32",
            name="backwards",
            gradient=False,
        ),
    ],
)
def _arange(start: TensorLike, stop: TensorLike, step: TensorLike, dtype: str) -> TensorSpec:
    """The numbers from ``start`` to ``stop`` exclusive; all operands are scalars."""
    for spec in (start, stop, step):
        if spec.shape != ():
            raise ValueError(f"start, stop and step must be scalars, one is {spec}")
    return TensorSpec((None,), dtype)


@derived(
    samples=lambda: [
        call(4),
        call(2, 5),
        call(5, 0, -2),
        call(0, 1, 0.25, dtype="float32"),
        call(0),
        call(0, 3, 0, name="step 0", raises=ValueError),
        call(0, In((), kind="int32", values=3), name="symbolic stop"),
        call(0, In((), kind="int32", values=-3), name="symbolic stop before the start"),
        call(In((), kind="int32", values=2), 5, -1, name="symbolic start before the stop"),
        call(3, 0, In((), kind="int32", values=1), name="symbolic step away from the stop"),
        call(3, 0, In((), kind="int32", values=-2), name="symbolic step"),
    ]
)
def classic_arange(start: Any, stop: Any = None, step: Any = 1, dtype: Any = "int32") -> Any:
    """The numbers from ``start`` to ``stop`` exclusive (Keras's ``K.arange``).

    Args:
        start, stop, step: numbers or symbolic scalars. When ``stop`` is None, the range is from 0 to ``start``.
        dtype: the dtype of the result, int32 as in Keras.

    Returns:
        A vector, of unknown length if an argument is symbolic.

    Raises:
        ValueError: a step of 0.

    >>> from kbackend import K
    >>> K.eval(K.arange(3)).tolist()
    [0, 1, 2]
    """
    first, last = (0, start) if stop is None else (start, stop)
    chosen = chosen_dtype(dtype)
    if any(isinstance(v, Tensor) for v in (first, last, step)):
        return _arange(first, _reachable(first, last, step), step, chosen)
    bounds = [to_numpy(v).item() for v in (first, last, step)]
    if bounds[2] == 0:
        raise ValueError("K.arange: the step cannot be 0")
    return fresh_constant(dtypes.converted(np.arange(*bounds), chosen))


def _reachable(first: Any, last: Any, step: Any) -> Any:
    """The end of a range that has no numbers where the step leads away from it; engines refuse such a range."""
    if isinstance(step, Tensor):
        return select_elements((last - first) * step > 0, last, first)
    return maximum(first, last) if step > 0 else minimum(first, last)


@derived(samples=lambda: [
    call(4), call(5, 0, -2), call(0.0, 1.0, 0.25, name="floats"), call(3, dtype="float16", name="dtype"),
    call(0, In((), kind="int32", values=3), gradient=False, name="symbolic stop"),
    call(0, 3, 0, raises=ValueError, name="step 0")])
def arange(start: Any, stop: Any = None, step: Any = None, dtype: Any = None) -> Any:
    """The numbers from ``start`` to ``stop`` exclusive (NumPy's ``arange``).

    Args:
        start, stop, step: numbers or symbolic scalars. When ``stop`` is None, the range is from 0 to ``start``; a step
            of None is 1.
        dtype: when None int32 for integers and floatx for floats.

    Returns:
        A vector, of unknown length if an argument is symbolic.

    Raises:
        ValueError: a step of 0.

    >>> from kbackend import K, ops
    >>> K.eval(ops.arange(0.0, 1.0, 0.5)).tolist()
    [0.0, 0.5]
    """
    step = 1 if step is None else step
    if dtype is None:
        given = [dtype_of(v) for v in (start, stop, step) if v is not None]
        dtype = config.floatx() if any(dtypes.is_float(d) for d in given) else "int32"
    return classic_arange(start, stop, step, dtype)


def spaced(function: Callable[..., Any], start: Any, stop: Any, num: int, dtype: Any, **options: Any) -> Any:
    """A constant from a function of NumPy with two ends and a number of points.

    Raises:
        TypeError: an end that is symbolic, or a number of points that is not an integer.
    """
    for end in (start, stop):
        if isinstance(end, Tensor):
            raise TypeError(f"{function.__name__}: the ends must be known while the graph is built, one is {end!r}")
    count = integer(num, "the number of points")
    return constant(function(to_numpy(start), to_numpy(stop), count, **options), dtype=dtype)


@derived(tolerance="elementwise", samples=lambda: [
    call(0.0, 2.0, 3), call(0, 3, 4, False, 2.0, name="base 2"), call([0.0, 1.0], 2.0, 3, axis=-1, name="vector"),
    call(0.0, 1.0, -1, raises=ValueError, name="negative")])
def logspace(start: Any, stop: Any, num: int = 50, endpoint: bool = True, base: Any = 10, dtype: Any = None,
             axis: int = 0) -> Any:
    """Powers of ``base`` with evenly spaced exponents (NumPy's ``logspace``).

    Args:
        start, stop: the first and last exponent, numbers or arrays.
        num: the number of powers.
        endpoint: whether ``stop`` is included.
        base: the base.
        dtype: floatx when None.
        axis: the axis of the result along which the powers lie.

    Returns:
        A tensor of shape ``(num,)`` for numbers; for arrays of their shape with an axis of size ``num`` more.

    Raises:
        ValueError: a negative number of powers.
        TypeError: a symbolic ``start`` or ``stop``.

    >>> from kbackend import K
    >>> from kbackend.ops import logspace
    >>> K.eval(logspace(0, 2, 3)).tolist()
    [1.0, 10.0, 100.0]
    """
    return spaced(np.logspace, start, stop, num, dtype, endpoint=endpoint, base=base, axis=axis)


@derived(tolerance="elementwise", samples=lambda: [
    call(1.0, 8.0, 4), call(-1.0, -100.0, 3, False, name="negative"), call([1.0, 2.0], 8.0, 3, name="vector"),
    call(0.0, 1.0, 3, raises=ValueError, name="from 0")])
def geomspace(start: Any, stop: Any, num: int = 50, endpoint: bool = True, dtype: Any = None, axis: int = 0) -> Any:
    """A geometric progression (NumPy's ``geomspace``).

    Arguments as in :func:`logspace`; ``start`` and ``stop`` are the first and last number.

    Returns:
        A tensor of the shape that :func:`logspace` gives.

    Raises:
        ValueError: an end of 0, or a negative number of points.
        TypeError: a symbolic ``start`` or ``stop``.

    >>> from kbackend import K
    >>> from kbackend.ops import geomspace
    >>> K.eval(geomspace(1, 4, 3)).tolist()
    [1.0, 2.0, 4.0]
    """
    return spaced(np.geomspace, start, stop, num, dtype, endpoint=endpoint, axis=axis)


@derived(tolerance="elementwise", samples=lambda: [
    call(0.0, 1.0, 5), call(0.0, 1.0, 4, False, name="without the end"), call([0.0, 1.0], 2.0, 3, axis=1),
    call(0.0, 1.0, -1, raises=ValueError, name="negative")])
def linspace(start: Any, stop: Any, num: int = 50, endpoint: bool = True, retstep: bool = False, dtype: Any = None,
             axis: int = 0) -> Any:
    """Evenly spaced numbers (NumPy's ``linspace``).

    Args:
        start, stop: the first and last number, numbers or arrays.
        num: the number of points.
        endpoint: whether ``stop`` is included.
        retstep: whether the step is returned, too.
        dtype: floatx when None.
        axis: the axis of the result along which the numbers lie.

    Returns:
        A tensor; with ``retstep`` a pair of tensors (numbers, step).

    Raises:
        ValueError: a negative number of points.
        TypeError: a symbolic ``start`` or ``stop``.

    >>> from kbackend import K
    >>> from kbackend.ops import linspace
    >>> K.eval(linspace(0, 1, 3)).tolist()
    [0.0, 0.5, 1.0]
    """
    points = spaced(np.linspace, start, stop, num, dtype, endpoint=endpoint, axis=axis)
    if not retstep:
        return points
    intervals = num - 1 if endpoint else num
    step = np.subtract(to_numpy(stop), to_numpy(start)) / intervals if intervals > 0 else np.nan
    return points, constant(step, dtype=dtype)


def numbers(count: Any) -> Any:
    """0, 1, ... as int32: an array for an integer count, so that concrete calls stay concrete, else a tensor."""
    return np.arange(count, dtype=np.int32) if isinstance(count, int) else _arange(0, count, 1, "int32")


@derived(samples=lambda: [
    call(In((3,)), In((2,)), dynamic=False), call(In((3,)), In((2,)), In((1,)), indexing="ij", dynamic=False),
    call(In(()), In((2,)), name="scalar", dynamic=False), call(In((2, 2)), In((2,)), raises=ValueError, name="matrix"),
    call(In((2,)), indexing="yx", raises=ValueError, name="indexing")])
def meshgrid(*x: Any, indexing: str = "xy") -> list[Any]:
    """The coordinates of a grid from the coordinates along its axes (NumPy's ``meshgrid``).

    Args:
        *x: vectors or scalars.
        indexing: 'ij': vector i varies along axis i; 'xy': the first two axes are exchanged.

    Returns:
        A list of tensors of the shape of the grid, one for each vector.

    Raises:
        ValueError: another ``indexing``, or a tensor of rank 2 or more.

    >>> from kbackend import K
    >>> from kbackend.ops import meshgrid
    >>> [K.eval(t).tolist() for t in meshgrid(K.constant([1, 2]), K.constant([3]))]
    [[[1.0, 2.0]], [[3.0, 3.0]]]
    """
    if indexing not in ("xy", "ij"):
        raise ValueError(f"the indexing must be 'xy' or 'ij', it is {indexing!r}")
    vectors = [as_tensor(t) for t in x]
    if any(len(v.shape) > 1 for v in vectors):
        raise ValueError(f"meshgrid needs vectors, their shapes are {[tuple(v.shape) for v in vectors]}")
    vectors = [reshape(v, (-1,)) for v in vectors]
    axes = list(range(len(vectors)))
    if indexing == "xy" and len(axes) > 1:
        axes[:2] = [1, 0]
    shape: list[Any] = [None] * len(axes)
    for vector, axis in zip(vectors, axes):
        shape[axis] = length(vector, 0)
    grids = []
    for vector, axis in zip(vectors, axes):
        size = 0 if vector.shape[0] == 0 else -1  # -1 cannot be inferred for no elements
        grids.append(broadcast_to(reshape(vector, [size if i == axis else 1 for i in range(len(axes))]), shape))
    return grids


@derived(tolerance="cumulative", samples=lambda: [
    call(values(0.5, -2.0, 0.0), dynamic=False, dtypes=WIDE), call(In((3,)), 2, True, name="increasing"),
    call(In((2,)), 1, name="ones"), call(In((2,)), 0, name="no column"), call(In((0,)), 3, name="empty"),
    call(values(2, 3, kind="int32"), 3, gradient=False, name="int32",
         expect=np.array([[4, 2, 1], [9, 3, 1]], np.int32)),
    call(In((2, 2)), raises=ValueError, name="rank", dtypes=WIDE),
    call(In((2,)), -1, raises=ValueError, name="columns", dtypes=WIDE)])
def vander(x: TensorLike, N: int | None = None, increasing: bool = False) -> Any:
    """The Vandermonde matrix, whose columns are powers of a vector (NumPy's ``vander``).

    Args:
        x: a vector.
        N: the number of columns; the number of elements when None.
        increasing: whether the exponents increase from left to right, from 0 to N - 1, instead of decreasing.

    Returns:
        A tensor ``(elements, N)`` of the dtype of ``x``.

    Raises:
        ValueError: another rank, a negative N, or None where the number of elements is unknown.
        TypeError: a bool tensor, or an N that is not an integer.

    >>> from kbackend import K, ops
    >>> K.eval(ops.vander(K.constant([2., 3.]), 3)).tolist()
    [[4.0, 2.0, 1.0], [9.0, 3.0, 1.0]]
    """
    x = as_tensor(x)
    if len(x.shape) != 1:
        raise ValueError(f"vander needs a vector, the shape is {tuple(x.shape)}")
    count = x.shape[0] if N is None else operator.index(N)
    if count is None or count < 0:
        raise ValueError(f"vander needs a number of columns, N is {N!r} and the shape {tuple(x.shape)}")
    column = expand_dims(x, 1) + 0  # refuses bool, which has no products
    if count == 0:
        return part(column, 1, 0, 0)
    powers = ones_like(column)
    if count > 1:
        repeated = repeat_elements(column, count - 1, 1)
        powers = concatenate_last([powers, cumprod_along(repeated, axis=1)], 1)
    return powers if increasing else reverse(powers, 1)


__all__ = ["arange", "geomspace", "linspace", "logspace", "meshgrid", "vander"]
