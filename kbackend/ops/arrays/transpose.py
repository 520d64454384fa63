"""Permutation of axes, and reversal and rotation of the elements along them."""

from __future__ import annotations

from typing import Any

from kbackend.declare import static_values
from kbackend.declare.decorate import derived, primitive
from kbackend.declare.op import TensorLike
from kbackend.declare.sample import In, call
from kbackend.declare.shapes import axes_in, axis_in
from kbackend.graph.tensor import TensorSpec
from kbackend.ops.arrays.dims import length, lengths, part
from kbackend.ops.arrays.join import concatenate_last
from kbackend.ops.arrays.reshape import flatten, reshape
from kbackend.ops.core.arguments import as_tensor, integer, rank_of, ranked
from kbackend.ops.elementwise.select import maximum


def _prepare_pattern(specs: Any, attrs: dict[str, Any]) -> dict[str, Any]:
    ndim = specs[0].ndim
    pattern = tuple(axis_in(a, ndim) for a in attrs["pattern"])
    if sorted(pattern) != list(range(ndim)):
        raise ValueError(
            f"the pattern must name each of the {ndim} axes once, it is {tuple(attrs['pattern'])}"
        )
    return {**attrs, "pattern": pattern}


@primitive(
    takes_complex=True,
    prepare=_prepare_pattern,
    view=True,
    tolerance="moving",
    samples=lambda: [
        call(In((2, 3, 4)), (2, 0, 1)),
        call(In((2, 3)), (1, 0)),
        call(In((0, 3)), (-1, 0)),
        call(In((2, 3)), (0, 0), name="twice", raises=ValueError),
    ],
)
def permute_dimensions(x: TensorLike, pattern: Any) -> TensorSpec:
    """``x`` with its axes permuted (Keras's ``K.permute_dimensions``).

    Args:
        x: a tensor of rank n.
        pattern: a permutation of 0..n-1: axis i of the result is axis pattern[i] of ``x``.

    Raises:
        ValueError: no permutation.

    >>> from kbackend import K
    >>> K.int_shape(K.permute_dimensions(K.placeholder((None, 2, 3)), (0, 2, 1)))
    (None, 3, 2)
    """
    return TensorSpec(tuple(x.shape[a] for a in pattern), x.dtype)


@derived(samples=lambda: [call(In((2, 3))), call(In((2, 3, 4))), call(In(())), call(In((0, 3)))])
def classic_transpose(x: TensorLike) -> Any:
    """``x`` with its axes in reverse order (Keras's ``K.transpose``).

    Args:
        x: a tensor of any shape and dtype.

    >>> from kbackend import K
    >>> K.int_shape(K.transpose(K.placeholder((None, 2, 3))))
    (3, 2, None)
    """
    return permute_dimensions(x, tuple(reversed(range(rank_of(x)))))


@primitive(
    static_value=static_values.reversed_,
    takes_complex=True,
    prepare=lambda specs, attrs: {**attrs, "axes": axes_in(attrs["axes"], specs[0].ndim)},
    view=True,
    tolerance="moving",
    samples=lambda: [
        call(In((2, 3)), 1),
        call(In((2, 3, 2)), (0, -1)),
        call(In((0, 2)), 0),
        call(In((3,), 0, 9, kind="int32"), 0, name="int32", gradient=False),
    ],
)
def reverse(x: TensorLike, axes: Any) -> TensorSpec:
    """``x`` with the elements in reverse order along axes (Keras's ``K.reverse``).

    Args:
        x: a tensor of any dtype, of any shape.
        axes: an axis or several.

    Raises:
        ValueError: an axis out of range or repeated.

    >>> from kbackend import K
    >>> K.eval(K.reverse(K.constant([1, 2, 3]), 0)).tolist()
    [3.0, 2.0, 1.0]
    """
    return x


@derived(samples=lambda: [
    call(In((2, 3, 4))), call(In((2, 3, 4)), (1, 2, 0)), call(In((2, 3)), (0, 0), raises=ValueError)])
def transpose(x: TensorLike, axes: Any = None) -> Any:
    """``x`` with its axes permuted, by default in reverse order (NumPy's ``transpose``).

    Args:
        x: a tensor of rank n.
        axes: a permutation of 0..n-1, or None.

    Raises:
        ValueError: no permutation.

    >>> from kbackend import K
    >>> from kbackend.ops import transpose
    >>> K.int_shape(transpose(K.placeholder((None, 2, 3)), (1, 0, 2)))
    (2, None, 3)
    """
    x = as_tensor(x)
    return permute_dimensions(x, tuple(reversed(range(len(x.shape)))) if axes is None else axes)


