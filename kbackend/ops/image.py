"""Images and volumes of another size.

The centres of pixels lie at halves: pixel i of n covers [i, i + 1) / n, whatever n is. Each new pixel is a weighted
mean of those old ones that a window around its centre covers; what the window covers outside the image does not count.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from kbackend import config, dtypes
from kbackend.graph.tensor import TensorSpec
from kbackend.ops import elementwise as e
from kbackend.ops import shaping
from kbackend.ops.convolution import channels_last, check_rank, restored, spatial_rank
from kbackend.ops.declare import TensorLike, TensorList, derived, primitive
from kbackend.ops.dispatch import dtype_of
from kbackend.ops.sample import In, Sample, call
from kbackend.ops.sizes import check_sizes, split_entries

# ------------------------------------------------------------------------------------- windows


def _triangle(x: np.ndarray) -> np.ndarray:
    return np.maximum(1 - x, 0)


def _cubic(x: np.ndarray) -> np.ndarray:
    """Keys's cubic convolution with a = -0.5."""
    near, far = (1.5 * x - 2.5) * x * x + 1, ((2.5 - 0.5 * x) * x - 4) * x + 2
    return np.where(x < 1, near, np.where(x < 2, far, 0))


def _lanczos(radius: int) -> Callable[[np.ndarray], np.ndarray]:
    return lambda x: np.where(x < radius, np.sinc(x) * np.sinc(x / radius), 0)


#: name -> (how far the window reaches, its values at distances from 0 up)
WINDOWS: dict[str, tuple[int, Callable[[np.ndarray], np.ndarray]]] = {
    "bilinear": (1, _triangle),
    "bicubic": (2, _cubic),
    "lanczos3": (3, _lanczos(3)),
    "lanczos5": (5, _lanczos(5)),
}
INTERPOLATIONS = ("nearest", *WINDOWS)


@lru_cache(maxsize=128)
def taps(old: int, new: int, interpolation: str, antialias: bool = False) -> tuple[np.ndarray, np.ndarray | None]:
    """What the pixels of a line of ``new`` are made of, for a line of ``old``.

    Returns:
        ``(places, weights)``, each ``(taps, new)``: pixel i is the sum of the old pixels at ``places[:, i]`` times
        ``weights[:, i]``. The places of one tap do not fall. The weights are float64, and None for one tap of weight 1.

    >>> taps(4, 6, "nearest")[0].tolist()
    [[0, 1, 1, 2, 3, 3]]
    >>> [part.tolist() for part in taps(2, 4, "bilinear")]
    [[[0, 0, 0, 1], [0, 1, 1, 1]], [[0.0, 0.75, 0.25, 1.0], [1.0, 0.25, 0.75, 0.0]]]
    """
    pixels = np.arange(new)
    if interpolation == "nearest":
        return ((2 * pixels + 1) * old // (2 * new))[None], None
    radius, window = WINDOWS[interpolation]
    stretch = max(old / new, 1.0) if antialias else 1.0
    centres = (2 * pixels + 1) * old / (2 * new)
    first = np.ceil(centres - radius * stretch - 0.5).astype(np.int64)
    places = first + np.arange(math.ceil(2 * radius * stretch))[:, None]
    weights = window(np.abs(places + 0.5 - centres) / stretch) * ((places >= 0) & (places < old))
    return np.clip(places, 0, old - 1), weights / weights.sum(axis=0)


# ------------------------------------------------------------------------------------- the op


def _attrs(specs: Sequence[Any], attrs: dict[str, Any]) -> dict[str, Any]:
    rank, size = spatial_rank(specs), attrs["size"]
    size = tuple(size) if isinstance(size, (tuple, list)) else (size,)
    if len(size) != rank:
        raise ValueError(f"size must hold {rank} numbers, it is {attrs['size']!r}")
    if attrs["interpolation"] not in INTERPOLATIONS:
        raise ValueError(f"unknown interpolation {attrs['interpolation']!r}; choose one of {', '.join(INTERPOLATIONS)}")
    return {
        "size": tuple(None if n is None else _positive("a size", n) for n in size),
        "interpolation": attrs["interpolation"],
        "antialias": bool(attrs["antialias"]),
    }


def _positive(label: str, value: Any) -> int:
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
        call(In((2, 4, 3)), [number(0)], size=(None,), interpolation="bilinear", raises=ValueError, dynamic=False,
             name="a tensor of zero"),
    ]


