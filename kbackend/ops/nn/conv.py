"""Convolution over one to three spatial dimensions.

The op takes channels-last tensors ``(batch, *spatial, channels)``; the functions of K transpose for the data format
channels_first. Padding is 'valid' (none), 'same' (the output has ``ceil(size / stride)`` positions, and an odd pad is
at the end) or a pair (before, after) for each spatial dimension.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from kbackend import config
from kbackend.declare.decorate import derived, primitive
from kbackend.declare.op import TensorLike
from kbackend.declare.sample import In, Sample, call
from kbackend.graph.tensor import TensorSpec
from kbackend.ops.arrays.reshape import reshape
from kbackend.ops.elementwise.arithmetic import add
from kbackend.ops.nn.windows import (
    channels_last,
    check_rank,
    checked_padding,
    float_only,
    integers,
    known_size,
    only_batch_empty,
    restored,
    spatial_rank,
    spatial_sizes,
    with_shape,
)


def _convolution_attrs(specs: Sequence[Any], attrs: dict[str, Any]) -> dict[str, Any]:
    rank = spatial_rank(specs)
    return {
        "strides": integers("strides", attrs["strides"], rank),
        "padding": checked_padding(attrs["padding"], rank),
        "dilation": integers("dilation", attrs["dilation"], rank),
        "groups": integers("groups", attrs["groups"], 1)[0],
    }


def _convolution_samples() -> list[Sample]:
    ones = np.ones((1, 6, 1))
    return [
        call(In((2, 7, 6, 3)), In((3, 2, 3, 4)), name="valid"),
        call(In((2, 7, 6, 3)), In((3, 2, 3, 4)), In((4,)), name="bias"),
        call(In((2, 7, 6, 3)), In((3, 2, 3, 4)), strides=(2, 1), padding="same", name="same, strides"),
        call(In((2, 8, 9, 2)), In((3, 3, 2, 3)), strides=2, padding=((2, 1), (0, 3)),
             name="pairs of paddings"),
        call(In((2, 9, 8, 2)), In((3, 2, 2, 3)), padding="same", dilation=(2, 3), name="dilation"),
        call(In((2, 9, 8, 2)), In((3, 2, 2, 3)), In((3,)), dilation=2, padding=((1, 0), (0, 0)),
             name="dilation, bias"),
        call(In((2, 5, 5, 4)), In((3, 3, 2, 6)), groups=2, padding="same", name="groups"),
        call(In((2, 5, 5, 3)), In((3, 3, 1, 6)), groups=3, strides=2, name="a group for each channel"),
        call(In((2, 9, 3)), In((4, 3, 2)), padding="same", name="one dimension"),
        call(In((2, 9, 3)), In((2, 3, 2)), In((2,)), dilation=2, strides=1, padding=((2, 0),), name="causal"),
        call(In((2, 5, 4, 6, 2)), In((3, 2, 2, 2, 3)), In((3,)), padding="same", strides=(1, 2, 2),
             name="three dimensions"),
        call(In((2, 5, 5, 3)), In((1, 1, 3, 4)), name="window of one"),
        call(In((1, 3, 1, 7, 2)), In((1, 1, 2, 2, 1)), strides=3, padding="same", name="strides wider than the window"),
        call(In((0, 5, 5, 3)), In((3, 3, 3, 4)), name="empty batch"),
        call(In((1, 6, 1), values=ones), In((3, 1, 1), values=np.arange(1.0, 4.0).reshape(3, 1, 1)),
             strides=2, padding="same", row=1, expect=np.array([6.0, 6.0, 3.0]).reshape(1, 3, 1),
             name="the odd pad goes to the end"),
        call(In((1, 5, 5, 3)), In((3, 3, 2, 4)), raises=ValueError, name="channels do not fit"),
        call(In((1, 2, 2, 3)), In((3, 3, 3, 4)), raises=ValueError, name="window does not fit"),
        call(In((1, 5, 5, 3)), In((3, 3, 3, 4)), padding="full", raises=ValueError, name="unknown padding"),
        call(In((2, 5, 5, 3)), In((3, 3, 3, 1)), name="one filter"),
        call(In((2, 2, 1, 1)), In((1, 2, 1, 2)), strides=(1, 2), padding="same", name="one column of windows"),
        call(In((2, 4, 2)), In((2, 1, 4)), In((4,)), padding=((1, 0),), groups=2, name="by channel, one pad"),
        call(In((2, 2, 4, 3, 2)), In((1, 2, 2, 2, 2)), dilation=(1, 2, 1), name="three dimensions, one dilation"),
        call(In((8, 8, 8, 2)), In((1, 1, 2, 4)), strides=2, name="window of one, strides, few channels"),
        call(In((2, 8, 4, 1)), In((3, 6, 1, 3)), In((3,)), strides=(1, 4), padding="same",
             name="one channel, one position"),
        call(In((3, 6, 1, 5)), In((2, 2, 5, 3)), In((3,)), strides=2, dilation=(1, 2), padding=((2, 2), (3, 3)),
             name="windows of padding alone"),
        call(In((2, 5, 7, 6)), In((2, 3, 3, 4)), groups=2, padding=((1, 2), (3, 1)), name="groups, pairs of paddings"),
        call(In((2, 6, 8, 7, 1)), In((3, 2, 3, 1, 2)), dilation=(2, 3, 1), name="three dimensions, three dilations"),
        call(In((2, 0, 6, 3)), In((3, 2, 3, 4)), padding="same", raises=ValueError, name="no rows"),
        call(In((2, 5, 6, 0)), In((3, 2, 0, 4)), raises=ValueError, name="no channels"),
        call(In((2, 5, 6, 3)), In((0, 2, 3, 4)), raises=ValueError, dynamic=False, name="no window"),
    ]


@primitive(promote="same", prepare=_convolution_attrs, tolerance="matmul", samples=_convolution_samples)
def convolution(x: TensorLike, kernel: TensorLike, bias: TensorLike | None = None, *, strides: Any = 1,
                padding: Any = "valid", dilation: Any = 1, groups: int = 1) -> TensorSpec:
    """Cross-correlation of ``x`` with ``kernel`` over one to three spatial dimensions.

    Args:
        x: floats ``(batch, *spatial, channels)``.
        kernel: ``(*window, channels // groups, filters)``.
        bias: ``(filters,)``, added to the result, or None.
        strides, dilation: an integer, or one for each spatial dimension.
        padding: 'valid', 'same', or a pair (before, after) for each spatial dimension.
        groups: the number of groups of channels and filters; each filter reads the channels of its group.

    Returns:
        ``(batch, *positions, filters)``.

    Raises:
        ValueError: sizes that do not fit; the message names them.
        TypeError: operands that are not floats.
    """
    float_only(x)
    if kernel.ndim != x.ndim:
        raise ValueError(f"the kernel {kernel.shape} must have the rank of x {x.shape}")
    only_batch_empty(x, kernel)
    channels, inputs, filters = x.shape[-1], kernel.shape[-2], kernel.shape[-1]
    if channels is not None and inputs is not None and channels != inputs * groups:
        raise ValueError(f"x has {channels} channels; the kernel {kernel.shape} in {groups} groups "
                         f"takes {inputs * groups}")
    if filters is not None and filters % groups:
        raise ValueError(f"{filters} filters cannot be cut into {groups} groups")
    if bias is not None and (bias.ndim != 1 or None not in (*bias.shape, filters) and bias.shape[0] != filters):
        raise ValueError(f"the bias {bias.shape} must have the shape ({filters},)")
    out = spatial_sizes(x, kernel.shape[:-2], strides, padding, dilation)
    return TensorSpec((x.shape[0], *out, filters), x.dtype)


def _convolve(x: Any, kernel: Any, strides: Any, padding: Any, data_format: Any, dilation: Any, rank: int,
              groups: int = 1, bias: Any = None) -> Any:
    x = with_shape(x)
    check_rank(x, rank)
    x, first = channels_last(x, data_format)
    if padding == "causal" and rank == 1:
        window = known_size("a causal convolution", kernel, kernel.shape[0])
        padding = ((integers("dilation", dilation, 1)[0] * (window - 1), 0),)
    elif padding == "causal":
        raise ValueError("padding 'causal' is for one spatial dimension only")
    y = convolution(x, kernel, bias, strides=strides, padding=padding, dilation=dilation, groups=groups)
    return restored(y, first)


@derived(samples=lambda: [call(In((2, 9, 3)), In((3, 3, 2)), 1, "causal", dilation_rate=2, dynamic=False),
                          call(In((2, 3, 9)), In((3, 3, 2)), 2, "same", "channels_first")])
def conv1d(x: TensorLike, kernel: TensorLike, strides: Any = 1, padding: str = "valid",
           data_format: str | None = None, dilation_rate: Any = 1) -> Any:
    """Convolution over one spatial dimension.

    Args:
        x: floats ``(batch, steps, channels)``, or ``(batch, channels, steps)`` for 'channels_first'.
        kernel: ``(window, channels, filters)``.
        strides, dilation_rate: integers.
        padding: 'valid', 'same', or 'causal' (a result depends on no later step).
        data_format: 'channels_last' or 'channels_first'; None for the default, ``K.image_data_format()``.

    Returns:
        ``(batch, positions, filters)``, or ``(batch, filters, positions)``.

    Raises:
        ValueError: an unknown padding or data format, or sizes that do not fit.
        TypeError: operands that are not floats.

    >>> import numpy as np
    >>> from kbackend import K
    >>> y = K.conv1d(np.arange(4.0).reshape(1, 4, 1), np.ones((2, 1, 1)), padding="causal")
    >>> K.eval(y).ravel().tolist()
    [0.0, 1.0, 3.0, 5.0]
    """
    return _convolve(x, kernel, strides, padding, data_format, dilation_rate, 1)


@derived(samples=lambda: [call(In((2, 5, 6, 3)), In((3, 3, 3, 2)), (2, 1), "same"),
                          call(In((2, 3, 5, 6)), In((3, 3, 3, 2)), 1, "same", "channels_first"),
                          call(In((2, 5, 6, 3)), In((3, 3, 3, 2)), 1, "causal", raises=ValueError)])
def conv2d(x: TensorLike, kernel: TensorLike, strides: Any = (1, 1), padding: str = "valid",
           data_format: str | None = None, dilation_rate: Any = (1, 1)) -> Any:
    """Convolution over two spatial dimensions.

    Args:
        x: floats ``(batch, rows, columns, channels)``, or ``(batch, channels, rows, columns)`` for 'channels_first'.
        kernel: ``(rows, columns, channels, filters)``.
        strides, dilation_rate: an integer, or two.
        padding: 'valid' or 'same'; an odd pad of 'same' is at the end.
        data_format: 'channels_last' or 'channels_first'; None for the default, ``K.image_data_format()``.

    Returns:
        ``(batch, rows, columns, filters)``, or ``(batch, filters, rows, columns)``.

    Raises:
        ValueError: an unknown padding or data format, or sizes that do not fit.
        TypeError: operands that are not floats.

    >>> import numpy as np
    >>> from kbackend import K
    >>> y = K.conv2d(np.ones((1, 3, 3, 1), "float32"), np.ones((2, 2, 1, 1), "float32"))
    >>> K.eval(y)[0, :, :, 0].tolist()
    [[4.0, 4.0], [4.0, 4.0]]
    """
    return _convolve(x, kernel, strides, padding, data_format, dilation_rate, 2)


@derived(samples=lambda: [call(In((2, 4, 5, 6, 2)), In((2, 3, 2, 2, 3)), 1, "same")])
def conv3d(x: TensorLike, kernel: TensorLike, strides: Any = (1, 1, 1), padding: str = "valid",
           data_format: str | None = None, dilation_rate: Any = (1, 1, 1)) -> Any:
    """Convolution over three spatial dimensions.

    Args:
        x: floats ``(batch, *spatial, channels)``, or ``(batch, channels, *spatial)`` for 'channels_first'.
        kernel: ``(*window, channels, filters)``.
        strides, dilation_rate: an integer, or three.
        padding, data_format: as in :func:`conv2d`.

    Returns:
        ``(batch, *positions, filters)``, or ``(batch, filters, *positions)``.

    Raises:
        ValueError: an unknown padding or data format, or sizes that do not fit.
        TypeError: operands that are not floats.

    >>> import numpy as np
    >>> from kbackend import K
    >>> K.eval(K.conv3d(np.ones((1, 2, 2, 2, 1)), np.ones((2, 2, 2, 1, 1)))).ravel().tolist()
    [8.0]
    """
    return _convolve(x, kernel, strides, padding, data_format, dilation_rate, 3)


def _depthwise(
    x: Any, kernel: Any, strides: Any, padding: Any, data_format: Any, dilation: Any, rank: int
) -> Any:
    """A convolution with one group for each channel."""
    *window, channels, multiplier = (known_size("a depthwise convolution", kernel, d) for d in kernel.shape)
    grouped = reshape(kernel, (*window, 1, channels * multiplier))
    return _convolve(x, grouped, strides, padding, data_format, dilation, rank, groups=channels)


@derived(samples=lambda: [call(In((2, 5, 6, 3)), In((3, 3, 3, 2)), 1, "same", dynamic=False)])
def depthwise_conv2d(x: TensorLike, depthwise_kernel: TensorLike, strides: Any = (1, 1),
                     padding: str = "valid", data_format: str | None = None,
                     dilation_rate: Any = (1, 1)) -> Any:
    """Convolution of each channel by itself over two spatial dimensions.

    Args:
        x, strides, padding, data_format, dilation_rate: as in :func:`conv2d`.
        depthwise_kernel: ``(rows, columns, channels, multiplier)``; results ``c * multiplier`` up to
            ``(c + 1) * multiplier - 1`` are those of channel c.

    Returns:
        ``(batch, rows, columns, channels * multiplier)``, or with channels second for 'channels_first'.

    Raises:
        ValueError: an unknown padding or data format, sizes that do not fit, or a kernel of unknown shape.
        TypeError: operands that are not floats.

    >>> import numpy as np
    >>> from kbackend import K
    >>> x = np.array([1.0, 10.0]).reshape(1, 1, 1, 2)
    >>> K.eval(K.depthwise_conv2d(x, np.array([1.0, 2.0, 3.0, 4.0]).reshape(1, 1, 2, 2))).ravel().tolist()
    [1.0, 2.0, 30.0, 40.0]
    """
    return _depthwise(x, depthwise_kernel, strides, padding, data_format, dilation_rate, 2)


@derived(samples=lambda: [call(In((2, 9, 3)), In((3, 3, 2)), In((1, 6, 4)), dynamic=False)])
def separable_conv1d(x: TensorLike, depthwise_kernel: TensorLike, pointwise_kernel: TensorLike,
                     strides: Any = 1, padding: str = "valid", data_format: str | None = None,
                     dilation_rate: Any = 1) -> Any:
    """A depthwise convolution over one spatial dimension followed by a pointwise convolution.

    Args:
        x, strides, padding, data_format, dilation_rate: as in :func:`conv1d`.
        depthwise_kernel: ``(window, channels, multiplier)``.
        pointwise_kernel: ``(1, channels * multiplier, filters)``.

    Returns:
        ``(batch, positions, filters)``, or ``(batch, filters, positions)`` for 'channels_first'.

    Raises:
        ValueError: an unknown padding or data format, sizes that do not fit, or a kernel of unknown shape.
        TypeError: operands that are not floats.

    Source: Chollet, "Xception: Deep Learning with Depthwise Separable Convolutions", 2017.

    >>> import numpy as np
    >>> from kbackend import K
    >>> K.eval(K.separable_conv1d(np.ones((1, 3, 2)), np.ones((2, 2, 1)), np.ones((1, 2, 1)))).ravel().tolist()
    [4.0, 4.0]
    """
    y = _depthwise(x, depthwise_kernel, strides, padding, data_format, dilation_rate, 1)
    return _convolve(y, pointwise_kernel, 1, "valid", data_format, 1, 1)


@derived(samples=lambda: [
    call(In((2, 5, 6, 3)), In((3, 3, 3, 2)), In((1, 1, 6, 4)), 2, "same", dynamic=False)])
def separable_conv2d(x: TensorLike, depthwise_kernel: TensorLike, pointwise_kernel: TensorLike,
                     strides: Any = (1, 1), padding: str = "valid", data_format: str | None = None,
                     dilation_rate: Any = (1, 1)) -> Any:
    """A depthwise convolution over two spatial dimensions followed by a pointwise convolution.

    Args:
        x, strides, padding, data_format, dilation_rate: as in :func:`conv2d`.
        depthwise_kernel: ``(rows, columns, channels, multiplier)``.
        pointwise_kernel: ``(1, 1, channels * multiplier, filters)``.

    Returns:
        ``(batch, rows, columns, filters)``, or ``(batch, filters, rows, columns)`` for 'channels_first'.

    Raises:
        ValueError: an unknown padding or data format, sizes that do not fit, or a kernel of unknown shape.
        TypeError: operands that are not floats.

    Source: Chollet, "Xception: Deep Learning with Depthwise Separable Convolutions", 2017.

    >>> import numpy as np
    >>> from kbackend import K
    >>> y = K.separable_conv2d(np.ones((1, 2, 2, 2)), np.ones((2, 2, 2, 1)), np.ones((1, 1, 2, 1)))
    >>> K.eval(y).ravel().tolist()
    [8.0]
    """
    y = _depthwise(x, depthwise_kernel, strides, padding, data_format, dilation_rate, 2)
    return _convolve(y, pointwise_kernel, 1, "valid", data_format, 1, 2)


@derived(samples=lambda: [call(In((2, 3, 4)), In((4,))), call(In((2, 3, 4, 5)), In((3,)), "channels_first"),
                          call(In((2, 3, 4)), In((3, 4))), call(In((2, 3)), In((2,)), raises=ValueError)])
def bias_add(x: TensorLike, bias: TensorLike, data_format: str | None = None) -> Any:
    """Add a bias along the channels.

    Args:
        x: ``(batch, *spatial, channels)``, or ``(batch, channels, *spatial)`` for 'channels_first'.
        bias: ``(channels,)``, or ``(*spatial, channels)``, whose elements are read in their order as ``(channels,
            *spatial)`` for 'channels_first', as Keras 2 does.
        data_format: 'channels_last' or 'channels_first'; None for the default, ``K.image_data_format()``.

    Returns:
        A tensor of the shape of ``x``, in the promoted dtype.

    Raises:
        ValueError: an unknown data format, or shapes that do not fit.

    >>> from kbackend import K
    >>> K.eval(K.bias_add(K.zeros((1, 2, 2)), K.constant([1.0, 2.0]), "channels_last")).tolist()
    [[[1.0, 2.0], [1.0, 2.0]]]
    """
    first = config.normalize_data_format(data_format) == "channels_first" and len(x.shape) > 2
    rank = len(bias.shape)
    if rank not in (1, len(x.shape) - 1):
        raise ValueError(f"the bias for x of shape {tuple(x.shape)} must have rank 1 or {len(x.shape) - 1}, "
                         f"its shape is {tuple(bias.shape)}")
    channels = x.shape[1 if first else -1]
    if None not in (channels, bias.shape[-1]) and channels != bias.shape[-1]:
        raise ValueError(f"x of shape {tuple(x.shape)} has {channels} channels, the bias {tuple(bias.shape)}")
    if not first:
        return add(x, bias)
    if rank == 1:
        return x + reshape(bias, (-1, *(1,) * (len(x.shape) - 2)))
    return x + reshape(bias, (bias.shape[-1], *bias.shape[:-1]))


__all__: list[str] = []