@derived(samples=lambda: [
    call(In((2, 3, 4)), 0, -1), call(In((2, 3, 4)), (0, 1), (-1, 0), name="two"),
    call(In((2, 3)), (0, 1), 0, raises=ValueError, name="numbers"), call(In((2, 3)), 2, 0, raises=ValueError)])
def moveaxis(x: TensorLike, source: Any, destination: Any) -> Any:
    """``x`` with axes moved to other positions, the other axes in their order (NumPy's ``moveaxis``).

    Args:
        x: a tensor of any dtype, of any shape.
        source, destination: an axis each, or equally many.

    Raises:
        ValueError: an axis out of range or repeated, or different numbers of axes.

    >>> from kbackend import K
    >>> from kbackend.ops import moveaxis
    >>> K.int_shape(moveaxis(K.placeholder((None, 2, 3)), 0, -1))
    (2, 3, None)
    """
    x = as_tensor(x)
    rank = len(x.shape)
    sources = [axis_in(a, rank) for a in (source if isinstance(source, (list, tuple)) else [source])]
    targets = [axis_in(a, rank) for a in (destination if isinstance(destination, (list, tuple)) else [destination])]
    if len(sources) != len(targets) or len(set(sources)) != len(sources) or len(set(targets)) != len(targets):
        raise ValueError(f"moveaxis: the axes {source} cannot become the axes {destination}")
    order = [a for a in range(rank) if a not in sources]
    for target, axis in sorted(zip(targets, sources)):
        order.insert(target, axis)
    return permute_dimensions(x, order)


@derived(samples=lambda: [
    call(In((2, 3, 4)), 0, -1), call(In((2, 3)), 1, 1, name="one axis"), call(In((2, 3)), 0, 2, raises=ValueError)])
def swapaxes(x: TensorLike, axis1: int, axis2: int) -> Any:
    """``x`` with two axes exchanged (NumPy's ``swapaxes``).

    Args:
        x: a tensor of any dtype, of any shape.
        axis1, axis2: the axes.

    Raises:
        ValueError: an axis out of range.

    >>> from kbackend import K
    >>> from kbackend.ops import swapaxes
    >>> K.int_shape(swapaxes(K.placeholder((None, 2, 3)), 0, 2))
    (3, 2, None)
    """
    x = as_tensor(x)
    order = list(range(len(x.shape)))
    a, b = axis_in(axis1, len(order)), axis_in(axis2, len(order))
    order[a], order[b] = b, a
    return permute_dimensions(x, order)


@derived(samples=lambda: [
    call(In((2, 3))), call(In((2, 3)), -1), call(In((2, 0, 3)), (0, 2), name="empty"),
    call(In((2, 3)), 2, raises=ValueError)])
def flip(x: TensorLike, axis: Any = None) -> Any:
    """``x`` with the elements in reverse order along axes (NumPy's ``flip``).

    Args:
        x: a tensor of any dtype, of any shape.
        axis: an axis or several; None for all.

    Raises:
        ValueError: an axis out of range or repeated.

    >>> from kbackend import K
    >>> from kbackend.ops import flip
    >>> K.eval(flip(K.constant([[1, 2], [3, 4]]))).tolist()
    [[4.0, 3.0], [2.0, 1.0]]
    """
    x = as_tensor(x)
    return reverse(x, axes_in(axis, len(x.shape)))


@derived(samples=lambda: [call(In((2, 3))), call(In((3,)), raises=ValueError, name="vector")])
def fliplr(x: TensorLike) -> Any:
    """``x`` with the elements in reverse order along axis 1 (NumPy's ``fliplr``).

    Args:
        x: a tensor of rank 2 or more.

    Raises:
        ValueError: a rank below 2.

    >>> from kbackend import K
    >>> from kbackend.ops import fliplr
    >>> K.eval(fliplr(K.constant([[1, 2]]))).tolist()
    [[2.0, 1.0]]
    """
    return reverse(ranked(x, 2, "fliplr"), (1,))


