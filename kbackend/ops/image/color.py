"""Colour spaces of images, Gaussian blur and the peak signal-to-noise ratio."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from kbackend import config, dtypes
from kbackend.declare.call import dtype_of
from kbackend.declare.decorate import derived
from kbackend.declare.op import TensorLike
from kbackend.declare.sample import In, call
from kbackend.ops.arrays.broadcast import tile
from kbackend.ops.arrays.dims import part
from kbackend.ops.arrays.join import concatenate_last
from kbackend.ops.arrays.reshape import reshape
from kbackend.ops.core.arguments import as_tensor
from kbackend.ops.core.cast import cast
from kbackend.ops.elementwise.exponential import exp, log
from kbackend.ops.elementwise.power import square
from kbackend.ops.elementwise.select import clip_range, maximum, minimum, select_elements
from kbackend.ops.image.resize import in_floats, opened
from kbackend.ops.nn.conv_any import depthwise_conv
from kbackend.ops.nn.windows import integers
from kbackend.ops.reduction.reductions import mean, sum_

#: the luma coefficients of red, green and blue of ITU-R BT.601, rounded as in TensorFlow and Keras
LUMA = (0.2989, 0.5870, 0.1140)


def _channels(images: Any, data_format: str | None) -> tuple[Any, int]:
    """Images as a tensor, and the axis of their three channels."""
    first = config.normalize_data_format(data_format) == "channels_first"
    x = as_tensor(images)
    rank = len(x.shape)
    if rank not in (3, 4):
        raise ValueError(f"images need 3 dimensions, or 4 for a batch; their shape is {tuple(x.shape)}")
    axis = rank - 3 if first else rank - 1
    if x.shape[axis] not in (None, 3):
        raise ValueError(f"images need 3 channels, they have {x.shape[axis]} along axis {axis} of {tuple(x.shape)}")
    return x, axis


def _float_channels(images: Any, data_format: str | None) -> tuple[list[Any], int]:
    """The three channels of float images, each with an axis of size 1, and that axis."""
    x, axis = _channels(images, data_format)
    if not dtypes.is_float(dtype_of(x)):
        raise TypeError(f"images must be floats, not {dtype_of(x)}; cast them and divide them by 255 first")
    return [part(x, axis, i, i + 1) for i in range(3)], axis


@derived(tolerance="reduction", samples=lambda: [
    call(In((2, 2, 3, 3)), "channels_last"), call(In((3, 2, 4)), "channels_first", dynamic=False, name="one image"),
    call(In((1, 1, 1, 3), kind="uint8", values=np.full((1, 1, 1, 3), 255)), "channels_last", gradient=False,
         expect=np.full((1, 1, 1, 1), 255, "uint8"), name="white stays white"),
    call(In((2, 2, 3, 4)), "channels_last", raises=ValueError, name="channels"),
    call(In((2, 3)), "channels_last", raises=ValueError, name="rank"),
    call(In((2, 2, 3, 3)), "last", raises=ValueError, name="data format")])
def rgb_to_grayscale(images: TensorLike, data_format: str | None = None) -> Any:
    """Grayscale images by the luma of ITU-R BT.601: ``0.2989 red + 0.587 green + 0.114 blue``.

    Args:
        images: ``(batch, rows, columns, 3)``, or ``(batch, 3, rows, columns)`` for 'channels_first'; one image has no
            batch axis. Integers are computed in floats and rounded to the nearest.
        data_format: 'channels_last' or 'channels_first'; the default of the process when None.

    Returns:
        Images of one channel, in the dtype of ``images``.

    Raises:
        ValueError: another rank or number of channels, or an unknown data format.
        TypeError: bool images.

    Source: ITU-R Recommendation BT.601.

    >>> import numpy as np
    >>> from kbackend import K, ops
    >>> K.eval(ops.image.rgb_to_grayscale(np.full((1, 1, 3), 200, "uint8"), "channels_last")).tolist()
    [[[200]]]
    """
    x, axis = _channels(images, data_format)

    def luma(y: Any) -> Any:
        red, green, blue = (part(y, axis, i, i + 1) * weight for i, weight in enumerate(LUMA))
        return red + green + blue

    return in_floats(x, luma)


@derived(tolerance="reduction", samples=lambda: [
    call(In((2, 2, 3, 3), 0.0, 1.0, distinct=True), "channels_last"),
    call(In((3, 2, 2), 0.0, 1.0, distinct=True), "channels_first", dynamic=False, name="one image"),
    call(In((1, 2, 3), values=[[[0.5, 0.5, 0.5], [0.0, 0.0, 0.0]]]), "channels_last", gradient=False, dynamic=False,
         expect=np.array([[[0.0, 0.0, 0.5], [0.0, 0.0, 0.0]]]), name="grey and black"),
    call(In((2, 2, 3), 0, 255, kind="uint8"), "channels_last", raises=TypeError, name="integers"),
    call(In((2, 2, 1)), "channels_last", raises=ValueError, name="channels")])
def rgb_to_hsv(images: TensorLike, data_format: str | None = None) -> Any:
    """Hue, saturation and value of RGB colours.

    Args:
        images: floats in [0, 1], ``(batch, rows, columns, 3)``, or ``(batch, 3, rows, columns)`` for 'channels_first';
            one image has no batch axis.
        data_format: 'channels_last' or 'channels_first'; the default of the process when None.

    Returns:
        Images of the same shape and dtype. Hue 0 is red, 1/3 green and 2/3 blue; grey has hue 0, black saturation 0.

    Raises:
        ValueError: another rank or number of channels, or an unknown data format.
        TypeError: images that are not floats.

    Source: Smith, "Color Gamut Transform Pairs", 1978.

    >>> from kbackend import K, ops
    >>> K.eval(ops.image.rgb_to_hsv([[[0.0, 0.5, 0.0]]], "channels_last")).round(4).tolist()
    [[[0.33329999446868896, 1.0, 0.5]]]
    """
    (red, green, blue), axis = _float_channels(images, data_format)
    value = maximum(maximum(red, green), blue)
    chroma = value - minimum(minimum(red, green), blue)
    # Divisors of 1 where the quotient is not used keep gradients finite there.
    lit, coloured = value > 0.0, chroma > 0.0
    saturation = select_elements(lit, chroma / select_elements(lit, value, 1.0), 0.0)
    divisor = select_elements(coloured, chroma, 1.0)
    near_red, near_green, near_blue = (green - blue) / divisor, (blue - red) / divisor, (red - green) / divisor
    sixths = select_elements(value == red, near_red,
                             select_elements(value == green, near_green + 2.0, near_blue + 4.0))
    sixths = select_elements(sixths < 0.0, sixths + 6.0, sixths)
    hue = select_elements(coloured, sixths / 6.0, 0.0)
    return concatenate_last([hue, saturation, value], axis)


#: hues at which the derivative of a colour jumps
_KINKS = tuple(i / 6 for i in range(-6, 7))


@derived(tolerance="reduction", samples=lambda: [
    call(In((2, 2, 3, 3), -0.9, 0.98, avoid=_KINKS), "channels_last"),
    call(In((3, 2, 2), 0.02, 0.98, avoid=_KINKS), "channels_first", dynamic=False, name="one image"),
    call(In((2, 2, 3), 0, 255, kind="uint8"), "channels_last", raises=TypeError, name="integers"),
    call(In((2, 3)), "channels_last", raises=ValueError, name="rank")])
def hsv_to_rgb(images: TensorLike, data_format: str | None = None) -> Any:
    """RGB colours of hue, saturation and value; the inverse of :func:`rgb_to_hsv`.

    Arguments, result and errors are those of :func:`rgb_to_hsv`. Hues are taken modulo 1.

    Source: Smith, "Color Gamut Transform Pairs", 1978.

    >>> from kbackend import K, ops
    >>> K.eval(ops.image.hsv_to_rgb([[[0.0, 1.0, 0.5]]], "channels_last")).tolist()
    [[[0.5, 0.0, 0.0]]]
    """
    (hue, saturation, value), axis = _float_channels(images, data_format)
    chroma = saturation * value
    sixths = hue * 6.0
    colours = []
    for start in (5.0, 3.0, 1.0):  # red, green, blue
        angle = (sixths + start) % 6.0
        colours.append(value - chroma * clip_range(minimum(angle, 4.0 - angle), low=0.0, high=1.0))
    return concatenate_last(colours, axis)


def _gaussian(size: int, sigma: Any, dtype: str) -> Any:
    """The normal density at ``size`` points around 0, normalized to sum to 1."""
    distance = (np.arange(size) - (size - 1) / 2).astype(dtype)
    weights = exp(square(distance / sigma) * -0.5)
    return weights / sum_(weights)


def _standard_deviations(sigma: Any) -> list[Any]:
    """The two standard deviations of a number, a pair, a scalar or a vector of two."""
    if isinstance(sigma, (int, float)):
        sigma = (sigma, sigma)
    if isinstance(sigma, (list, tuple)):
        if len(sigma) != 2 or any(isinstance(s, (int, float)) and not s > 0 for s in sigma):
            raise ValueError(f"sigma must hold two positive numbers, it is {sigma!r}")
        return list(sigma)
    if tuple(sigma.shape) not in ((), (2,)):
        raise ValueError(f"sigma must hold two numbers, its shape is {tuple(sigma.shape)}")
    return [sigma, sigma] if sigma.shape == () else [sigma[i] for i in range(2)]


@derived(tolerance="matmul", samples=lambda: [
    call(In((2, 5, 4, 3)), data_format="channels_last"),
    call(In((2, 5, 6)), (5, 2), (0.5, 2.0), "channels_first", dynamic=False, name="one image, an even window"),
    call(In((1, 3, 4, 1)), 3, In((2,), values=[0.7, 1.5]), "channels_last", name="deviations that are tensors"),
    call(In((1, 3, 4, 1)), (3, 3), (1.0, 0.0), "channels_last", raises=ValueError, name="no deviation"),
    call(In((1, 3, 4, 1)), (3, 0), (1.0, 1.0), "channels_last", raises=ValueError, name="no window"),
    call(In((3, 4)), data_format="channels_last", raises=ValueError, name="rank")])
def gaussian_blur(images: TensorLike, kernel_size: Any = (3, 3), sigma: Any = (1.0, 1.0),
                  data_format: str | None = None) -> Any:
    """Images convolved with a Gaussian kernel, with zero padding.

    Args:
        images: ``(batch, rows, columns, channels)``, or ``(batch, channels, rows, columns)`` for 'channels_first'; one
            image has no batch axis. Integers are computed in floats and rounded to the nearest.
        kernel_size: rows and columns of the kernel; an even kernel has its additional pixel at the end.
        sigma: standard deviations along rows and columns in pixels, a number or a pair, or a scalar or vector tensor,
            to which gradients flow.
        data_format: 'channels_last' or 'channels_first'; the default of the process when None.

    Returns:
        Images of the same shape and dtype.

    Raises:
        ValueError: another rank, a size or deviation that is not positive, or an unknown number of channels.
        TypeError: bool images.

    >>> import numpy as np
    >>> from kbackend import K, ops
    >>> x = np.array([0.0, 0.0, 1.0, 0.0, 0.0]).reshape(1, 5, 1)
    >>> K.eval(ops.image.gaussian_blur(x, data_format="channels_last")).ravel().round(2).tolist()[1:4]
    [0.12, 0.2, 0.12]
    """
    window = integers("kernel_size", kernel_size, 2)
    deviations = _standard_deviations(sigma)
    x, restore = opened(images, data_format)
    channels = x.shape[-1]
    if channels is None:
        raise ValueError(f"gaussian_blur needs a known number of channels, images have the shape {tuple(x.shape)}")

    def blurred(y: Any) -> Any:
        dtype = "float64" if dtype_of(y) == "float64" else "float32"
        for axis, (size, deviation) in enumerate(zip(window, deviations)):
            shape = [1, 1, 1, 1]
            shape[axis] = size
            weights = _gaussian(size, cast(as_tensor(deviation), dtype), dtype)
            kernel = cast(reshape(weights, shape), dtype_of(y))
            kernel = tile(kernel, (1, 1, channels, 1)) if channels > 1 else kernel
            y = depthwise_conv(y, kernel, 1, "same", "channels_last")
        return y

    return restore(in_floats(x, blurred))


@derived(tolerance="elementwise", samples=lambda: [
    call(In((3, 4)), In((3, 4)), 2.0), call(In((3, 4)), In((4,)), 1.0, raises=ValueError, name="shapes")])
def psnr(x1: TensorLike, x2: TensorLike, max_val: float) -> Any:
    """The peak signal-to-noise ratio in decibels: ``20 log10(max_val) - 10 log10(mean((x1 - x2) ** 2))``.

    Args:
        x1, x2: floats of the same shape.
        max_val: the largest value that the signals can take, a number.

    Returns:
        A scalar; infinity for equal signals.

    Raises:
        ValueError: x1 and x2 of different shapes.

    >>> from kbackend import K, ops
    >>> round(float(K.eval(ops.psnr(K.constant([1.0, 0.5]), K.constant([1.0, 0.4]), 1.0))), 2)
    23.01
    """
    if any(None not in (a, b) and a != b for a, b in zip(x1.shape, x2.shape)) or len(x1.shape) != len(x2.shape):
        raise ValueError(f"psnr needs tensors of the same shape, not {tuple(x1.shape)} and {tuple(x2.shape)}")
    error = mean(square(x1 - x2))
    return log(float(max_val) ** 2 / error) * (10.0 / math.log(10.0))


__all__ = ["psnr"]
