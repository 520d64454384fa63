"""Random permutations and shuffles."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from kbackend.declare.call import lift
from kbackend.declare.decorate import composite, derived
from kbackend.declare.op import TensorLike, TensorList
from kbackend.declare.sample import In, Sample, call
from kbackend.declare.shapes import axis_in
from kbackend.graph.tensor import Shape, Tensor, TensorSpec
from kbackend.ops.arrays.reshape import extent
from kbackend.ops.arrays.sizes import check_sizes
from kbackend.ops.indexing.sorting import argsort
from kbackend.ops.nn.unfold import gather_axis
from kbackend.ops.random.draws import Seed, random_bits, step_sample
from kbackend.streams import counter, stream_of


def _order_attrs(specs: Sequence[Any], attrs: dict[str, Any]) -> dict[str, Any]:
    return {**attrs, "shape": tuple(attrs["shape"])}


def _order_rule(step: Any, sizes: Any = (), *, shape: Shape, **_: Any) -> TensorSpec:
    check_sizes(sizes, shape)
    if len(shape) != 1:
        raise ValueError(f"a permutation has one dimension, not the shape {shape}")
    return TensorSpec(shape, "int32")


def _order_samples() -> list[Sample]:
    common = {"key": 2**64 - 1, "op_id": 5, "gradient": False, "dynamic": False}
    size = In((), values=6, kind="int32", gradient=False)
    return [
        call(step_sample(), shape=(9,), **common),
        call(step_sample(), [size], shape=(None,), name="size", **common),
        call(step_sample(), shape=(0,), name="nothing", **common),
        call(step_sample(), shape=(1,), expect=np.zeros(1, np.int32), name="one element", **common),
        call(step_sample(), shape=(2, 3), raises=ValueError, name="matrix", **common),
    ]


@composite(random=True, prepare=_order_attrs, rule=_order_rule, differentiable=False, creates=True,
           tolerance="exact", samples=_order_samples)
def random_permutation(step: TensorLike, sizes: TensorList = (), *, shape: Shape, key: int, op_id: int) -> Any:
    """A random permutation of ``range(n)`` as int32 ``(n,)``: the order that sorts n random 64-bit words.

    It equals :func:`kbackend.streams.permutation` for the same key, op id and step.

    Args:
        step: an integer scalar modulo 2**32, the number of the run.
        sizes: n as an integer scalar where the shape is (None,).
        shape: ``(n,)``.
        key: the seed, 64 bits.
        op_id: the number of the draw, 32 bits.
    """
    words = random_bits(step, sizes, shape=(*shape, 2), key=key, op_id=op_id)
    # Subtracting 2**31 keeps the order of the high words and lets the numbers of 64 bits fit int64.
    high = (words[..., 0] - (1 << 31)) * (1 << 32)
    return argsort(high + words[..., 1])


@derived(name="random_shuffle", tolerance="moving", samples=lambda: [
    call(In((6, 2)), seed=7, dtypes=("float32",)),
    call(In((2, 5, 3)), 1, 7, name="axis", dynamic=False, dtypes=("float32",)),
    call(In((2, 5)), -1, 7, name="last axis", dtypes=("float32",)),
    call(In((7,), 0, 9, kind="int32"), seed=7, name="int32"),
    call(In((0, 2)), seed=7, name="empty", dtypes=("float32",)), call(In(()), seed=7, raises=ValueError, name="scalar"),
    call(In((2, 2)), 2, 7, raises=ValueError, name="axis out of range")])
def shuffle(x: TensorLike, axis: int = 0, seed: Seed = None) -> Tensor:
    """Shuffle the slices of ``x`` along an axis, anew in each run of a program; all orders are equally likely.

    Args:
        x: a tensor of rank 1 or more; its size along the axis may be unknown.
        axis: the axis along which whole slices are moved.
        seed: an integer or SeedGenerator; None for the random stream of the process.

    Returns:
        A symbolic tensor of the shape and dtype of ``x``. Gradients flow back to the original positions.

    Raises:
        ValueError: a scalar, or an axis out of range.

    >>> import numpy as np
    >>> from kbackend import random
    >>> sorted(np.asarray(random.shuffle([1.0, 2.0, 3.0], seed=1)).tolist())
    [1.0, 2.0, 3.0]
    """
    x = lift(x)
    axis = axis_in(axis, x.ndim)
    length = x.shape[axis]
    sizes = [extent(x, (axis,))] if length is None else []
    key, op_id = stream_of("random_shuffle", seed)
    order = random_permutation(counter("random_shuffle_step"), sizes, shape=(length,), key=key, op_id=op_id)
    return gather_axis(x, order, axis)


__all__: list[str] = []
