"""Resizing of images by separable interpolation kernels.

Pixel centres are at half-integers: pixel i of n covers [i, i + 1) / n. Each pixel of the result is a weighted mean of
the pixels of the image within a window around its centre; weights outside the image are 0 and the rest is normalized.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from kbackend import config, dtypes
from kbackend.declare.call import dtype_of
from kbackend.declare.decorate import derived, primitive
from kbackend.declare.op import TensorLike, TensorList
from kbackend.declare.sample import In, Sample, call
from kbackend.declare.shapes import axis_in
from kbackend.graph.tensor import TensorSpec
from kbackend.ops.arrays.dims import length
from kbackend.ops.arrays.pad import pad_constant
from kbackend.ops.arrays.ranges import numbers as numbers_of
from kbackend.ops.arrays.reshape import expand_dims, squeeze_axis
from kbackend.ops.arrays.sizes import check_sizes
from kbackend.ops.arrays.transpose import permute_dimensions
from kbackend.ops.core.arguments import as_tensor, integer
from kbackend.ops.core.cast import cast
from kbackend.ops.elementwise.arithmetic import abs_
from kbackend.ops.elementwise.rounding import round_half_even
from kbackend.ops.elementwise.select import clip, maximum, select_elements
from kbackend.ops.elementwise.trigonometric import sin
from kbackend.ops.linalg.matmul import matrix_product
from kbackend.ops.nn.windows import integers, spatial_rank
from kbackend.ops.reduction.reductions import sum_
from kbackend.plugin.resampling import WINDOWS

INTERPOLATIONS = ("nearest", "area", *WINDOWS)


def _attrs(specs: Sequence[Any], attrs: dict[str, Any]) -> dict[str, Any]:
    rank, size = spatial_rank(specs), attrs["size"]
    size = tuple(size) if isinstance(size, (tuple, list)) else (size,)
    if len(size) != rank:
        raise ValueError(f"size must hold {rank} numbers, it is {attrs['size']!r}")
    if attrs["interpolation"] not in INTERPOLATIONS:
        raise ValueError(f"unknown interpolation {attrs['interpolation']!r}; choose one of {', '.join(INTERPOLATIONS)}")
    return {
        "size": tuple(None if n is None else positive_size("a size", n) for n in size),
        "interpolation": attrs["interpolation"],
        "antialias": bool(attrs["antialias"]),
    }


def positive_size(label: str, value: Any) -> int:
    """A positive integer argument.

    Raises:
        ValueError: any other value.
    """
    try:
        found = operator.index(value)
    except TypeError:
        found = 0
    if found < 1:
        raise ValueError(f"{label} must be a positive integer, it is {value!r}")
    return found


def _samples() -> list[Sample]:
    def line(*numbers: float) -> In:
        return In((1, len(numbers), 1), values=np.reshape(numbers, (1, -1, 1)))

    def number(value: int) -> In:
        return In((), kind="int32", values=value)

    def lines(*numbers: float) -> np.ndarray:
        return np.reshape(numbers, (1, -1, 1))

    cubic = lines(0.7265625 / 0.796875, 1.2265625 / 1.0703125, 1.6796875 / 1.0234375, 2.3828125,
                  3.3359375, 5.140625 / 1.0234375, 7.796875 / 1.0703125, 6.65625 / 0.796875)
    shape = (2, 4, 5, 3)
    return [
        call(In(shape), size=(6, 3), interpolation="nearest", name="nearest"),
        call(In(shape), size=(6, 3), interpolation="bilinear", name="bilinear"),
        call(In(shape), size=(7, 10), interpolation="bicubic", name="bicubic"),
        call(In(shape), size=(9, 2), interpolation="lanczos3", name="lanczos3"),
        call(In(shape), size=(4, 12), interpolation="lanczos5", name="lanczos5, one dimension kept"),
        call(In((2, 9, 11, 2)), size=(4, 3), interpolation="bilinear", antialias=True, name="antialias"),
        call(In((2, 9, 3, 2)), size=(2, 7), interpolation="bicubic", antialias=True, name="antialias, bicubic"),
        call(In((2, 9, 3)), size=(4,), interpolation="lanczos3", antialias=True, name="antialias, one dimension"),
        call(In((1, 900, 1), 1.0, 3.0), size=(2,), interpolation="bilinear", antialias=True, name="many taps"),
        call(In((2, 3, 4, 2, 2)), size=(2, 5, 4), interpolation="bilinear", name="three dimensions"),
        call(In(shape), size=(4, 5), interpolation="bicubic", name="the same size"),
        call(In((1, 1, 3, 2)), size=(4, 1), interpolation="bicubic", name="one pixel"),
        call(In((0, 4, 5, 3)), size=(6, 3), interpolation="bilinear", name="empty batch"),
        call(In(shape), [number(7), number(3)], size=(None, None), interpolation="bilinear",
             name="sizes that are tensors"),
        call(In(shape), [number(7)], size=(None, 3), interpolation="nearest", name="one size is a tensor"),
        call(In(shape), [number(3)], size=(8, None), interpolation="bicubic", name="one size is a tensor, bicubic"),
        call(In(shape), [number(9)], size=(9, None), interpolation="lanczos3", name="a tensor, lanczos3"),
        call(In((2, 4, 3), 0, 99, kind="int32"), size=(6,), interpolation="nearest", name="int32"),
        call(In((2, 4, 3), kind="bool"), size=(6,), interpolation="nearest", name="bool"),
        call(line(0.0, 1.0, 2.0, 3.0), size=(6,), interpolation="nearest", row=6,
             expect=lines(0.0, 1.0, 1.0, 2.0, 3.0, 3.0), name="half-pixel centres"),
        call(line(0.0, 1.0, 2.0, 3.0), size=(6,), interpolation="bilinear",
             expect=lines(0.0, 0.5, 7 / 6, 11 / 6, 2.5, 3.0), name="half-pixel centres, bilinear"),
        call(line(1.0, 3.0, 9.0, 5.0), size=(3,), interpolation="area", expect=lines(1.5, 6.0, 6.0), name="area"),
        call(In((2, 3, 7, 1)), size=(5, 3), interpolation="area", name="area, smaller and larger"),
        call(line(1.0, 2.0, 4.0, 8.0), size=(8,), interpolation="bicubic", row=7, expect=cubic,
             name="a = -0.5"),
        call(line(0.0, 0.0, np.nan, 0.0, 0.0), size=(10,), interpolation="bilinear", gradient=False,
             expect=lines(0, 0, 0, np.nan, np.nan, np.nan, np.nan, 0, 0, 0), name="NaN stays where it is"),
        call(In(shape), size=(6, 0), interpolation="nearest", raises=ValueError, name="size of zero"),
        call(In(shape), size=(6,), interpolation="nearest", raises=ValueError, name="one size"),
        call(In(shape), size=(6, 6), interpolation="linear", raises=ValueError, name="unknown interpolation"),
        call(In((2, 0, 5, 3)), size=(6, 6), interpolation="nearest", raises=ValueError, name="nothing to see"),
        call(In((2, 4)), size=(6,), interpolation="nearest", raises=ValueError, name="rank"),
        call(In((2, 4, 3), 0, 99, kind="int32"), size=(6,), interpolation="bilinear", raises=TypeError,
             name="a mean of integers"),
        call(In((2, 4, 3)), [number(2)], size=(None,), interpolation="bilinear", antialias=True, raises=ValueError,
             name="antialias of an unknown size"),
        call(In((2, 4, 3)), [number(2)], size=(None,), interpolation="area", raises=ValueError,
             name="area of an unknown size"),
        call(In((2, 4, 3)), [number(0)], size=(None,), interpolation="bilinear", raises=ValueError, dynamic=False,
             name="a tensor of zero"),
    ]


@primitive(name="resize", view=True, prepare=_attrs, tolerance="reduction", samples=_samples)
def resample(x: TensorLike, sizes: TensorList = (), *, size: Any, interpolation: str = "bilinear",
           antialias: bool = False) -> TensorSpec:
    """Images resized along one to three spatial axes.

    Args:
        x: ``(batch, *spatial, channels)``, of floats unless the interpolation is 'nearest'.
        sizes: integer scalars, one for each None in ``size``.
        size: the spatial size of the result.
        interpolation: 'nearest', 'bilinear', 'bicubic' (Keys, a = -0.5), 'lanczos3', 'lanczos5', or 'area', the mean
            of the area of the image that a pixel of the result covers.
        antialias: whether the kernel is widened by the factor of a reduction, so that all pixels contribute. Needs
            known sizes; ignored by 'nearest' and 'area'.

    Returns:
        ``(batch, *size, channels)`` in the dtype of x.

    Raises:
        ValueError: a size that is not positive, an unknown interpolation, another rank, or images without pixels.
        TypeError: another dtype than a float, unless the interpolation is 'nearest'.

    Source: Keys, "Cubic Convolution Interpolation for Digital Image Processing", 1981; Duchon, "Lanczos Filtering in
    One and Two Dimensions", 1979.

    >>> import numpy as np
    >>> from kbackend import K
    >>> from kbackend.ops.image.resize import resample
    >>> x = np.arange(4.0).reshape(1, 4, 1)
    >>> K.eval(resample(x, size=(2,), interpolation="bilinear", antialias=True)).ravel().round(4).tolist()
    [0.7143, 2.2857]
    """
    if interpolation != "nearest" and not dtypes.is_float(x.dtype):
        raise TypeError(f"interpolation {interpolation!r} needs floats, not {x.dtype}; cast them first")
    if 0 in x.shape[1:-1]:
        raise ValueError(f"images need pixels, the shape is {x.shape}")
    check_sizes(sizes, size)
    wide = interpolation == "area" or antialias and interpolation != "nearest"
    if wide and None in (*size, *x.shape[1:-1]):
        what = "antialias" if interpolation != "area" else "area"
        raise ValueError(f"{what} needs known sizes, they are {x.shape[1:-1]} and {size}")
    return TensorSpec((x.shape[0], *size, x.shape[-1]), x.dtype)


def opened(images: Any, data_format: str | None, rank: int = 2) -> tuple[Any, Callable[[Any], Any]]:
    """Images as ``(batch, *spatial, channels)``, and the function that restores their layout for results.

    Args:
        images: one image of ``rank`` spatial axes, or a batch of them.
        data_format: 'channels_last' or 'channels_first'; the default of the process when None.

    Raises:
        ValueError: another rank, or an unknown data format.
    """
    first = config.normalize_data_format(data_format) == "channels_first"
    x = as_tensor(images)
    if len(x.shape) not in (rank + 1, rank + 2):
        raise ValueError(f"images need {rank + 1} dimensions, or {rank + 2} for a batch; their shape is "
                         f"{tuple(x.shape)}")
    single = len(x.shape) == rank + 1
    if single:
        x = expand_dims(x, 0)
    if first:
        x = permute_dimensions(x, (0, *range(2, rank + 2), 1))

    def restore(y: Any) -> Any:
        if first:
            y = permute_dimensions(y, (0, rank + 1, *range(1, rank + 1)))
        return squeeze_axis(y, 0) if single else y

    return x, restore


def in_floats(x: Any, body: Callable[[Any], Any]) -> Any:
    """``body(x)``; integers are computed in floats, rounded to the nearest and clipped to the range of their dtype.

    Raises:
        TypeError: neither integers nor floats.
    """
    dtype = dtype_of(x)
    if dtypes.is_float(dtype):
        return body(x)
    if not dtypes.is_integer(dtype):
        raise TypeError(f"images must be integers or floats, not {dtype}; cast them first")
    info = np.iinfo(dtype)
    # The largest float that is not above the largest integer.
    largest = float(info.max) if int(float(info.max)) <= info.max else float(np.nextafter(float(info.max), 0.0))
    y = body(cast(x, "float32" if info.bits <= 16 else "float64"))
    return cast(clip(round_half_even(y), float(info.min), largest), dtype)


def _known_sizes(x: Any, what: str) -> tuple[int, int]:
    rows, columns = x.shape[1], x.shape[2]
    if rows is None or columns is None:
        raise ValueError(f"{what} needs known rows and columns, images have {rows} and {columns}")
    return int(rows), int(columns)


def _with_aspect_ratio(x: Any, size: Sequence[int], crop: bool, value: float) -> Any:
    """Images cropped or padded around their centre to the aspect ratio of ``size``."""
    rows, columns = sizes = _known_sizes(x, "an aspect ratio")
    fitting = (columns * size[0] // size[1], rows * size[1] // size[0])
    if crop:
        cropped = [max(min(n, fit), 1) for n, fit in zip(sizes, fitting)]
        starts = [(n - m) // 2 for n, m in zip(sizes, cropped)]
        return x[:, *(slice(start, start + m) for start, m in zip(starts, cropped))]
    added = [max(fit - n, 0) for n, fit in zip(sizes, fitting)]
    return pad_constant(x, ((0, 0), *((n // 2, n - n // 2) for n in added), (0, 0)), value)


@derived(name="image_resize", tolerance="reduction", samples=lambda: [
    call(In((2, 4, 5, 3)), (6, 3), data_format="channels_last", name="bilinear"),
    call(In((3, 6, 5)), (3, 3), "area", data_format="channels_first", dynamic=False, name="one image"),
    call(In((2, 6, 9, 1)), (3, 4), "bicubic", True, True, data_format="channels_last", name="cropped"),
    call(In((1, 3, 2, 1), 0, 256, kind="uint8"), (4, 7), "lanczos3", pad_to_aspect_ratio=True, fill_value=9,
         data_format="channels_last", gradient=False, name="uint8, padded"),
    call(In((2, 4, 5)), (6,), data_format="channels_last", raises=ValueError, name="one size"),
    call(In((2, 4)), (6, 3), data_format="channels_last", raises=ValueError, name="rank"),
    call(In((2, 4, 5, 3)), (6, 3), "linear", data_format="channels_last", raises=ValueError, name="interpolation"),
    call(In((2, 4, 5, 3)), (6, 3), data_format="last", raises=ValueError, name="data format"),
    call(In((2, 4, 5, 3)), (6, 3), crop_to_aspect_ratio=True, pad_to_aspect_ratio=True, raises=ValueError, name="both"),
    call(In((2, 4, 5, 3)), (6, 3), pad_to_aspect_ratio=True, fill_mode="wrap", raises=ValueError, name="fill_mode")])
def resize(images: TensorLike, size: Any, interpolation: str = "bilinear", antialias: bool = False,
           crop_to_aspect_ratio: bool = False, pad_to_aspect_ratio: bool = False, fill_mode: str = "constant",
           fill_value: float = 0.0, data_format: str | None = None) -> Any:
    """Images resized by interpolation.

    Args:
        images: ``(batch, rows, columns, channels)``, or ``(batch, channels, rows, columns)`` for 'channels_first';
            one image has no batch axis. Integers are computed in floats, rounded to the nearest and clipped to the
            range of their dtype.
        size: rows and columns of the result.
        interpolation: 'nearest', 'bilinear', 'bicubic' (Keys, a = -0.5), 'lanczos3', 'lanczos5' or 'area'.
        antialias: whether the kernel is widened by the factor of a reduction, so that all pixels contribute.
        crop_to_aspect_ratio: whether images are first cropped around their centre to the aspect ratio of ``size``.
        pad_to_aspect_ratio: whether images are first padded around their centre to the aspect ratio of ``size``.
        fill_mode: 'constant'.
        fill_value: the value of the padding.
        data_format: 'channels_last' or 'channels_first'; the default of the process when None.

    Returns:
        Images in the dtype and layout of ``images``.

    Raises:
        ValueError: another rank or number of sizes, a size that is not positive, an unknown interpolation, data format
            or fill mode, or both of crop_to_aspect_ratio and pad_to_aspect_ratio.
        TypeError: images that are neither integers nor floats, unless the interpolation is 'nearest'.

    >>> import numpy as np
    >>> from kbackend import K, ops
    >>> x = np.arange(4.0).reshape(1, 4, 1)
    >>> K.eval(ops.image.resize(x, (1, 2), "area", data_format="channels_last")).ravel().tolist()
    [0.5, 2.5]
    """
    size = integers("size", list(size) if isinstance(size, np.ndarray) else size, 2)
    if interpolation not in INTERPOLATIONS:
        raise ValueError(f"unknown interpolation {interpolation!r}; choose one of {', '.join(INTERPOLATIONS)}")
    if crop_to_aspect_ratio and pad_to_aspect_ratio:
        raise ValueError("only one of crop_to_aspect_ratio and pad_to_aspect_ratio can be True")
    if fill_mode != "constant":
        raise ValueError(f"unknown fill_mode {fill_mode!r}; resize has 'constant' only")
    x, restore = opened(images, data_format)
    if crop_to_aspect_ratio or pad_to_aspect_ratio:
        x = _with_aspect_ratio(x, size, crop_to_aspect_ratio, fill_value)
    if interpolation == "nearest":
        return restore(resample(x, size=size, interpolation="nearest"))
    return restore(in_floats(x, lambda y: resample(y, size=size, interpolation=interpolation, antialias=antialias)))


def _sinc(x: Any) -> Any:
    zero = x == 0.0
    angle = select_elements(zero, 1.0, x) * math.pi
    return select_elements(zero, 1.0, sin(angle) / angle)


def _lanczos(x: Any, radius: int) -> Any:
    return select_elements(x < float(radius), _sinc(x) * _sinc(x / float(radius)), 0.0)


def _cubic(x: Any) -> Any:
    near = (x * 1.5 - 2.5) * (x * x) + 1.0
    far = ((2.5 - x * 0.5) * x - 4.0) * x + 2.0
    return select_elements(x < 1.0, near, select_elements(x < 2.0, far, 0.0))


#: the interpolation kernels as functions of a tensor of distances
_KERNELS: dict[str, Callable[[Any], Any]] = {
    "bilinear": lambda x: maximum(1.0 - x, 0.0),
    "bicubic": _cubic,
    "lanczos3": lambda x: _lanczos(x, 3),
    "lanczos5": lambda x: _lanczos(x, 5),
}

METHODS = {name: name for name in _KERNELS} | dict.fromkeys(("linear", "trilinear", "triangle"), "bilinear") | (
    dict.fromkeys(("cubic", "tricubic"), "bicubic"))


def _weights(old: Any, new: int, scale: Any, translation: Any, kernel: Callable[[Any], Any], antialias: bool,
             dtype: str) -> Any:
    """The matrix (old, new) of the weight of each pixel of an axis in each pixel of the result."""
    inverse = 1.0 / scale
    centres = (np.arange(new).astype(dtype) + 0.5 - translation) * inverse
    distance = abs_(centres - 0.5 - cast(numbers_of(old), dtype)[:, None])
    weights = kernel(distance / maximum(inverse, 1.0) if antialias else distance)
    total = sum_(weights, axis=0)
    nonzero = abs_(total) > 1000 * float(np.finfo(dtype).eps)
    inside = (centres >= 0.0) & (centres <= cast(as_tensor(old), dtype))
    return select_elements(nonzero & inside, weights / select_elements(nonzero, total, 1.0), 0.0)


def _multiplied_along(x: Any, axis: int, matrix: Any) -> Any:
    """The product of an axis of x with a matrix (old, new)."""
    rank = len(x.shape)
    order = [a for a in range(rank) if a != axis] + [axis]
    moved = matrix_product(permute_dimensions(x, order), matrix)
    return permute_dimensions(moved, [*range(axis), rank - 1, *range(axis, rank - 1)])


def _check_output_shape(x: Any, shape: Sequence[Any], axes: Sequence[int]) -> None:
    if len(shape) != len(x.shape):
        raise ValueError(f"output_shape {tuple(shape)} needs {len(x.shape)} entries, images have the shape "
                         f"{tuple(x.shape)}")
    for axis, (n, m) in enumerate(zip(x.shape, shape)):
        if axis not in axes and n is not None and m is not None and n != m:
            raise ValueError(f"output_shape {tuple(shape)} differs from the shape {tuple(x.shape)} of images outside "
                             f"the spatial axes {tuple(axes)}")


@derived(tolerance="matmul", samples=lambda: [
    call(In((3, 4)), (5, 2), In((2,), values=[1.5, 0.5]), In((2,), values=[0.3, -0.2]), (0, 1), "linear"),
    call(In((2, 5, 3)), (2, 7, 3), In((1,), values=[1.3]), In((1,), values=[0.4]), (1,), "lanczos3", name="lanczos3"),
    call(In((2, 5, 3)), (2, 3, 3), In((1,), values=[0.45]), In((1,), values=[0.1]), (-2,), "cubic", False,
         name="cubic, no antialias"),
    call(In((3, 4)), (5,), In((2,)), In((2,)), (0, 1), "linear", raises=ValueError, name="output shape"),
    call(In((3, 4)), (5, 4), In((2,)), In((1,)), (0,), "linear", raises=ValueError, name="two scales"),
    call(In((3, 4)), (5, 4), In((1,)), In((1,)), (0,), "nearest", raises=ValueError, name="method")])
def scale_and_translate(images: TensorLike, output_shape: Any, scale: TensorLike, translation: TensorLike,
                        spatial_dims: Any, method: str, antialias: bool = True) -> Any:
    """Images scaled and translated: the coordinate y is mapped to ``y * scale + translation``.

    Args:
        images: a tensor of any rank; integers as in :func:`resize`. Pixel centres are at half-integers.
        output_shape: the shape of the result, equal to that of ``images`` outside the spatial axes.
        scale, translation: vectors of one number for each spatial axis. Gradients flow to them.
        spatial_dims: the spatial axes.
        method: 'linear' (or 'bilinear', 'trilinear', 'triangle'), 'cubic' (or 'bicubic', 'tricubic'), 'lanczos3' or
            'lanczos5'.
        antialias: whether the kernel is widened where the scale is below 1.

    Returns:
        A tensor of ``output_shape`` in the dtype of ``images``, 0 outside the mapped image.

    Raises:
        ValueError: a shape, axis or number of scales that does not fit, or an unknown method.
        TypeError: images that are neither integers nor floats.

    >>> import numpy as np
    >>> from kbackend import K, ops
    >>> K.eval(ops.image.scale_and_translate(np.array([1.0, 2.0]), (4,), [1.0], [1.0], (0,), "linear")).tolist()
    [0.0, 1.0, 2.0, 0.0]
    """
    if method not in METHODS:
        raise ValueError(f"unknown method {method!r}; choose one of {', '.join(METHODS)}")
    x, scale, translation = as_tensor(images), as_tensor(scale), as_tensor(translation)
    axes = [axis_in(integer(a, "a spatial dimension"), len(x.shape)) for a in spatial_dims]
    _check_output_shape(x, output_shape, axes)
    for name, vector in (("scale", scale), ("translation", translation)):
        if tuple(vector.shape) != (len(axes),):
            raise ValueError(f"{name} must hold {len(axes)} numbers, its shape is {tuple(vector.shape)}")
    kernel = _KERNELS[METHODS[method]]

    def mapped(y: Any) -> Any:
        dtype = "float64" if dtype_of(y) == "float64" else "float32"
        result = cast(y, dtype)
        for i, axis in enumerate(axes):
            new = positive_size("a size", output_shape[axis])
            factor, shift = (cast(v[i], dtype) for v in (scale, translation))
            weights = _weights(length(y, axis), new, factor, shift, kernel, antialias, dtype)
            result = _multiplied_along(result, axis, weights)
        return cast(result, dtype_of(y))

    return in_floats(x, mapped)


__all__: list[str] = []
