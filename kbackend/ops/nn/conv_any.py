"""Convolutions of Keras 3, which take the number of spatial dimensions from their input."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kbackend import config
from kbackend.declare.decorate import derived
from kbackend.declare.op import TensorLike
from kbackend.declare.sample import In, call
from kbackend.ops.nn.conv import _depthwise, conv1d, conv2d, conv3d
from kbackend.ops.nn.conv_transpose import conv1d_transpose, conv2d_transpose, conv3d_transpose
from kbackend.ops.nn.windows import integers, known_size, spatial_rank_of

_CONVOLUTIONS = {1: conv1d, 2: conv2d, 3: conv3d}
_TRANSPOSES = {1: conv1d_transpose, 2: conv2d_transpose, 3: conv3d_transpose}



@derived(tolerance="matmul", samples=lambda: [
    call(In((2, 7, 3)), In((3, 3, 2)), 2, "same"),
    call(In((2, 5, 6, 3)), In((3, 2, 3, 4)), dilation_rate=2),
    call(In((2, 4)), In((3, 2, 3)), raises=ValueError, name="rank")])
def conv(inputs: TensorLike, kernel: TensorLike, strides: Any = 1, padding: str = "valid",
         data_format: str | None = None, dilation_rate: Any = 1) -> Any:
    """Convolution over one to three spatial dimensions.

    Args:
        inputs: floats ``(batch, *spatial, channels)``, or ``(batch, channels, *spatial)`` for 'channels_first'.
        kernel: ``(*window, channels, filters)``.
        strides, dilation_rate: an integer, or one for each spatial dimension.
        padding: 'valid' or 'same'; an odd pad of 'same' is at the end.
        data_format: 'channels_last' or 'channels_first'; None for the default, ``K.image_data_format()``.

    Returns:
        ``(batch, *positions, filters)``, or ``(batch, filters, *positions)``.

    Raises:
        ValueError: shapes that do not fit, or an unknown padding or data format.
        TypeError: operands that are not floats.

    >>> import numpy as np
    >>> from kbackend import K, ops
    >>> K.eval(ops.conv(np.ones((1, 4, 1)), np.ones((2, 1, 1)), 2, data_format="channels_last")).ravel().tolist()
    [2.0, 2.0]
    """
    return _CONVOLUTIONS[spatial_rank_of(inputs)](inputs, kernel, strides, padding, data_format, dilation_rate)


@derived(tolerance="matmul", samples=lambda: [
    call(In((2, 4, 3)), In((3, 2, 3)), 2, "same"),
    call(In((2, 3, 4, 3)), In((3, 3, 2, 3)), 2, "valid", 1, name="output_padding"),
    call(In((2, 3, 4, 3)), In((3, 3, 2, 3)), 2, "valid", 2, raises=ValueError, name="as large as the stride")])
def conv_transpose(inputs: TensorLike, kernel: TensorLike, strides: Any = 1, padding: str = "valid",
                   output_padding: Any = None, data_format: str | None = None, dilation_rate: Any = 1) -> Any:
    """Transposed convolution over one to three spatial dimensions.

    Args:
        inputs: floats ``(batch, *spatial, channels)``, or ``(batch, channels, *spatial)`` for 'channels_first'.
        kernel: ``(*window, filters, channels)``.
        strides, dilation_rate: an integer, or one for each spatial dimension.
        padding: 'valid' or 'same'.
        output_padding: an integer, or one for each spatial dimension. The size of the result along a dimension is
            ``(n - 1) * stride + window - 2 * pad + output_padding``, where pad is 0 for 'valid' and ``window // 2``
            for 'same'. None for the size of Keras's layers, see ``K.conv2d_transpose``.
        data_format: 'channels_last' or 'channels_first'; None for the default, ``K.image_data_format()``.

    Returns:
        ``(batch, *sizes, filters)``, or ``(batch, filters, *sizes)``.

    Raises:
        ValueError: shapes that do not fit, an output padding that is not smaller than the stride, or dilation over
            three dimensions.
        TypeError: operands that are not floats.

    >>> import numpy as np
    >>> from kbackend import K, ops
    >>> y = ops.conv_transpose(np.ones((1, 2, 1)), np.ones((2, 1, 1)), 2, data_format="channels_last")
    >>> K.eval(y).ravel().tolist()
    [1.0, 1.0, 1.0, 1.0]
    """
    rank = spatial_rank_of(inputs)
    first = config.normalize_data_format(data_format) == "channels_first"
    spatial: list[Any] = [None] * rank
    if output_padding is not None:
        spatial = _transposed_sizes(inputs.shape[2:] if first else inputs.shape[1:-1], kernel, strides, padding,
                                    output_padding, dilation_rate)
    filters = kernel.shape[-2]
    shape = [None, filters, *spatial] if first else [None, *spatial, filters]
    if rank == 3:
        if integers("dilation_rate", dilation_rate, 3) != (1, 1, 1):
            raise ValueError("a transposed convolution over three dimensions does not support dilation")
        return conv3d_transpose(inputs, kernel, shape, strides, padding, data_format)
    return _TRANSPOSES[rank](inputs, kernel, shape, strides, padding, data_format, dilation_rate)


def _transposed_sizes(sizes: Sequence[Any], kernel: Any, strides: Any, padding: str, extra: Any,
                      dilation: Any) -> list[int]:
    rank = len(sizes)
    steps, spread = integers("strides", strides, rank), integers("dilation_rate", dilation, rank)
    found = []
    for n, k, stride, d, more in zip(sizes, kernel.shape, steps, spread, integers("output_padding", extra, rank, 0)):
        if more >= stride:
            raise ValueError(f"output_padding {more} must be smaller than the stride {stride}")
        if n is None:
            raise ValueError("output_padding needs known spatial sizes")
        width = (known_size("output_padding", kernel, k) - 1) * d + 1
        found.append((n - 1) * stride + width - 2 * (width // 2 if padding == "same" else 0) + more)
    return found


@derived(tolerance="matmul", samples=lambda: [
    call(In((2, 7, 3)), In((3, 3, 2)), 1, "same", dynamic=False),
    call(In((2, 5, 6, 3)), In((3, 2, 3, 2)), dynamic=False)])
def depthwise_conv(inputs: TensorLike, kernel: TensorLike, strides: Any = 1, padding: str = "valid",
                   data_format: str | None = None, dilation_rate: Any = 1) -> Any:
    """Convolution of each channel by itself over one to three spatial dimensions.

    Args:
        inputs, strides, padding, data_format, dilation_rate: as in :func:`conv`.
        kernel: ``(*window, channels, multiplier)``, of known shape.

    Returns:
        ``(batch, *positions, channels * multiplier)``, or with channels second for 'channels_first'.

    Raises:
        ValueError: shapes that do not fit, or an unknown padding or data format.
        TypeError: operands that are not floats.

    >>> import numpy as np
    >>> from kbackend import K, ops
    >>> x = np.array([1.0, 10.0]).reshape(1, 1, 2)
    >>> K.eval(ops.depthwise_conv(x, np.ones((1, 2, 1)), data_format="channels_last")).ravel().tolist()
    [1.0, 10.0]
    """
    return _depthwise(inputs, kernel, strides, padding, data_format, dilation_rate, spatial_rank_of(inputs))


@derived(tolerance="matmul", samples=lambda: [
    call(In((2, 7, 3)), In((3, 3, 2)), In((1, 6, 4)), dynamic=False),
    call(In((2, 5, 6, 3)), In((3, 2, 3, 2)), In((1, 1, 6, 4)), 1, "same", dynamic=False)])
def separable_conv(inputs: TensorLike, depthwise_kernel: TensorLike, pointwise_kernel: TensorLike, strides: Any = 1,
                   padding: str = "valid", data_format: str | None = None, dilation_rate: Any = 1) -> Any:
    """A depthwise convolution over one to three spatial dimensions followed by a pointwise convolution.

    Args:
        inputs, strides, padding, data_format, dilation_rate: as in :func:`conv`.
        depthwise_kernel: ``(*window, channels, multiplier)``, of known shape.
        pointwise_kernel: ``(*ones, channels * multiplier, filters)``.

    Returns:
        ``(batch, *positions, filters)``, or ``(batch, filters, *positions)``.

    Raises:
        ValueError: shapes that do not fit, or an unknown padding or data format.
        TypeError: operands that are not floats.

    Source: Chollet, "Xception: Deep Learning with Depthwise Separable Convolutions", 2017.

    >>> import numpy as np
    >>> from kbackend import K, ops
    >>> y = ops.separable_conv(np.ones((1, 3, 2)), np.ones((2, 2, 1)), np.ones((1, 2, 1)), data_format="channels_last")
    >>> K.eval(y).ravel().tolist()
    [4.0, 4.0]
    """
    y = depthwise_conv(inputs, depthwise_kernel, strides, padding, data_format, dilation_rate)
    return conv(y, pointwise_kernel, 1, "valid", data_format)


__all__ = ["conv", "conv_transpose", "depthwise_conv", "separable_conv"]
