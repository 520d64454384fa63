"""Cropping, padding and patches of images."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from kbackend.declare.decorate import derived
from kbackend.declare.op import TensorLike
from kbackend.declare.sample import In, call
from kbackend.ops.arrays.dims import length, plus, times
from kbackend.ops.arrays.pad import pad_constant
from kbackend.ops.arrays.ranges import numbers
from kbackend.ops.arrays.reshape import flatten, reshape
from kbackend.ops.arrays.transpose import permute_dimensions
from kbackend.ops.core.cast import cast
from kbackend.ops.elementwise.select import maximum
from kbackend.ops.image.resize import opened
from kbackend.ops.nn.unfold import gather_axis
from kbackend.ops.nn.windows import checked_padding, integers
from kbackend.plugin.geometry import same_pairs


def _two_of(names: Sequence[str], values: Sequence[Any]) -> list[int | None]:
    """Two nonnegative integers and a None.

    Raises:
        ValueError: another number of them, or one that is not such an integer.
    """
    specified = {n: v for n, v in zip(names, values) if v is not None}
    if len(specified) != 2:
        shown = ", ".join(f"{n}={v!r}" for n, v in zip(names, values))
        raise ValueError(f"exactly two of {', '.join(names)} are needed, they are {shown}")
    for name, value in specified.items():
        integers(name, value, 1, 1 if name.startswith("target") else 0)
    return [None if v is None else int(v) for v in values]


def _cropped(size: int | None, names: Sequence[str], values: Sequence[Any]) -> slice:
    """The slice of an axis that remains, of two of the sizes before, after and within it."""
    before, after, target = _two_of(names, values)
    if size is not None:
        start = size - target - after if before is None else before  # type: ignore[operator]
        stop = size - after if target is None else start + target  # type: ignore[operator]
        if not 0 <= start < stop <= size:
            shown = ", ".join(f"{n}={v}" for n, v in zip(names, values) if v is not None)
            raise ValueError(f"an axis of {size} pixels cannot be cropped by {shown}")
        return slice(start, stop)
    if target is None:
        return slice(before, -after if after else None)
    if before is not None:
        return slice(before, before + target)
    return slice(-(after + target), -after if after else None)  # type: ignore[operator]


_CROPPINGS = (("top_cropping", "bottom_cropping", "target_height"), ("left_cropping", "right_cropping", "target_width"))
_PADDINGS = (("top_padding", "bottom_padding", "target_height"), ("left_padding", "right_padding", "target_width"))


@derived(tolerance="moving", samples=lambda: [
    call(In((2, 5, 6, 1)), 1, None, 2, 1, None, 3, "channels_last"),
    call(In((2, 5, 6)), 0, 2, None, None, 5, 3, "channels_first", dynamic=False, name="one image"),
    call(In((2, 5, 6, 1)), 1, 1, 1, 1, 3, data_format="channels_last", raises=ValueError, name="three"),
    call(In((2, 5, 6, 1)), 1, 1, 1, None, None, 6, "channels_last", raises=ValueError, name="too wide"),
    call(In((2, 5, 6, 1)), -1, 1, 1, 1, data_format="channels_last", raises=ValueError, name="negative")])
def crop_images(images: TensorLike, top_cropping: int | None = None, left_cropping: int | None = None,
                bottom_cropping: int | None = None, right_cropping: int | None = None,
                target_height: int | None = None, target_width: int | None = None,
                data_format: str | None = None) -> Any:
    """Images cropped to a rectangle.

    Args:
        images: ``(batch, rows, columns, channels)``, or ``(batch, channels, rows, columns)`` for 'channels_first'; one
            image has no batch axis. Of any dtype.
        top_cropping, bottom_cropping, target_height: exactly two of them: the rows to remove at the top and at the
            bottom, and the rows of the result.
        left_cropping, right_cropping, target_width: exactly two of them, for columns.
        data_format: 'channels_last' or 'channels_first'; the default of the process when None.

    Returns:
        Images of the same dtype and layout.

    Raises:
        ValueError: another rank, not exactly two of three, or numbers that are negative or do not fit the images.

    >>> import numpy as np
    >>> from kbackend import K, ops
    >>> x = np.arange(6.0).reshape(2, 3, 1)
    >>> K.eval(ops.image.crop_images(x, 1, 1, 0, 0, data_format="channels_last")).ravel().tolist()
    [4.0, 5.0]
    """
    x, restore = opened(images, data_format)
    rows = _cropped(x.shape[1], _CROPPINGS[0], (top_cropping, bottom_cropping, target_height))
    columns = _cropped(x.shape[2], _CROPPINGS[1], (left_cropping, right_cropping, target_width))
    return restore(x[:, rows, columns])


def _padding(size: int | None, names: Sequence[str], values: Sequence[Any]) -> tuple[int, int]:
    """The padding before and after an axis, of two of the sizes before, after and of the result."""
    before, after, target = _two_of(names, values)
    if target is None:
        return before, after  # type: ignore[return-value]
    if size is None:
        raise ValueError(f"{names[2]} needs a known size; pass {names[0]} and {names[1]}")
    other = target - size - (before if after is None else after)  # type: ignore[operator]
    if other < 0:
        shown = ", ".join(f"{n}={v}" for n, v in zip(names, values) if v is not None)
        raise ValueError(f"an axis of {size} pixels cannot be padded by {shown}")
    return (before, other) if after is None else (other, after)  # type: ignore[return-value]


@derived(tolerance="moving", samples=lambda: [
    call(In((2, 3, 2, 1)), 1, 0, 2, 3, data_format="channels_last"),
    call(In((1, 3, 2), 0, 9, kind="uint8"), None, 1, 2, None, 6, 5, "channels_first", dynamic=False, gradient=False,
         name="one image"),
    call(In((2, 3, 2, 1)), 1, 1, data_format="channels_last", raises=ValueError, name="one of three"),
    call(In((2, 3, 2, 1)), 1, 1, None, 1, 3, data_format="channels_last", raises=ValueError, name="too small")])
def pad_images(images: TensorLike, top_padding: int | None = None, left_padding: int | None = None,
               bottom_padding: int | None = None, right_padding: int | None = None, target_height: int | None = None,
               target_width: int | None = None, data_format: str | None = None) -> Any:
    """Images padded with zeros.

    Args:
        images: as in :func:`crop_images`.
        top_padding, bottom_padding, target_height: exactly two of them: the rows to add at the top and at the bottom,
            and the rows of the result, which need images of a known height.
        left_padding, right_padding, target_width: exactly two of them, for columns.
        data_format: 'channels_last' or 'channels_first'; the default of the process when None.

    Returns:
        Images of the same dtype and layout.

    Raises:
        ValueError: another rank, not exactly two of three, or numbers that are negative or do not fit the images.

    >>> import numpy as np
    >>> from kbackend import K, ops
    >>> x = np.ones((1, 1, 1))
    >>> K.eval(ops.image.pad_images(x, 0, 1, 0, target_width=3, data_format="channels_last")).ravel().tolist()
    [0.0, 1.0, 0.0]
    """
    x, restore = opened(images, data_format)
    rows = _padding(x.shape[1], _PADDINGS[0], (top_padding, bottom_padding, target_height))
    columns = _padding(x.shape[2], _PADDINGS[1], (left_padding, right_padding, target_width))
    return restore(pad_constant(x, ((0, 0), rows, columns, (0, 0))))


def _patch_count(size: Any, window: int, stride: int, dilation: int) -> Any:
    """The number of patches along an axis, an integer or an integer scalar."""
    span = (window - 1) * dilation + 1
    if not isinstance(size, int):
        last = plus(size, -span)
        return maximum(plus(last // stride if stride > 1 else last, 1), 0)
    if size < span:
        raise ValueError(f"a patch of {window} with dilation {dilation} does not fit an axis of {size}")
    return (size - span) // stride + 1


def _patch_indices(count: Any, window: int, stride: int, dilation: int) -> Any:
    """The indices along an axis of all patches, as a vector: (window, patches) flattened."""
    inner = np.arange(window, dtype=np.int32)[:, None] * np.int32(dilation)
    if isinstance(count, int):
        return (inner + np.arange(count, dtype=np.int32) * np.int32(stride)).ravel()
    return flatten(cast(numbers(count), "int32") * stride + inner)


@derived(tolerance="moving", samples=lambda: [
    call(In((2, 5, 6, 2)), (2, 3), data_format="channels_last"),
    call(In((2, 5, 6)), 2, 1, 2, "same", "channels_first", dynamic=False, name="one image, dilation"),
    call(In((2, 3, 4, 3, 1)), (2, 2, 3), (1, 2, 1), data_format="channels_last", name="volumes"),
    call(In((2, 2, 6, 1)), 3, data_format="channels_last", raises=ValueError, name="does not fit"),
    call(In((2, 5, 6, 1)), 3, padding="full", data_format="channels_last", raises=ValueError, name="padding"),
    call(In((2, 5)), 3, raises=ValueError, name="rank")])
def extract_patches(images: TensorLike, size: Any, strides: Any = None, dilation_rate: Any = 1,
                    padding: str = "valid", data_format: str | None = None) -> Any:
    """The patches of images or volumes, each flattened into a vector of channels.

    Args:
        images: as in :func:`crop_images`; volumes have one more spatial axis.
        size: rows and columns of a patch (one number for both), or three numbers for volumes.
        strides: the distance between the starts of patches; ``size`` when None.
        dilation_rate: the distance between the pixels of a patch.
        padding: 'valid', or 'same' for zero padding, which needs known sizes. A patch that is larger than
            sizes that are known when a program runs gives no patches.
        data_format: 'channels_last' or 'channels_first'; the default of the process when None.

    Returns:
        ``(batch, patches along rows, patches along columns, rows * columns * channels)``, in which channels vary
        fastest; the vectors are the second axis for 'channels_first'.

    Raises:
        ValueError: another rank, a size that is not positive, an unknown padding or data format, or a patch that does
            not fit.

    >>> import numpy as np
    >>> from kbackend import K, ops
    >>> K.eval(ops.image.extract_patches(np.arange(4.0).reshape(1, 4, 1), (1, 2), data_format="channels_last")).tolist()
    [[[0.0, 1.0], [2.0, 3.0]]]
    """
    rank = len(size) if isinstance(size, (list, tuple)) else 2
    if rank not in (2, 3):
        raise ValueError(f"size must hold two or three numbers, it is {size!r}")
    window = integers("size", size, rank)
    steps = window if strides is None else integers("strides", strides, rank)
    dilation = integers("dilation_rate", dilation_rate, rank)
    x, restore = opened(images, data_format, rank)
    if checked_padding(padding, rank) == "same":
        if None in x.shape[1:-1]:
            raise ValueError(f"padding 'same' needs known sizes, images have the shape {tuple(x.shape)}")
        x = pad_constant(x, ((0, 0), *same_pairs(x.shape[1:-1], window, steps, dilation), (0, 0)))
    counts = [_patch_count(length(x, axis), window[axis - 1], steps[axis - 1], dilation[axis - 1])
              for axis in range(1, rank + 1)]
    batch, channels = length(x, 0), length(x, rank + 1)
    for axis, count in enumerate(counts, 1):
        x = gather_axis(x, _patch_indices(count, window[axis - 1], steps[axis - 1], dilation[axis - 1]), axis)
    x = reshape(x, (batch, *(n for pair in zip(window, counts) for n in pair), channels))
    x = permute_dimensions(x, (0, *range(2, 2 * rank + 1, 2), *range(1, 2 * rank, 2), 2 * rank + 1))
    return restore(reshape(x, (batch, *counts, times(math.prod(window), channels))))


__all__: list[str] = []
