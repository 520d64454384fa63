"""Tiling, and broadcasting to a shape."""

from __future__ import annotations

from typing import Any

from kbackend.declare.decorate import derived, primitive
from kbackend.declare.op import TensorLike, TensorList
from kbackend.declare.sample import In, Sample, call
from kbackend.graph.tensor import TensorSpec
from kbackend.ops.arrays.reshape import expand_dims
from kbackend.ops.arrays.sizes import check_sizes, entries, split_entries
from kbackend.ops.core.arguments import rank_of


@primitive(
    takes_complex=True,
    name="tile",
    view=True,
    tolerance="moving",
    samples=lambda: [
        call(In((2, 3)), [], (2, 1)),
        call(In((2, 3)), [], (1, 3)),
        call(In((2,)), [], (0,)),
        call(In((2, 3)), [], (1, 1), name="once"),
        call(In((2, 3)), [In((), kind="int32", values=2)], (None, 2), name="symbolic"),
    ],
)
def _tile(x: TensorLike, sizes: TensorList, n: Any) -> TensorSpec:
    """``x`` repeated n[i] times along axis i; the None of ``n`` are given by ``sizes``, integer scalars, in order."""
    check_sizes(sizes, n)
    if len(n) != x.ndim or any(i is not None and i < 0 for i in n):
        raise ValueError(f"{x.ndim} numbers of repetitions, not negative, are needed; they are {n}")
    return TensorSpec(tuple(None if d is None or i is None else d * i for d, i in zip(x.shape, n)), x.dtype)


@derived(
    spellings={"repeats": "n"},
    samples=lambda: [
        call(In((2, 3)), 2),
        call(In((2, 3)), (2, 1)),
        call(In((3,)), (2, 2), name="new axis"),
        call(In((2, 3)), [In((), kind="int32", values=2), 1], name="symbolic"),
    ]
)
def tile(x: TensorLike, n: Any) -> Any:
    """``x`` repeated as a whole: a, b becomes a, b, a, b (NumPy's ``tile``).

    Args:
        x: a tensor of any shape and dtype.
        n: the number of repetitions along each axis: integers, integer scalars or an integer vector, symbolic or not.
            Fewer numbers than axes apply to the last axes; more numbers add axes in front.

    Raises:
        ValueError: a negative number of repetitions.
        TypeError: a number that is not an integer.

    >>> from kbackend import K
    >>> K.eval(K.tile(K.constant([1, 2]), 2)).tolist()
    [1.0, 2.0, 1.0, 2.0]
    """
    counts = entries([n] if isinstance(n, int) else n)
    rank = rank_of(x)
    for _ in range(len(counts) - rank):
        x = expand_dims(x, 0)
    sizes, pattern = split_entries([1] * (rank - len(counts)) + counts)
    return _tile(x, sizes, pattern)


def _broadcast_samples() -> list[Sample]:
    return [
        call(In((1, 3)), [], (2, 3), dynamic=False),
        call(In(()), [], (2, 2)),
        call(In((3,)), [], (2, 3), dynamic=False),
        call(In((1, 3)), [In((), kind="int32", values=4)], (None, 3), name="symbolic", dynamic=False),
        call(In((2, 3)), [], (2, 4), name="does not fit", raises=ValueError),
    ]


@primitive(takes_complex=True, name="broadcast_to", view=True, tolerance="moving", samples=_broadcast_samples)
def _broadcast_to(x: TensorLike, sizes: TensorList, shape: Any) -> TensorSpec:
    """``x`` broadcast to a shape, whose None are given by ``sizes``, integer scalars, in order."""
    check_sizes(sizes, shape)
    if len(shape) < x.ndim:
        raise ValueError(f"rank {x.ndim} does not broadcast to {shape}")
    for old, new in zip(reversed(x.shape), reversed(shape)):
        if old not in (None, 1) and new is not None and old != new:
            raise ValueError(f"the shape {x.shape} does not broadcast to {shape}")
    return TensorSpec(tuple(shape), x.dtype)


@derived(
    samples=lambda: [
        call(In((1, 3)), (2, 3), dynamic=False),
        call(In((3,)), (2, 3), dynamic=False),
        call(In((1, 3)), [In((), kind="int32", values=2), 3], name="symbolic", dynamic=False),
    ]
)
def broadcast_to(x: TensorLike, shape: Any) -> Any:
    """``x`` broadcast to a shape (NumPy's ``broadcast_to``).

    Args:
        x: a tensor of any shape and dtype.
        shape: integers, integer scalars or an integer vector, symbolic or not.

    Raises:
        ValueError: the shape of ``x`` does not broadcast to ``shape``.
        TypeError: a dimension that is not an integer.

    >>> from kbackend import K
    >>> K.eval(K.broadcast_to(K.constant([1, 2]), (2, 2))).tolist()
    [[1.0, 2.0], [1.0, 2.0]]
    """
    return _broadcast_to(x, *split_entries(entries(shape)))


__all__ = ["broadcast_to", "tile"]
