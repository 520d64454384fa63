"""Layers that draw changes of images in training: each image its own, from the portable stream.

In inference they pass images on; :class:`RandomCrop` gives them its size. Integers become floatx in both phases. Draws
and the angles made of them have the same bits on every engine; means (of contrast) agree up to rounding.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from kbackend import backend as K
from kbackend import config, dtypes
from kbackend.declare.call import dtype_of
from kbackend.layers.arguments import data_format_of, described, number, one_of, positive
from kbackend.layers.regularization import _Drawing
from kbackend.ops.arrays.dims import length
from kbackend.ops.elementwise.normal_quantile import polynomial
from kbackend.ops.image.geometry import FILL_MODES, affine_transform
from kbackend.ops.image.resize import opened, resize
from kbackend.ops.nn.unfold import gather_axis

Factor = float | Sequence[float]
#: coefficients of cos(r) and of sin(r) / r in powers of r**2 from the highest down
_COSINES = tuple((-1.0) ** k / math.factorial(2 * k) for k in range(8, -1, -1))
_SINES = tuple((-1.0) ** k / math.factorial(2 * k + 1) for k in range(8, -1, -1))


def _circle(turns: Any) -> tuple[Any, Any]:
    """Cosine and sine of turns, by operations that every engine rounds in the same way."""
    quarters = K.round(turns * 4.0)
    angle = (turns - quarters * 0.25) * (2 * math.pi)
    cosine, sine = polynomial(angle * angle, _COSINES), angle * polynomial(angle * angle, _SINES)
    place = quarters % 4.0
    odd = K.equal(quarters % 2.0, 1.0)
    cosine, sine = K.where(odd, sine, cosine), K.where(odd, cosine, sine)
    left = K.equal(place, 1.0) | K.equal(place, 2.0)
    return K.where(left, -cosine, cosine), K.where(K.greater_equal(place, 2.0), -sine, sine)


class _Augmentation(_Drawing):
    """Base class: ``_altered`` changes a batch of images with channels last."""

    def __init__(self, seed: int | None = None, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(seed, **kwargs)
        self.data_format = data_format_of(self, data_format)

    def call(self, inputs: Any, training: Any = None) -> Any:
        x = inputs if dtypes.is_float(dtype_of(inputs)) else K.cast(inputs, config.floatx())
        opened(x, self.data_format)
        return K.in_train_phase(lambda: self._changed(x), lambda: self._passed(x), training)

    def _passed(self, x: Any) -> Any:
        return x

    def _changed(self, inputs: Any) -> Any:
        x, closed = opened(inputs, self.data_format)
        return closed(self._altered(x))

    def _altered(self, x: Any) -> Any:
        raise NotImplementedError

    def _drawn(self, x: Any, bounds: tuple[float, float]) -> Any:
        """A number for each image."""
        kind = "float64" if x.dtype == "float64" else "float32"
        return K.random_uniform((length(x, 0),), *bounds, dtype=kind, seed=self._draws)

    def _bounds(self, factor: Any, name: str, least: float = -1.0, low: float | None = None) -> tuple[float, float]:
        """The range of draws: a pair in any order, or from ``low`` (-factor when None) to one number."""
        given = list(factor) if isinstance(factor, (list, tuple, np.ndarray)) else [factor]
        if len(given) not in (1, 2) or any(not _is_number(f) or not least <= f <= 1 for f in given):
            raise ValueError(f"{described(self)}: {name} must be a number, or two, in [{least:g}, 1], it is {factor!r}")
        if len(given) == 2:
            return float(min(given)), float(max(given))
        size = abs(float(given[0]))
        return (-size if low is None else low), size


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float, np.number)) and not isinstance(value, bool)


def _for_each(numbers: Any, x: Any) -> Any:
    """Numbers of images in their dtype, so that they meet all their elements."""
    return K.reshape(K.cast(numbers, x.dtype), (-1, 1, 1, 1))


# ------------------------------------------------------------------------------------- places


class RandomFlip(_Augmentation):
    """In training, turns half of the images over.

    Args:
        mode: 'horizontal' (left and right change places), 'vertical' or 'horizontal_and_vertical', each by a coin.
        seed: a seed for this layer; the process' stream when None.
        data_format: 'channels_last' or 'channels_first'; the default of the process when None.

    Shapes: (batch, rows, columns, channels), or one image without the batch, to the same.

    Raises:
        ValueError: an unknown mode or data format; inputs that are no images.

    >>> from kbackend import Input, layers
    >>> layers.RandomFlip("horizontal")(Input((8, 8, 3))).shape
    (None, 8, 8, 3)
    """

    arguments = ("mode", "seed", "data_format")
    modes = ("horizontal_and_vertical", "horizontal", "vertical")

    def __init__(self, mode: str = "horizontal_and_vertical", seed: int | None = None, data_format: str | None = None,
                 **kwargs: Any) -> None:
        super().__init__(seed, data_format, **kwargs)
        self.mode = one_of(mode, self.modes, "mode", described(self))

    def _altered(self, x: Any) -> Any:
        for name, axis in (("horizontal", 2), ("vertical", 1)):
            if name in self.mode:
                tails = K.less(self._drawn(x, (0.0, 1.0)), 0.5)
                x = K.where(K.reshape(tails, (-1, 1, 1, 1)), K.reverse(x, axis), x)
        return x


class _Moving(_Augmentation):
    """Base class: images at other coordinates."""

    def __init__(self, fill_mode: str = "reflect", interpolation: str = "bilinear", seed: int | None = None,
                 fill_value: float = 0.0, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(seed, data_format, **kwargs)
        self.fill_mode = one_of(fill_mode, FILL_MODES, "fill_mode", described(self))
        self.interpolation = one_of(interpolation, ("nearest", "bilinear"), "interpolation", described(self))
        self.fill_value = float(number(fill_value, "fill_value", described(self)))

    def _seen(self, x: Any, rows: Sequence[Any]) -> Any:
        """Images by the six numbers of their transforms, each of which is one number for each image."""
        zero = K.zeros_like(rows[0])
        vectors = K.stack([*rows, zero, zero], axis=1)
        return affine_transform(x, vectors, self.interpolation, self.fill_mode, self.fill_value, "channels_last")


def _centre(x: Any, axis: int, dtype: str) -> Any:
    size = length(x, axis)
    return (size - 1) / 2 if isinstance(size, int) else (K.cast(size, dtype) - 1.0) * 0.5


def _size(x: Any, axis: int, dtype: str) -> Any:
    size = length(x, axis)
    return float(size) if isinstance(size, int) else K.cast(size, dtype)


class RandomRotation(_Moving):
    """In training, turns each image around its middle.

    Args:
        factor: turns of 360 degrees: drawn from [-factor, factor], or between two numbers. Positive ones go
            counterclockwise.
        fill_mode: what lies outside: 'constant', 'nearest', 'wrap', 'mirror' or 'reflect'; see
            :func:`kbackend.ops.image.map_coordinates`.
        interpolation: 'nearest' or 'bilinear'.
        seed: a seed for this layer; the process' stream when None.
        fill_value: the constant.
        data_format: 'channels_last' or 'channels_first'; the default of the process when None.

    Shapes: (batch, rows, columns, channels), or one image without the batch, to the same.

    Raises:
        ValueError: a factor outside [-1, 1], an unknown fill mode, interpolation or data format; no images.

    >>> from kbackend import Input, layers
    >>> layers.RandomRotation(0.1)(Input((8, 8, 3))).shape
    (None, 8, 8, 3)
    """

    arguments = ("factor", "fill_mode", "interpolation", "seed", "fill_value", "data_format")

    def __init__(self, factor: Factor, fill_mode: str = "reflect", interpolation: str = "bilinear",
                 seed: int | None = None, fill_value: float = 0.0, data_format: str | None = None,
                 **kwargs: Any) -> None:
        super().__init__(fill_mode, interpolation, seed, fill_value, data_format, **kwargs)
        self.factor = factor
        self._turns = self._bounds(factor, "factor")

    def _altered(self, x: Any) -> Any:
        turns = self._drawn(x, self._turns)
        cosine, sine = _circle(turns)
        across, down = (_centre(x, axis, turns.dtype) for axis in (2, 1))
        rest = 1.0 - cosine
        return self._seen(x, [cosine, -sine, rest * across + sine * down, sine, cosine, rest * down - sine * across])


class RandomTranslation(_Moving):
    """In training, moves each image.

    Args:
        height_factor, width_factor: parts of the size: drawn from [-factor, factor], or between two numbers. Positive
            ones move down, and to the right.
        fill_mode, interpolation, seed, fill_value, data_format: as those of :class:`RandomRotation`.

    Shapes: (batch, rows, columns, channels), or one image without the batch, to the same.

    Raises:
        ValueError: a factor outside [-1, 1], an unknown fill mode, interpolation or data format; no images.

    >>> from kbackend import Input, layers
    >>> layers.RandomTranslation(0.1, 0.2)(Input((8, 8, 3))).shape
    (None, 8, 8, 3)
    """

    arguments = ("height_factor", "width_factor", "fill_mode", "interpolation", "seed", "fill_value", "data_format")

    def __init__(self, height_factor: Factor, width_factor: Factor, fill_mode: str = "reflect",
                 interpolation: str = "bilinear", seed: int | None = None, fill_value: float = 0.0,
                 data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(fill_mode, interpolation, seed, fill_value, data_format, **kwargs)
        self.height_factor, self.width_factor = height_factor, width_factor
        self._down = self._bounds(height_factor, "height_factor")
        self._across = self._bounds(width_factor, "width_factor")

    def _altered(self, x: Any) -> Any:
        down, across = self._drawn(x, self._down), self._drawn(x, self._across)
        one, zero = K.ones_like(down), K.zeros_like(down)
        return self._seen(x, [one, zero, -across * _size(x, 2, down.dtype), zero, one, -down * _size(x, 1, down.dtype)])


class RandomZoom(_Moving):
    """In training, takes each image from further away or from nearer.

    Args:
        height_factor: drawn from [-factor, factor], or between two numbers: the image shows ``1 + factor`` times as
            many rows as before.
        width_factor: likewise for columns; the draw of the rows when None, so that shapes stay.
        fill_mode, interpolation, seed, fill_value, data_format: as those of :class:`RandomRotation`.

    Raises:
        ValueError: a factor that is not in (-1, 1], an unknown fill mode, interpolation or data format; no images.

    >>> from kbackend import Input, layers
    >>> layers.RandomZoom((-0.2, 0.2))(Input((8, 8, 3))).shape
    (None, 8, 8, 3)
    """

    arguments = ("height_factor", "width_factor", "fill_mode", "interpolation", "seed", "fill_value", "data_format")

    def __init__(self, height_factor: Factor, width_factor: Factor | None = None, fill_mode: str = "reflect",
                 interpolation: str = "bilinear", seed: int | None = None, fill_value: float = 0.0,
                 data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(fill_mode, interpolation, seed, fill_value, data_format, **kwargs)
        self.height_factor, self.width_factor = height_factor, width_factor
        self._down = self._bounds(height_factor, "height_factor")
        self._across = None if width_factor is None else self._bounds(width_factor, "width_factor")
        for name, bounds in (("height_factor", self._down), ("width_factor", self._across)):
            if bounds is not None and bounds[0] <= -1:
                raise ValueError(
                    f"{described(self)}: {name} must be above -1, where nothing would be left to see; it is "
                    f"{getattr(self, name)!r}"
                )

    def _altered(self, x: Any) -> Any:
        drawn = self._drawn(x, self._down)
        down = drawn + 1.0
        across = down if self._across is None else self._drawn(x, self._across) + 1.0
        zero = K.zeros_like(down)
        middle = [_centre(x, axis, down.dtype) for axis in (2, 1)]
        return self._seen(x, [across, zero, middle[0] - across * middle[0], zero, down, middle[1] - down * middle[1]])


class RandomCrop(_Augmentation):
    """In training, takes a part of the images, at one place for the whole batch.

    In inference, and where images are smaller, it is the largest part in the middle with the ratio of the sizes,
    resized; so the results have one size in both phases.

    Args:
        height, width: the size of the part.
        seed: a seed for this layer; the process' stream when None.
        data_format: 'channels_last' or 'channels_first'; the default of the process when None.

    Shapes: (batch, rows, columns, channels) to (batch, height, width, channels), also without the batch.

    Raises:
        ValueError: a size that is not positive; images of unknown size; an unknown data format.

    >>> from kbackend import Input, layers
    >>> layers.RandomCrop(6, 5)(Input((8, 8, 3))).shape
    (None, 6, 5, 3)
    """

    arguments = ("height", "width", "seed", "data_format")

    def __init__(self, height: int, width: int, seed: int | None = None, data_format: str | None = None,
                 name: str | None = None, **kwargs: Any) -> None:
        super().__init__(seed, data_format, name=name, **kwargs)
        self.height, self.width = (positive(n, what, described(self))
                                   for n, what in ((height, "height"), (width, "width")))

    def _passed(self, x: Any) -> Any:
        size = (self.height, self.width)
        first = self.data_format == "channels_first"
        if tuple(x.shape[-2:] if first else x.shape[-3:-1]) == size:
            return x
        return resize(x, size, crop_to_aspect_ratio=True, data_format=self.data_format)

    def _altered(self, x: Any) -> Any:
        sizes = tuple(x.shape[1:3])
        if None in sizes:
            raise ValueError(f"{described(self)}: images need a known size, theirs is {sizes}")
        if sizes[0] < self.height or sizes[1] < self.width:
            return resize(x, (self.height, self.width), crop_to_aspect_ratio=True, data_format="channels_last")
        for axis, (old, new) in enumerate(zip(sizes, (self.height, self.width)), 1):
            if old > new:
                start = K.random_uniform((), 0, old - new + 1, dtype="int32", seed=self._draws)
                x = gather_axis(x, start + np.arange(new, dtype=np.int32), axis)
        return x


# ------------------------------------------------------------------------------------- values


class _Ranged(_Augmentation):
    """Base class: other values, within a range."""

    arguments: tuple[str, ...] = ("factor", "value_range", "seed", "data_format")

    def __init__(self, factor: Factor, value_range: Sequence[float] = (0, 255), seed: int | None = None,
                 **kwargs: Any) -> None:
        super().__init__(seed, **kwargs)
        self.factor = factor
        given = list(value_range) if isinstance(value_range, (list, tuple, np.ndarray)) else []
        if len(given) != 2 or not all(map(_is_number, given)) or not given[0] < given[1]:
            raise ValueError(f"{described(self)}: value_range must hold two rising numbers, it is {value_range!r}")
        self.value_range = tuple(float(v) for v in given)

    def _within(self, x: Any) -> Any:
        return K.clip(x, *self.value_range)


class RandomContrast(_Ranged):
    """In training, moves the values of each channel of each image away from their mean, or towards it.

    Args:
        factor: the distances from the mean are multiplied by a number drawn from [1 - factor, 1 + factor]; or from
            [1 - lower, 1 + upper] for a pair. Numbers are in [0, 1].
        value_range: results are limited to it.
        seed: a seed for this layer; the process' stream when None.
        data_format: 'channels_last' or 'channels_first'; the default of the process when None.

    Shapes: (batch, rows, columns, channels), or one image without the batch, to the same.

    Raises:
        ValueError: a factor outside [0, 1], a range that is none; no images.

    >>> from kbackend import Input, layers
    >>> layers.RandomContrast(0.3)(Input((8, 8, 3))).shape
    (None, 8, 8, 3)
    """

    def __init__(self, factor: Factor, value_range: Sequence[float] = (0, 255), seed: int | None = None,
                 **kwargs: Any) -> None:
        super().__init__(factor, value_range, seed, **kwargs)
        self._bounds(factor, "factor", 0.0)
        lower, upper = factor if isinstance(factor, (list, tuple, np.ndarray)) and len(factor) == 2 else (factor,) * 2
        self._scales = (1.0 - float(lower), 1.0 + float(upper))  # type: ignore[arg-type]

    def _altered(self, x: Any) -> Any:
        scale = _for_each(self._drawn(x, self._scales), x)
        mean = K.mean(x, axis=(1, 2), keepdims=True)
        return self._within((x - mean) * scale + mean)


class RandomBrightness(_Ranged):
    """In training, makes each image lighter or darker.

    Args:
        factor: the part of the range that is added to all values: drawn from [-factor, factor], or between two
            numbers, in [-1, 1].
        value_range: the range; results are limited to it.
        seed: a seed for this layer; the process' stream when None.
        data_format: 'channels_last' or 'channels_first'; the default of the process when None.

    Shapes: (batch, rows, columns, channels), or one image without the batch, to the same.

    Raises:
        ValueError: a factor outside [-1, 1], a range that is none; no images.

    >>> from kbackend import Input, layers
    >>> layers.RandomBrightness(0.2, value_range=(0.0, 1.0))(Input((8, 8, 3))).shape
    (None, 8, 8, 3)
    """

    def __init__(self, factor: Factor, value_range: Sequence[float] = (0, 255), seed: int | None = None,
                 **kwargs: Any) -> None:
        super().__init__(factor, value_range, seed, **kwargs)
        low, high = self.value_range
        self._shifts = tuple(f * (high - low) for f in self._bounds(factor, "factor"))

    def _altered(self, x: Any) -> Any:
        return self._within(x + _for_each(self._drawn(x, self._shifts), x))  # type: ignore[arg-type]


__all__ = [
    "RandomBrightness",
    "RandomContrast",
    "RandomCrop",
    "RandomFlip",
    "RandomRotation",
    "RandomTranslation",
    "RandomZoom",
]
