"""Colours of images: grey, hue, and blur."""

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
from kbackend.ops.elementwise.arithmetic import add, divide, multiply, subtract
from kbackend.ops.elementwise.exponential import exp, log
from kbackend.ops.elementwise.power import square
from kbackend.ops.elementwise.select import clip_range, maximum, minimum, select_elements
from kbackend.ops.image.resize import in_floats, opened
from kbackend.ops.nn.conv_any import depthwise_conv
from kbackend.ops.nn.windows import integers
from kbackend.ops.reduction.reductions import mean, sum_

#: what red, green and blue add to grey, by ITU-R BT.601 as TensorFlow and Keras round it
GREY = (0.2989, 0.5870, 0.1140)


def _channels(images: Any, data_format: str | None) -> tuple[Any, int]:
    """Images and the axis of their three channels."""
    first = config.normalize_data_format(data_format) == "channels_first"
    x = as_tensor(images)
    rank = len(x.shape)
    if rank not in (3, 4):
        raise ValueError(f"images need 3 dimensions, or 4 for a batch; their shape is {tuple(x.shape)}")
    axis = rank - 3 if first else rank - 1
    if x.shape[axis] not in (None, 3):
        raise ValueError(f"images need 3 channels, they have {x.shape[axis]} along axis {axis} of {tuple(x.shape)}")
    return x, axis


def _three(images: Any, data_format: str | None) -> tuple[list[Any], int]:
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
    """Grey images: ``0.2989 red + 0.587 green + 0.114 blue``.

    Args:
        images: ``(batch, rows, columns, 3)``, or ``(batch, 3, rows, columns)`` for 'channels_first'; one image has no
            batch dimension. Integers are computed in floats and rounded to the nearest.
        data_format: 'channels_last' or 'channels_first'; the default of the process when None.

    Returns:
        Images of one channel, in the dtype of ``images``.

    Raises:
        ValueError: another rank or number of channels, or an unknown data format. TypeError: bool.

    >>> import numpy as np
    >>> from kbackend import K, ops
    >>> K.eval(ops.image.rgb_to_grayscale(np.full((1, 1, 3), 200, "uint8"), "channels_last")).tolist()
    [[[200]]]
    """
    x, axis = _channels(images, data_format)

    def grey(y: Any) -> Any:
        red, green, blue = (multiply(part(y, axis, i, i + 1), share) for i, share in enumerate(GREY))
        return add(red, green) + blue

    return in_floats(x, grey)


@derived(tolerance="reduction", samples=lambda: [
    call(In((2, 2, 3, 3), 0.0, 1.0, distinct=True), "channels_last"),
    call(In((3, 2, 2), 0.0, 1.0, distinct=True), "channels_first", dynamic=False, name="one image"),
    call(In((1, 2, 3), values=[[[0.5, 0.5, 0.5], [0.0, 0.0, 0.0]]]), "channels_last", gradient=False, dynamic=False,
         expect=np.array([[[0.0, 0.0, 0.5], [0.0, 0.0, 0.0]]]), name="grey and black"),
    call(In((2, 2, 3), 0, 255, kind="uint8"), "channels_last", raises=TypeError, name="integers"),
    call(In((2, 2, 1)), "channels_last", raises=ValueError, name="channels")])
def rgb_to_hsv(images: TensorLike, data_format: str | None = None) -> Any:
    """Hue, saturation and value of colours in [0, 1]; of the hue, 0 is red, 1/3 green and 2/3 blue.

    Grey has hue 0 and black saturation 0. Arguments as in :func:`rgb_to_grayscale`, floats only. Source: Smith 1978.

    Raises:
        ValueError: another rank or number of channels, or an unknown data format. TypeError: integers.

    >>> from kbackend import K, ops
    >>> K.eval(ops.image.rgb_to_hsv([[[0.0, 0.5, 0.0]]], "channels_last")).round(4).tolist()
    [[[0.33329999446868896, 1.0, 0.5]]]
    """
    (red, green, blue), axis = _three(images, data_format)
    value = maximum(maximum(red, green), blue)
    spread = value - minimum(minimum(red, green), blue)
    lit, coloured = value > 0.0, spread > 0.0
    saturation = select_elements(lit, spread / select_elements(lit, value, 1.0), 0.0)
    unit = select_elements(coloured, spread, 1.0)
    of_red, of_green, of_blue = (subtract(a, b) / unit
                                 for a, b in ((green, blue), (blue, red), (red, green)))
    sixths = select_elements(value == red, of_red,
                     select_elements(value == green, add(of_green, 2.0), add(of_blue, 4.0)))
    sixths = select_elements(sixths < 0.0, sixths + 6.0, sixths)
    hue = select_elements(coloured, sixths / 6.0, 0.0)
    return concatenate_last([hue, saturation, value], axis)


