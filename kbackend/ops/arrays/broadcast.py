"""Tiling and broadcasting."""

from __future__ import annotations

from typing import Any

from kbackend.declare.decorate import derived, primitive
from kbackend.declare.op import TensorLike, TensorList
from kbackend.declare.sample import In, Sample, call
from kbackend.graph.tensor import TensorSpec
from kbackend.ops.arrays.reshape import expand_dims, rank_of
from kbackend.ops.arrays.sizes import check_sizes, entries, split_entries


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
    """``x`` repeated n[i] times along axis i; each None stands for the next of ``sizes``."""
    check_sizes(sizes, n)
    if len(n) != x.ndim or any(i is not None and i < 0 for i in n):
        raise ValueError(f"{x.ndim} non-negative numbers of repetitions are needed, they are {n}")
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
    """``x`` repeated as a whole: a, b becomes a, b, a, b.

    Args:
        x: a tensor.
        n: how often along each axis: ints or integer scalars, or one integer vector. Fewer numbers than axes
            count from the last axis, more make new axes in front, as NumPy does.

    >>> from kbackend import K
    >>> K.eval(K.tile(K.constant([1, 2]), 2)).tolist()
    [1.0, 2.0, 1.0, 2.0]
    """
    found = entries([n] if isinstance(n, int) else n)
    rank = rank_of(x)
    for _ in range(len(found) - rank):
        x = expand_dims(x, 0)
    sizes, pattern = split_entries([1] * (rank - len(found)) + found)
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
    """``x`` broadcast to a shape; each None in it stands for the next of ``sizes``."""
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
    """``x`` repeated to a shape by the rules of broadcasting; dimensions may be symbolic, see ``reshape``.

    >>> from kbackend import K
    >>> K.eval(K.broadcast_to(K.constant([1, 2]), (2, 2))).tolist()
    [[1.0, 2.0], [1.0, 2.0]]
    """
    return _broadcast_to(x, *split_entries(entries(shape)))


__all__ = ["broadcast_to", "tile"]
