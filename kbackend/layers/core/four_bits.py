"""Weights as integers of 4 bits, two in a byte: packing, blocks with zero points, and back to floats."""

from __future__ import annotations

from typing import Any

import numpy as np

from kbackend import backend as K
from kbackend.layers.core.quantizers import EPSILON, RANGE_4
from kbackend.ops.arrays.join import stack
from kbackend.ops.arrays.reshape import reshape
from kbackend.ops.elementwise.bitwise import bitwise_left_shift, bitwise_right_shift
from kbackend.ops.indexing.gather import take


def packed(integers: np.ndarray) -> np.ndarray:
    """Integers of [-8, 7] two in a byte along the last axis: the first in the low bits, 0 after an odd number."""
    odd = integers.shape[-1] % 2
    even = np.pad(integers, [(0, 0)] * (integers.ndim - 1) + [(0, odd)])
    low, high = even[..., ::2].astype(np.uint8) & 15, even[..., 1::2].astype(np.uint8) << 4
    return (low | high).astype(np.uint8).view(np.int8)


def unpacked(both: Any, count: int) -> Any:
    """The integers of a tensor of bytes, as many along the last axis."""
    low = bitwise_right_shift(bitwise_left_shift(both, 4), 4)
    pairs = stack([low, bitwise_right_shift(both, 4)], axis=-1)
    sizes = [K.shape(both)[axis] if n is None else n for axis, n in enumerate(both.shape[:-1])]
    return reshape(pairs, (*sizes, 2 * both.shape[-1]))[..., :count]


def in_blocks(matrix: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Integers of 4 bits of a matrix, and scales and zero points of each block of rows in each column.

    The matrix is ``(integers - zero) * scale``, about; the last block is filled up with zeros.
    """
    rows, columns = matrix.shape
    count = -(-rows // size)
    blocks = np.pad(matrix, [(0, count * size - rows), (0, 0)]).reshape(count, size, columns)
    low, high = RANGE_4
    least, largest = blocks.min(1, keepdims=True), blocks.max(1, keepdims=True)
    scale = ((largest - least + np.asarray(EPSILON, matrix.dtype)) / (high - low)).astype(matrix.dtype)
    zero = np.clip(np.round(-least / scale) + low, low, high)
    integers = np.clip(np.round(blocks / scale) + zero, low, high).reshape(count * size, columns)[:rows]
    return integers.astype(np.int8), scale[:, 0], zero[:, 0].astype(np.int8)


def of_blocks(integers: Any, scale: Any, zero: Any, numbers: Any, axis: int) -> Any:
    """The floats of integers whose scales and zero points are those of blocks along an axis.

    Args:
        numbers: of the block of each element along the axis.
    """
    index = K.cast(numbers, "int32")
    scales, zeros = (take(t, index, axis=axis) for t in (scale, K.cast(zero, scale.dtype)))
    return (K.cast(integers, scale.dtype) - zeros) * scales


__all__: list[str] = []
