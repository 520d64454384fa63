"""Cross-correlation of vectors."""

from __future__ import annotations

from typing import Any

import numpy as np

from kbackend import dtypes
from kbackend.declare.call import dtype_of
from kbackend.declare.decorate import derived
from kbackend.declare.op import TensorLike
from kbackend.declare.rules import WIDE, values
from kbackend.declare.sample import In, call
from kbackend.ops.arrays.dims import part
from kbackend.ops.arrays.pad import temporal_padding
from kbackend.ops.arrays.reshape import reshape
from kbackend.ops.arrays.transpose import reverse
from kbackend.ops.core.arguments import as_tensor
from kbackend.ops.core.cast import cast
from kbackend.ops.elementwise.complex import conjugated
from kbackend.ops.indexing.gather import gather
from kbackend.ops.linalg.einsum import einsum
from kbackend.ops.nn.conv import convolution

_MODES = ("valid", "same", "full")


def _sliding_products(x: Any, y: Any, pad: int) -> Any:
    """The product of the vector ``y`` with each window of ``x`` padded by ``pad`` zeros at both ends."""
    column = reshape(x, (1, -1, 1))
    if dtypes.is_float(dtype_of(x)):
        return reshape(convolution(column, reshape(y, (-1, 1, 1)), padding=((pad, pad),)), (-1,))
    padded = reshape(temporal_padding(column, (pad, pad)), (-1,))
    count = x.shape[0] + 2 * pad - y.shape[0] + 1
    indices = np.arange(count, dtype=np.int32)[:, None] + np.arange(y.shape[0], dtype=np.int32)
    return einsum("ij,j->i", gather(padded, indices), y)


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
        mode: 'valid' for the shifts at which the shorter vector lies inside the longer one, 'full' for all shifts at
            which they overlap, 'same' for as many shifts as the longer vector has elements, from the middle of 'full'.

    Returns:
        A vector of the promoted dtype; integers stay integers.

    Raises:
        ValueError: an unknown mode, another rank, an empty vector or an unknown size.
        TypeError: bool vectors.

    >>> from kbackend import K, ops
    >>> K.eval(ops.correlate(K.constant([1., 2., 3.]), K.constant([0., 1., 0.5]), "same")).tolist()
    [2.0, 3.5, 3.0]
    """
    x, y = as_tensor(x1), as_tensor(x2)
    if mode not in _MODES:
        raise ValueError(f"the mode of correlate must be one of {', '.join(map(repr, _MODES))}, it is {mode!r}")
    shapes = f"the shapes are {tuple(x.shape)} and {tuple(y.shape)}"
    if len(x.shape) != 1 or len(y.shape) != 1 or None in (x.shape[0], y.shape[0]):
        raise ValueError(f"correlate needs vectors of known size, {shapes}")
    if 0 in (x.shape[0], y.shape[0]):
        raise ValueError(f"correlate needs nonempty vectors, {shapes}")
    common = dtypes.promote(dtype_of(x), dtype_of(y))
    if common == dtypes.BOOL:
        raise TypeError("arithmetic on bool tensors; cast them first")
    x, y = cast(x, common), conjugated(cast(y, common))
    # As in NumPy the shorter vector slides, which determines where the middle of 'same' is.
    swapped = x.shape[0] < y.shape[0]
    long, short = (y, x) if swapped else (x, y)
    size = short.shape[0]
    found = _sliding_products(long, short, 0 if mode == "valid" else size - 1)
    if mode == "same":
        start = (size - 1) // 2
        found = part(found, 0, start, start + long.shape[0])
    return reverse(found, 0) if swapped else found


__all__ = ["correlate"]