@derived(samples=lambda: [call(In((2, 3))), call(In(()), raises=ValueError, name="scalar")])
def flipud(x: TensorLike) -> Any:
    """``x`` with the elements in reverse order along axis 0 (NumPy's ``flipud``).

    Args:
        x: a tensor of rank 1 or more.

    Raises:
        ValueError: a scalar.

    >>> from kbackend import K
    >>> from kbackend.ops import flipud
    >>> K.eval(flipud(K.constant([1, 2]))).tolist()
    [2.0, 1.0]
    """
    return reverse(ranked(x, 1, "flipud"), (0,))


@derived(samples=lambda: [
    call(In((2, 3))), call(In((2, 3)), 2, name="twice"), call(In((2, 3, 4)), -1, (2, 0), name="axes"),
    call(In((2, 3)), 1, (0, -2), raises=ValueError, name="one axis")])
def rot90(array: TensorLike, k: int = 1, axes: Any = (0, 1)) -> Any:
    """``array`` rotated by ``k`` times 90 degrees in the plane of two axes (NumPy's ``rot90``).

    Args:
        array: a tensor of rank 2 or more.
        k: the number of rotations from the first axis towards the second; negative for the other direction.
        axes: the two axes.

    Raises:
        ValueError: a rank below 2, an axis out of range, or axes that are not two different ones.
        TypeError: ``k`` is not an integer.

    >>> from kbackend import K
    >>> from kbackend.ops import rot90
    >>> K.eval(rot90(K.constant([[1, 2], [3, 4]]))).tolist()
    [[2.0, 4.0], [1.0, 3.0]]
    """
    x = ranked(array, 2, "rot90")
    a, b = [axis_in(i, len(x.shape)) for i in axes] if len(axes) == 2 else (0, 0)
    if a == b:
        raise ValueError(f"rot90 needs two different axes, they are {tuple(axes)}")
    k = integer(k, "the number of turns") % 4
    if k == 0:
        return x
    if k == 2:
        return reverse(x, (a, b))
    return swapaxes(reverse(x, (b,)), a, b) if k == 1 else reverse(swapaxes(x, a, b), (b,))


@derived(samples=lambda: [
    call(In((2, 3)), 4, name="all elements"), call(In((3, 4)), -1, 0), call(In((3, 4)), (1, -6), (0, -1), name="two"),
    call(In((0, 2)), 1, 0, name="empty"), call(In((2, 3)), 1, 2, raises=ValueError),
    call(In((2, 3)), (1, 2, 3), (0, 1), raises=ValueError, name="numbers")])
def roll(x: TensorLike, shift: Any, axis: Any = None) -> Any:
    """The elements shifted cyclically along axes (NumPy's ``roll``).

    Args:
        x: a tensor of any dtype, of any shape.
        shift: the number of positions, an integer or one for each axis.
        axis: an axis or several; None shifts the elements of the flattened tensor.

    Raises:
        ValueError: an axis out of range, or another number of shifts than axes.
        TypeError: a shift that is not an integer.

    >>> from kbackend import K
    >>> from kbackend.ops import roll
    >>> K.eval(roll(K.constant([1, 2, 3]), 1)).tolist()
    [3.0, 1.0, 2.0]
    """
    x = as_tensor(x)
    if axis is None:
        return reshape(roll(flatten(x), shift, 0), lengths(x))
    axes = [axis_in(a, len(x.shape)) for a in (axis if isinstance(axis, (list, tuple)) else [axis])]
    shifts = list(shift) if isinstance(shift, (list, tuple)) else [shift] * len(axes)
    if len(axes) == 1:
        axes = axes * len(shifts)
    if len(shifts) != len(axes):
        raise ValueError(f"roll: {len(shifts)} shifts were given for {len(axes)} axes")
    for a, s in zip(axes, shifts):
        x = _rolled(x, integer(s, "a shift"), a)
    return x


def _rolled(x: Any, shift: int, axis: int) -> Any:
    size = length(x, axis)
    if isinstance(size, int):
        start = -shift % max(size, 1)
        if start == 0:
            return x
    else:
        start = -shift % maximum(size, 1)
    return concatenate_last([part(x, axis, start, None), part(x, axis, 0, start)], axis)


__all__ = ["flip", "fliplr", "flipud", "moveaxis", "roll", "rot90", "swapaxes", "transpose"]