#: hues where a colour begins or ceases to change
_KINKS = tuple(i / 6 for i in range(-6, 7))


@derived(tolerance="reduction", samples=lambda: [
    call(In((2, 2, 3, 3), -0.9, 0.98, avoid=_KINKS), "channels_last"),
    call(In((3, 2, 2), 0.02, 0.98, avoid=_KINKS), "channels_first", dynamic=False, name="one image"),
    call(In((2, 2, 3), 0, 255, kind="uint8"), "channels_last", raises=TypeError, name="integers"),
    call(In((2, 3)), "channels_last", raises=ValueError, name="rank")])
def hsv_to_rgb(images: TensorLike, data_format: str | None = None) -> Any:
    """The inverse of :func:`rgb_to_hsv`; hues count modulo 1. Arguments and errors as there.

    >>> from kbackend import K, ops
    >>> K.eval(ops.image.hsv_to_rgb([[[0.0, 1.0, 0.5]]], "channels_last")).tolist()
    [[[0.5, 0.0, 0.0]]]
    """
    (hue, saturation, value), axis = _three(images, data_format)
    depth = multiply(saturation, value)
    sixths = multiply(hue, 6.0)
    found = []
    for start in (5.0, 3.0, 1.0):
        place = (sixths + start) % 6.0
        share = clip_range(minimum(place, 4.0 - place), low=0.0, high=1.0)
        found.append(value - depth * share)
    return concatenate_last(found, axis)


def _bell(size: int, sigma: Any, dtype: str) -> Any:
    """The normal density at ``size`` places around 0, made to sum to 1."""
    distance = (np.arange(size) - (size - 1) / 2).astype(dtype)
    weights = exp(square(divide(distance, sigma)) * -0.5)
    return weights / sum_(weights)


def _deviations(sigma: Any) -> list[Any]:
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
    """Images blurred by a window of the normal density, with zeros around them.

    Args:
        images: as those of :func:`rgb_to_grayscale`, of any known number of channels.
        kernel_size: rows and columns of the window; an odd pixel of an even window lies at the end.
        sigma: its standard deviations along rows and columns, in pixels: numbers, or tensors, to which gradients flow.
        data_format: 'channels_last' or 'channels_first'; the default of the process when None.

    Raises:
        ValueError: another rank, a size or deviation that is not positive, an unknown number of channels.

    >>> import numpy as np
    >>> from kbackend import K, ops
    >>> x = np.array([0.0, 0.0, 1.0, 0.0, 0.0]).reshape(1, 5, 1)
    >>> K.eval(ops.image.gaussian_blur(x, data_format="channels_last")).ravel().round(2).tolist()[1:4]
    [0.12, 0.2, 0.12]
    """
    window = integers("kernel_size", kernel_size, 2)
    deviations = _deviations(sigma)
    x, closed = opened(images, data_format)
    channels = x.shape[-1]
    if channels is None:
        raise ValueError(f"gaussian_blur needs a known number of channels, images have the shape {tuple(x.shape)}")

    def blurred(y: Any) -> Any:
        dtype = "float64" if dtype_of(y) == "float64" else "float32"
        for axis, (size, deviation) in enumerate(zip(window, deviations)):
            spread = cast(as_tensor(deviation), dtype)
            shape = [1, 1, 1, 1]
            shape[axis] = size
            bell = cast(reshape(_bell(size, spread, dtype), shape), dtype_of(y))
            kernel = tile(bell, (1, 1, channels, 1)) if channels > 1 else bell
            y = depthwise_conv(y, kernel, 1, "same", "channels_last")
        return y

    return closed(in_floats(x, blurred))


@derived(tolerance="elementwise", samples=lambda: [
    call(In((3, 4)), In((3, 4)), 2.0), call(In((3, 4)), In((4,)), 1.0, raises=ValueError, name="shapes")])
def psnr(x1: TensorLike, x2: TensorLike, max_val: float) -> Any:
    """The peak signal-to-noise ratio in decibels, a scalar: ``20 log10(max_val) - 10 log10(mean((x1 - x2) ** 2))``.

    Raises:
        ValueError: x1 and x2 of different shapes.
    """
    if any(None not in (a, b) and a != b for a, b in zip(x1.shape, x2.shape)) or len(x1.shape) != len(x2.shape):
        raise ValueError(f"psnr compares tensors of one shape, these have {tuple(x1.shape)} and {tuple(x2.shape)}")
    error = mean(square(subtract(x1, x2)))
    return log(float(max_val) ** 2 / error) * (10.0 / math.log(10.0))


__all__ = ["psnr"]
