"""Upsampling of images and volumes by integer factors, as in K."""

from __future__ import annotations

from typing import Any

import numpy as np

from kbackend import config, dtypes
from kbackend.declare.call import dtype_of
from kbackend.declare.decorate import derived
from kbackend.declare.op import TensorLike
from kbackend.declare.sample import In, call
from kbackend.ops.arrays.dims import length
from kbackend.ops.arrays.repeat import repeat_elements
from kbackend.ops.arrays.sizes import split_entries
from kbackend.ops.core.cast import cast
from kbackend.ops.image.resize import positive_size, resample
from kbackend.ops.nn.windows import channels_last, check_rank, restored


def _repeated(x: Any, factors: dict[str, Any], data_format: str | None) -> Any:
    """Elements repeated along the spatial axes, by one factor for each."""
    axis = 2 if config.normalize_data_format(data_format) == "channels_first" else 1
    for label, factor in factors.items():
        repeats = positive_size(label, factor)
        x = repeat_elements(x, repeats, axis) if repeats > 1 else x
        axis += 1
    return x


@derived(tolerance="reduction", samples=lambda: [
    call(In((2, 3, 4, 3)), 2, 3, "channels_last"),
    call(In((2, 3, 4, 2)), 2, 1, "channels_first", name="channels_first"),
    call(In((2, 3, 4, 3)), 2, 3, "channels_last", "bilinear", name="bilinear"),
    call(In((2, 3, 4, 2)), 1, 2, "channels_first", "bilinear", name="channels_first, bilinear"),
    call(In((2, 3, 4, 1), 0, 255, kind="uint8"), 2, 2, "channels_last", name="uint8", gradient=False),
    call(In((2, 3, 4, 1), 0, 255, kind="uint8"), 2, 2, "channels_last", "bilinear", name="uint8, bilinear",
         gradient=False),
    call(In((0, 3, 4, 1)), 2, 2, "channels_last", "bilinear", name="empty"),
    call(In((1, 1, 4, 1), values=np.arange(4.0).reshape(1, 1, 4, 1)), 1, 2, "channels_last", "bilinear",
         expect=np.array([0, 0.25, 0.75, 1.25, 1.75, 2.25, 2.75, 3]).reshape(1, 1, 8, 1), name="half-pixel centres"),
    call(In((2, 3, 4, 3)), 2, 3, "last", raises=ValueError, name="unknown data format"),
    call(In((2, 3, 4, 3)), 2, 3, "channels_last", "cubic", raises=ValueError, name="unknown interpolation"),
    call(In((2, 3, 4, 3)), 0, 3, "channels_last", raises=ValueError, name="no factor"),
    call(In((2, 3, 4, 3)), 1.5, 3, "channels_last", "bilinear", raises=ValueError, name="no integer"),
    call(In((2, 3, 4)), 2, 3, "channels_last", raises=ValueError, name="rank")])
def resize_images(x: TensorLike, height_factor: int, width_factor: int, data_format: str,
                  interpolation: str = "nearest") -> Any:
    """Images upsampled by integer factors.

    Args:
        x: ``(batch, rows, columns, channels)``, or ``(batch, channels, rows, columns)`` for 'channels_first'.
        height_factor, width_factor: positive integers.
        data_format: 'channels_last' or 'channels_first'.
        interpolation: 'nearest', which repeats each pixel, or another of
            :func:`~kbackend.ops.image.resize.resample`, such as 'bilinear', which casts integers to floatx.

    Returns:
        Images of ``rows * height_factor`` rows and ``columns * width_factor`` columns.

    Raises:
        ValueError: a factor that is not a positive integer, an unknown data format or interpolation, or another rank.

    >>> import numpy as np
    >>> from kbackend import K
    >>> x = np.array([[1.0, 2.0]]).reshape(1, 1, 2, 1)
    >>> K.eval(K.resize_images(x, 1, 2, "channels_last"))[0, :, :, 0].tolist()
    [[1.0, 1.0, 2.0, 2.0]]
    """
    x = x if hasattr(x, "shape") else np.asarray(x)
    check_rank(x, 2)
    factors = {"height_factor": height_factor, "width_factor": width_factor}
    if interpolation == "nearest":
        return _repeated(x, factors, data_format)
    repeats = [positive_size(label, factor) for label, factor in factors.items()]
    x, first = channels_last(x if dtypes.is_float(dtype_of(x)) else cast(x, config.floatx()), data_format)
    sizes, size = split_entries([length(x, axis) * n for axis, n in enumerate(repeats, start=1)])
    return restored(resample(x, sizes, size=size, interpolation=interpolation), first)


@derived(tolerance="exact", samples=lambda: [
    call(In((2, 2, 3, 2, 2)), 2, 1, 3, "channels_last"),
    call(In((2, 2, 3, 2, 2)), 2, 1, 3, "channels_first", name="channels_first"),
    call(In((2, 1, 2, 2, 1), 0, 9, kind="int32"), 1, 2, 2, "channels_last", gradient=False, name="int32"),
    call(In((2, 2, 3, 2, 2)), 2, 1, 3, "channels", raises=ValueError, name="unknown data format"),
    call(In((2, 2, 3, 2, 2)), 2, -1, 3, "channels_last", raises=ValueError, name="negative factor"),
    call(In((2, 2, 3, 2)), 2, 1, 3, "channels_last", raises=ValueError, name="rank")])
def resize_volumes(x: TensorLike, depth_factor: int, height_factor: int, width_factor: int, data_format: str) -> Any:
    """Volumes upsampled by integer factors, each element repeated.

    Args:
        x: ``(batch, depth, rows, columns, channels)``, or ``(batch, channels, depth, rows, columns)`` for
            'channels_first'.
        depth_factor, height_factor, width_factor: positive integers.
        data_format: 'channels_last' or 'channels_first'.

    Returns:
        Volumes in which each spatial axis is as many times as long as its factor.

    Raises:
        ValueError: a factor that is not a positive integer, an unknown data format, or another rank.

    >>> import numpy as np
    >>> from kbackend import K
    >>> x = np.array([1.0, 2.0]).reshape(1, 1, 1, 2, 1)
    >>> K.eval(K.resize_volumes(x, 1, 1, 2, "channels_last")).ravel().tolist()
    [1.0, 1.0, 2.0, 2.0]
    """
    x = x if hasattr(x, "shape") else np.asarray(x)
    check_rank(x, 3)
    factors = {"depth_factor": depth_factor, "height_factor": height_factor, "width_factor": width_factor}
    return _repeated(x, factors, data_format)


__all__: list[str] = []