@primitive(view=True, prepare=_attrs, tolerance="reduction", samples=_samples)
def resize(x: TensorLike, sizes: TensorList = (), *, size: Any, interpolation: str = "bilinear",
           antialias: bool = False) -> TensorSpec:
    """Images of another size, over one to three spatial dimensions.

    Args:
        x: ``(batch, *spatial, channels)``; floating unless the interpolation is 'nearest'.
        sizes: integer scalars, one for each None in ``size``.
        size: the new spatial size.
        interpolation: 'nearest', 'bilinear', 'bicubic' (Keys's, a = -0.5), 'lanczos3' or 'lanczos5'.
        antialias: whether windows widen where an image shrinks, so that all pixels count. Needs known sizes;
            'nearest' takes no notice of it.

    Returns:
        ``(batch, *size, channels)`` in the dtype of x.

    Raises:
        ValueError: a size that is not positive, an unknown interpolation, a rank that is none.
        TypeError: integers whose means are asked for.

    >>> import numpy as np
    >>> from kbackend import K
    >>> x = np.arange(4.0).reshape(1, 4, 1)
    >>> K.eval(resize(x, size=(2,), interpolation="bilinear", antialias=True)).ravel().round(4).tolist()
    [0.7143, 2.2857]
    """
    if interpolation != "nearest" and not dtypes.is_float(x.dtype):
        raise TypeError(f"interpolation {interpolation!r} needs floats, not {x.dtype}; cast them first")
    if 0 in x.shape[1:-1]:
        raise ValueError(f"there are no pixels in x {x.shape}")
    check_sizes(sizes, size)
    if antialias and interpolation != "nearest" and None in (*size, *x.shape[1:-1]):
        raise ValueError(f"antialias needs known sizes, they are {x.shape[1:-1]} and {size}")
    return TensorSpec((x.shape[0], *size, x.shape[-1]), x.dtype)


# ------------------------------------------------------------------------------------- functions of K


def _repeated(x: Any, factors: dict[str, Any], data_format: str | None) -> Any:
    """Each pixel as often along the spatial dimensions as their factors say."""
    axis = 2 if config.normalize_data_format(data_format) == "channels_first" else 1
    for label, factor in factors.items():
        repeats = _positive(label, factor)
        x = shaping.repeat_elements(x, repeats, axis) if repeats > 1 else x
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
    """Images enlarged by whole factors.

    Args:
        x: ``(batch, rows, columns, channels)``, or ``(batch, channels, rows, columns)`` for 'channels_first'.
        height_factor, width_factor: positive integers.
        data_format: 'channels_last' or 'channels_first'.
        interpolation: 'nearest', which repeats each pixel, or one of the others of
            :func:`~kbackend.ops.image.resize`, such as 'bilinear'; they make floatx of integers.

    Raises:
        ValueError: a factor, data format, interpolation or rank that is none.

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
    repeats = [_positive(label, factor) for label, factor in factors.items()]
    x, first = channels_last(x if dtypes.is_float(dtype_of(x)) else e.cast(x, config.floatx()), data_format)
    entries = [e.multiply(shaping.extent(x, (a,)), n) if x.shape[a] is None else x.shape[a] * n
               for a, n in enumerate(repeats, start=1)]
    sizes, size = split_entries(entries)
    return restored(resize(x, sizes, size=size, interpolation=interpolation), first)


@derived(tolerance="exact", samples=lambda: [
    call(In((2, 2, 3, 2, 2)), 2, 1, 3, "channels_last"),
    call(In((2, 2, 3, 2, 2)), 2, 1, 3, "channels_first", name="channels_first"),
    call(In((2, 1, 2, 2, 1), 0, 9, kind="int32"), 1, 2, 2, "channels_last", gradient=False, name="int32"),
    call(In((2, 2, 3, 2, 2)), 2, 1, 3, "channels", raises=ValueError, name="unknown data format"),
    call(In((2, 2, 3, 2, 2)), 2, -1, 3, "channels_last", raises=ValueError, name="negative factor"),
    call(In((2, 2, 3, 2)), 2, 1, 3, "channels_last", raises=ValueError, name="rank")])
def resize_volumes(x: TensorLike, depth_factor: int, height_factor: int, width_factor: int, data_format: str) -> Any:
    """Volumes enlarged by whole factors: each element repeated.

    Args:
        x: ``(batch, depth, rows, columns, channels)``, or with the channels second for 'channels_first'.
        depth_factor, height_factor, width_factor: positive integers.
        data_format: 'channels_last' or 'channels_first'.

    Raises:
        ValueError: a factor, data format or rank that is none.
    """
    x = x if hasattr(x, "shape") else np.asarray(x)
    check_rank(x, 3)
    factors = {"depth_factor": depth_factor, "height_factor": height_factor, "width_factor": width_factor}
    return _repeated(x, factors, data_format)


__all__ = ["INTERPOLATIONS", "WINDOWS", "resize", "resize_images", "resize_volumes", "taps"]
