"""Cross and Kronecker products."""

from __future__ import annotations

import string
from typing import Any

import numpy as np

from kbackend.declare.call import lift
from kbackend.declare.decorate import derived
from kbackend.declare.op import TensorLike
from kbackend.declare.rules import WIDE, values
from kbackend.declare.sample import In, call
from kbackend.declare.shapes import axis_in
from kbackend.ops.arrays.dims import lengths, times
from kbackend.ops.arrays.join import stack
from kbackend.ops.arrays.reshape import reshape
from kbackend.ops.arrays.transpose import moveaxis
from kbackend.ops.core.arguments import as_tensor
from kbackend.ops.linalg.einsum import einsum


def _last(x: Any, axis: int, name: str) -> Any:
    """``x`` with the axis of the vectors moved to the end."""
    if not len(x.shape):
        raise ValueError(f"cross: {name} must be a vector of 2 or 3 elements, it is a scalar")
    place = axis_in(axis, len(x.shape))
    if x.shape[place] not in (2, 3):
        raise ValueError(f"cross: {name} of shape {tuple(x.shape)} must have 2 or 3 elements along axis {place}")
    return moveaxis(x, place, -1)


def _minor(x: Any, y: Any, i: int, j: int) -> Any:
    """``x[i] * y[j] - x[j] * y[i]``; a missing third element is 0."""
    first, second = (
        x[..., k] * y[..., m] if k < x.shape[-1] and m < y.shape[-1] else None for k, m in ((i, j), (j, i))
    )
    if second is None:
        return first
    return -second if first is None else first - second


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
        x1, x2: tensors; the other axes broadcast. A missing third element is 0.
        axisa, axisb: the axes of the vectors in ``x1`` and ``x2``.
        axisc: the axis of the vectors in the result.
        axis: replaces all three.

    Returns:
        A tensor of vectors of 3 elements; if all vectors have 2 elements, the third components without ``axisc``.

    Raises:
        ValueError: vectors of another or an unknown size, an axis out of range, or shapes that do not broadcast.
        TypeError: bool operands.

    >>> from kbackend import K, ops
    >>> K.eval(ops.cross(K.constant([1., 0., 0.]), K.constant([0., 1., 0.]))).tolist()
    [0.0, 0.0, 1.0]
    """
    if axis is not None:
        axisa = axisb = axisc = axis
    x, y = _last(lift(x1), axisa, "x1"), _last(lift(x2), axisb, "x2")
    third = _minor(x, y, 0, 1)
    if x.shape[-1] == 2 and y.shape[-1] == 2:
        return third
    components = [_minor(x, y, 1, 2), _minor(x, y, 2, 0), third]
    return stack(components, axis_in(axisc, len(third.shape) + 1))


@derived(tolerance="matmul", samples=lambda: [
    call(In((2, 3)), In((3, 2))), call(In((2,)), In((3, 1, 2)), name="ranks"), call(In(()), In((2,)), name="a number"),
    call(In((0, 2)), In((3, 1)), name="empty"),
    call(values(1, 2, kind="int32"), values(1, 10, kind="int32"), gradient=False, name="int32",
         expect=np.array([1, 10, 2, 20], np.int32)),
    call(In((2,), kind="bool"), In((2,), kind="bool"), raises=TypeError, name="bool")])
def kron(x1: TensorLike, x2: TensorLike) -> Any:
    """The Kronecker product: each element of ``x1`` times all of ``x2`` (NumPy's ``kron``).

    Args:
        x1, x2: tensors of any shape; leading axes of size 1 are added to the one of smaller rank.

    Returns:
        A tensor whose size along each axis is the product of the sizes of the operands.

    Raises:
        TypeError: bool operands.

    >>> from kbackend import K, ops
    >>> K.eval(ops.kron(K.constant([1., 2.]), K.constant([1., 1.]))).tolist()
    [1.0, 1.0, 2.0, 2.0]
    """
    x, y = as_tensor(x1), as_tensor(x2)
    rank = max(len(x.shape), len(y.shape))
    first, second = ([*[1] * (rank - len(t.shape)), *lengths(t)] for t in (x, y))
    left, right = string.ascii_lowercase[:rank], string.ascii_uppercase[:rank]
    interleaved = "".join(a + b for a, b in zip(left, right))
    # Not a broadcast product: the program of its gradient ends the process under TensorFlow where x1 is empty.
    products = einsum(f"{left},{right}->{interleaved}", reshape(x, first), reshape(y, second))
    return reshape(products, [times(a, b) for a, b in zip(first, second)])


__all__ = ["cross", "kron"]
