"""Tensors of which each process of a run holds one piece.

A tensor of ``n`` elements in ``p`` processes has pieces of ``ceil(n / p)`` elements: those of the flat tensor in the
order of the ranks. What lies past the last element is padding, whose values count for nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from kbackend.declare.decorate import composite
from kbackend.declare.op import TensorLike, TensorList
from kbackend.declare.sample import In, Sample, call
from kbackend.graph.tensor import Shape, TensorSpec
from kbackend.ops.arrays.pad import pad_constant
from kbackend.ops.arrays.reshape import reshape

Shapes = tuple[tuple[int, ...], ...]


def _gather_samples() -> list[Sample]:
    return [
        call([In((6,))], shapes=((2, 3),), name="one tensor"),
        call([In((7,)), In((1,)), In((4,))], shapes=((2, 3), (), (4,)), kept=True, name="padding"),
        call([In((2,))], shapes=((3,),), raises=ValueError, dynamic=False, name="too few elements"),
    ]


def _gathered(pieces: Sequence[TensorSpec], *, shapes: Shapes, kept: bool = False) -> tuple[TensorSpec, ...]:
    for spec in pieces:
        if len(spec.shape) != 1:
            raise ValueError(f"a piece is a vector, not {spec}")
    return tuple(TensorSpec(shape, spec.dtype) for spec, shape in zip(pieces, shapes, strict=True))


@composite(rule=_gathered, tolerance="exact", samples=_gather_samples)
def gather_pieces(pieces: TensorList, *, shapes: Shapes, kept: bool = False) -> Any:
    """The whole tensors, from the pieces of all processes of the run.

    The gradient of a piece is its part of the sum of the gradients over the processes. The tensors of one call travel
    together.

    Args:
        pieces: those of this process.
        shapes: of the whole tensors.
        kept: whether an engine keeps the whole tensors for the gradient; otherwise it may gather them once more.

    Returns:
        A tuple of tensors.

    Raises:
        ValueError: a piece that is no vector.

    Source: MPI: A Message-Passing Interface Standard, version 4.1, sections 6.7 (MPI_ALLGATHER) and 6.10
    (MPI_REDUCE_SCATTER_BLOCK); Rajbhandari et al., "ZeRO: Memory Optimizations Toward Training Trillion Parameter
    Models", 2020.
    """
    return [reshape(piece[: prod(shape)], shape) for piece, shape in zip(pieces, shapes)]


def _own_samples() -> list[Sample]:
    return [
        call(In((2, 3)), count=6, dynamic=False, name="all"),
        call(In((2, 3)), count=8, dynamic=False, name="padding"),
        call(In(()), count=1, name="scalar"),
    ]


def _piece(x: TensorSpec, *, count: int) -> TensorSpec:
    _known(x)
    return TensorSpec((count,), x.dtype)


@composite(rule=_piece, tolerance="exact", samples=_own_samples)
def own_piece(x: TensorLike, *, count: int) -> Any:
    """The piece of this process of a tensor that is equal in all, with zeros as padding.

    Args:
        x: a tensor of a known shape.
        count: the elements of a piece.

    Raises:
        ValueError: an unknown shape.
    """
    size = prod(d or 0 for d in x.shape)
    return pad_constant(reshape(x, (size,)), ((0, count - size),))


def _clear_samples() -> list[Sample]:
    return [
        call(In((5,)), size=3, dynamic=False, name="padding"),
        call(In((5,)), size=5, dynamic=False, name="none"),
        call(In(values=np.array([1.0, np.nan])), size=1, gradient=False, dynamic=False, name="NaN",
             expect=np.array([1.0, 0.0])),
    ]


def _vector(piece: TensorSpec, *, size: int) -> TensorSpec:
    if len(_known(piece)) != 1:
        raise ValueError(f"a piece is a vector, not {piece}")
    return piece


def _known(x: TensorSpec) -> Shape:
    if None in x.shape:
        raise ValueError(f"a tensor of unknown shape has no pieces: {x}")
    return x.shape


@composite(rule=_vector, tolerance="exact", samples=_clear_samples)
def clear_padding(piece: TensorLike, *, size: int) -> Any:
    """The piece with zeros as padding.

    Args:
        piece: that of this process.
        size: the elements of the whole tensor.

    Raises:
        ValueError: a piece that is no vector of a known length.
    """
    count = piece.shape[0] or 0
    return pad_constant(piece[:size], ((0, count - min(size, count)),))


__all__: list[str] = []
