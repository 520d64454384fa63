"""Convolutions whose rank is that of their input."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from kbackend import config
from kbackend.declare.decorate import derived
from kbackend.declare.op import TensorLike
from kbackend.declare.sample import In, call
from kbackend.ops.nn.conv import _depthwise, conv1d, conv2d, conv3d
from kbackend.ops.nn.conv_transpose import conv1d_transpose, conv2d_transpose, conv3d_transpose
from kbackend.ops.nn.windows import integers

_CONVOLUTIONS = {1: conv1d, 2: conv2d, 3: conv3d}
_TRANSPOSES = {1: conv1d_transpose, 2: conv2d_transpose, 3: conv3d_transpose}


def _spatial_rank(x: Any) -> int:
    rank = len(np.shape(x) if not hasattr(x, "shape") else x.shape) - 2
    if rank not in (1, 2, 3):
        raise ValueError(f"one to three spatial dimensions are known, x has rank {rank + 2}")
    return rank


@derived(tolerance="matmul", samples=lambda: [
    call(In((2, 7, 3)), In((3, 3, 2)), 2, "same"),
    call(In((2, 5, 6, 3)), In((3, 2, 3, 4)), dilation_rate=2),
    call(In((2, 4)), In((3, 2, 3)), raises=ValueError, name="rank")])
def conv(inputs: TensorLike, kernel: TensorLike, strides: Any = 1, padding: str = "valid",
         data_format: str | None = None, dilation_rate: Any = 1) -> Any:
    """A convolution over one to three spatial dimensions; see ``K.conv2d``.

    Args:
        inputs: ``(batch, *spatial, channels)``, or ``(batch, channels, *spatial)`` for 'channels_first'.
        kernel: ``(*window, channels / groups, filters)``.
        strides, dilation_rate: an integer, or one for each spatial dimension.
        padding: 'valid' or 'same'.
        data_format: 'channels_last' or 'channels_first'; the default of the process when None.

    Raises:
        ValueError: shapes that do not fit; an unknown padding or data format.
    """
    return _CONVOLUTIONS[_spatial_rank(inputs)](inputs, kernel, strides, padding, data_format, dilation_rate)


@derived(tolerance="matmul", samples=lambda: [
    call(In((2, 4, 3)), In((3, 2, 3)), 2, "same"),
    call(In((2, 3, 4, 3)), In((3, 3, 2, 3)), 2, "valid", 1, name="output_padding"),
    call(In((2, 3, 4, 3)), In((3, 3, 2, 3)), 2, "valid", 2, raises=ValueError, name="as large as the stride")])
def conv_transpose(inputs: TensorLike, kernel: TensorLike, strides: Any = 1, padding: str = "valid",
                   output_padding: Any = None, data_format: str | None = None, dilation_rate: Any = 1) -> Any:
    """The transpose of a convolution; see ``K.conv2d_transpose``.

    Args:
        inputs: as those of :func:`conv`.
        kernel: ``(*window, filters, channels)``.
        strides, dilation_rate: an integer, or one for each spatial dimension.
        padding: 'valid' or 'same'.
        output_padding: the size along a dimension is ``(n - 1) * stride + window - 2 * pad + output_padding``, where
            pad is 0 for 'valid' and half of the window for 'same'. The size that Keras's layers choose when None.
        data_format: 'channels_last' or 'channels_first'; the default of the process when None.

    Raises:
        ValueError: shapes that do not fit; an output padding that is not smaller than the stride.
    """
    rank = _spatial_rank(inputs)
    first = config.normalize_data_format(data_format) == "channels_first"
    spatial: list[Any] = [None] * rank
    if output_padding is not None:
        spatial = _transposed_sizes(inputs.shape[2:] if first else inputs.shape[1:-1], kernel.shape[:rank], strides,
                                    padding, output_padding, dilation_rate)
    filters = kernel.shape[-2]
    shape = [None, filters, *spatial] if first else [None, *spatial, filters]
    if rank == 3:
        if integers("dilation_rate", dilation_rate, 3) != (1, 1, 1):
            raise ValueError("a transposed convolution over three dimensions takes no dilation")
        return conv3d_transpose(inputs, kernel, shape, strides, padding, data_format)
    return _TRANSPOSES[rank](inputs, kernel, shape, strides, padding, data_format, dilation_rate)


def _transposed_sizes(sizes: Sequence[Any], window: Sequence[Any], strides: Any, padding: str, extra: Any,
                      dilation: Any) -> list[int]:
    rank = len(sizes)
    steps, spread = integers("strides", strides, rank), integers("dilation_rate", dilation, rank)
    found = []
    for n, k, stride, d, more in zip(sizes, window, steps, spread, integers("output_padding", extra, rank, 0)):
        if more >= stride:
            raise ValueError(f"output_padding {more} must be smaller than the stride {stride}")
        if n is None:
            raise ValueError("output_padding needs known spatial sizes")
        width = (k - 1) * d + 1
        found.append((n - 1) * stride + width - 2 * (width // 2 if padding == "same" else 0) + more)
    return found


@derived(tolerance="matmul", samples=lambda: [
    call(In((2, 7, 3)), In((3, 3, 2)), 1, "same", dynamic=False),
    call(In((2, 5, 6, 3)), In((3, 2, 3, 2)), dynamic=False)])
def depthwise_conv(inputs: TensorLike, kernel: TensorLike, strides: Any = 1, padding: str = "valid",
                   data_format: str | None = None, dilation_rate: Any = 1) -> Any:
    """A convolution of each channel by itself; ``kernel`` is ``(*window, channels, multiplier)``. See :func:`conv`."""
    rank = _spatial_rank(inputs)
    return _depthwise(inputs, kernel, strides, padding, data_format, dilation_rate, rank)


@derived(tolerance="matmul", samples=lambda: [
    call(In((2, 7, 3)), In((3, 3, 2)), In((1, 6, 4)), dynamic=False),
    call(In((2, 5, 6, 3)), In((3, 2, 3, 2)), In((1, 1, 6, 4)), 1, "same", dynamic=False)])
def separable_conv(inputs: TensorLike, depthwise_kernel: TensorLike, pointwise_kernel: TensorLike, strides: Any = 1,
                   padding: str = "valid", data_format: str | None = None, dilation_rate: Any = 1) -> Any:
    """:func:`depthwise_conv` and then a convolution with a window of 1 over all its channels."""
    y = depthwise_conv(inputs, depthwise_kernel, strides, padding, data_format, dilation_rate)
    return conv(y, pointwise_kernel, 1, "valid", data_format)


__all__ = ["conv", "conv_transpose", "depthwise_conv", "separable_conv"]
