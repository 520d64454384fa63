"""Other values of the pixels of images, most of them drawn in training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from kbackend import backend as K
from kbackend import config
from kbackend.layers.arguments import described, positive
from kbackend.layers.preprocessing.geometry import (
    Factor,
    RandomBrightness,
    RandomContrast,
    _Augmentation,
    _for_each,
    _Ranged,
)
from kbackend.layers.preprocessing.numeric import floats
from kbackend.ops.image.color import gaussian_blur, hsv_to_rgb, rgb_to_grayscale, rgb_to_hsv
from kbackend.ops.indexing.segment import segment_sum
from kbackend.ops.nn.conv_any import depthwise_conv

#: bits of a value of a color
_BITS = 8


class _Share(_Ranged):
    """Base class: a factor between 0 and a number in [0, 1], or between two, is drawn for each image."""

    def __init__(
        self,
        factor: Factor,
        value_range: Sequence[float] = (0, 255),
        data_format: str | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(factor, value_range, seed, data_format=data_format, **kwargs)
        self._shares = self._bounds(factor, "factor", 0.0, 0.0)

    def _chosen(self, x: Any) -> Any:
        """Which images are changed, with the drawn probability."""
        return K.reshape(self._drawn(x, (0.0, 1.0)) < self._drawn(x, self._shares), (-1, 1, 1, 1))

    def _as_bytes(self, x: Any) -> Any:
        """Values in [0, 255]."""
        low, high = self.value_range
        return (x - low) * (255.0 / (high - low))

    def _from_bytes(self, x: Any) -> Any:
        low, high = self.value_range
        return x * ((high - low) / 255.0) + low


class RandomGrayscale(_Augmentation):
    """In training, makes images grey, keeping their three channels.

    Args:
        factor: the probability, in [0, 1].
        data_format: 'channels_last' or 'channels_first'; the default of the process when None.
        seed: a seed for this layer; the process' stream when None.

    Shapes: (batch, rows, columns, channels), or one image without the batch, to the same.

    Raises:
        ValueError: a factor outside of [0, 1]; images without three channels.

    >>> from kbackend import Input, layers
    >>> layers.RandomGrayscale(0.5)(Input((8, 8, 3))).shape
    (None, 8, 8, 3)
    """

    arguments = ("factor", "data_format", "seed")

    def __init__(
        self, factor: float = 0.5, data_format: str | None = None, seed: int | None = None, **kwargs: Any
    ) -> None:
        super().__init__(seed, data_format, **kwargs)
        self._bounds(factor, "factor", 0.0, 0.0)
        self.factor = float(factor)

    def _altered(self, x: Any) -> Any:
        chosen = K.reshape(self._drawn(x, (0.0, 1.0)) < self.factor, (-1, 1, 1, 1))
        return K.where(chosen, _grey(x), x)


def _grey(x: Any) -> Any:
    """Images with three equal channels."""
    return rgb_to_grayscale(x, data_format="channels_last") + K.zeros_like(x)


class RandomInvert(_Share):
    """In training, subtracts the values of images from the highest of the range.

    Args:
        factor: the probability, drawn from [0, factor], or between two numbers, in [0, 1].
        value_range, seed, data_format: as those of :class:`RandomBrightness`.

    Shapes: (batch, rows, columns, channels), or one image without the batch, to the same.

    >>> from kbackend import Input, layers
    >>> layers.RandomInvert(0.5)(Input((8, 8, 3))).shape
    (None, 8, 8, 3)
    """

    def __init__(
        self,
        factor: Factor = 1.0,
        value_range: Sequence[float] = (0, 255),
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(factor, value_range, data_format, seed, **kwargs)

    def _altered(self, x: Any) -> Any:
        return K.where(self._chosen(x), self.value_range[1] - x, x)


class Solarization(_Share):
    """In training, adds a number to the values of each image, and inverts those that reach a threshold.

    Args:
        addition_factor, threshold_factor: the part of the range that is added, and the threshold: drawn between 0 and a
            number, or between two, in [0, 1].
        value_range: the range; results are limited to it.
        seed: a seed for this layer; the process' stream when None.

    Shapes: (batch, rows, columns, channels), or one image without the batch, to the same.

    >>> from kbackend import Input, layers
    >>> layers.Solarization(0.1, 0.5)(Input((8, 8, 3))).shape
    (None, 8, 8, 3)
    """

    arguments = ("addition_factor", "threshold_factor", "value_range", "seed", "data_format")

    def __init__(
        self,
        addition_factor: Factor = 0.0,
        threshold_factor: Factor = 0.0,
        value_range: Sequence[float] = (0, 255),
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(1.0, value_range, seed=seed, **kwargs)
        self.addition_factor, self.threshold_factor = addition_factor, threshold_factor
        bounds = [
            self._bounds(f, name, 0.0, 0.0)
            for f, name in ((addition_factor, "addition_factor"), (threshold_factor, "threshold_factor"))
        ]
        # Keras has the lower bounds in values, not in parts of the range
        self._added, self._thresholds = ((low, 255.0 * high) for low, high in bounds)

    def _altered(self, x: Any) -> Any:
        added = _for_each(self._drawn(x, self._added), x)
        threshold = _for_each(self._drawn(x, self._thresholds), x)
        values = K.clip(self._as_bytes(x) + added, 0.0, 255.0)
        return self._from_bytes(K.where(values < threshold, values, 255.0 - values))


class AutoContrast(_Share):
    """Spreads the values of each channel of each image over the whole range, in training and inference.

    Args:
        value_range: the range.
        data_format: 'channels_last' or 'channels_first'; the default of the process when None.

    A channel of one value stays.

    Shapes: (batch, rows, columns, channels), or one image without the batch, to the same.

    >>> import numpy as np
    >>> from kbackend import K, layers
    >>> x = np.array([50.0, 75.0, 100.0]).reshape(1, 3, 1, 1)
    >>> K.eval(layers.AutoContrast(data_format="channels_last")(x)).ravel().tolist()
    [0.0, 127.5, 255.0]
    """

    arguments = ("value_range", "data_format")

    def __init__(self, value_range: Sequence[float] = (0, 255), **kwargs: Any) -> None:
        super().__init__(1.0, value_range, **kwargs)

    def call(self, inputs: Any, training: Any = None) -> Any:
        return self._changed(floats(inputs))

    def _altered(self, x: Any) -> Any:
        low, high = K.min(x, axis=(1, 2), keepdims=True), K.max(x, axis=(1, 2), keepdims=True)
        width = high - low
        flat = K.equal(width, 0.0)
        bottom, top = self.value_range
        spread = (x - low) / K.where(flat, K.ones_like(width), width) * (top - bottom) + bottom
        return K.where(flat, x, self._within(spread))


class Equalization(_Share):
    """In training, gives the values of each channel the same frequency, by the histogram of the batch.

    Args:
        value_range: the range.
        bins: the number of bins of the histogram.
        data_format: 'channels_last' or 'channels_first'; the default of the process when None.

    Shapes: (batch, rows, columns, channels), or one image without the batch, to the same.

    Source: the histogram equalisation of Gonzalez and Woods, "Digital Image Processing".

    >>> from kbackend import Input, layers
    >>> layers.Equalization()(Input((8, 8, 3))).shape
    (None, 8, 8, 3)
    """

    arguments = ("value_range", "bins", "data_format")

    def __init__(
        self, value_range: Sequence[float] = (0, 255), bins: int = 256, data_format: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(1.0, value_range, data_format, **kwargs)
        self.bins = positive(bins, "bins", described(self))

    def _altered(self, x: Any) -> Any:
        channels = x.shape[-1]
        if channels is None:
            raise ValueError(f"the number of channels must be known, images have the shape {x.shape}")
        return K.stack([self._equalized(x[..., c]) for c in range(channels)], axis=-1)

    def _equalized(self, channel: Any) -> Any:
        values = self._as_bytes(channel)
        place = K.clip(values * ((self.bins - 1) / 255.0), 0, self.bins - 1)
        place = K.cast(place, "int32")
        counts = segment_sum(K.ones_like(K.reshape(values, (-1,))), K.reshape(place, (-1,)), self.bins)
        running = K.cumsum(counts, axis=0)
        last = running[-1]
        first = K.min(K.where(running > 0.0, running, K.zeros_like(running) + last), axis=0)
        rest = last - first
        table = (running - first) * 255.0 / K.where(K.equal(rest, 0.0), K.ones_like(rest), rest)
        found = K.gather(K.clip(K.round(table), 0.0, 255.0), place)
        several = K.sum(K.cast(counts > 0.0, counts.dtype)) > 1.0
        return self._from_bytes(K.where(several, found, values))


class RandomPosterization(_Ranged):
    """In training, keeps the highest bits of the values of each image.

    Args:
        factor: how many of the 8 bits: drawn from 1 to below a number, or from one number to below another; two equal
            numbers are that one.
        value_range, seed, data_format: as those of :class:`RandomBrightness`.

    Shapes: (batch, rows, columns, channels), or one image without the batch, to the same.

    Raises:
        ValueError: a factor that is no integer from 1 to 8, or two.

    >>> from kbackend import Input, layers
    >>> layers.RandomPosterization((3, 6))(Input((8, 8, 3))).shape
    (None, 8, 8, 3)
    """

    def __init__(
        self,
        factor: Any,
        value_range: Sequence[float] = (0, 255),
        data_format: str | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(factor, value_range, seed, data_format=data_format, **kwargs)
        given = list(factor) if isinstance(factor, (list, tuple)) else [1, factor]
        if len(given) != 2 or any(positive(f, "factor", described(self)) > _BITS for f in given):
            raise ValueError(
                f"{described(self)}: factor must be an integer from 1 to {_BITS}, or two, it is {factor!r}"
            )
        self._bits = min(given), max(given)

    def _altered(self, x: Any) -> Any:
        low, high = self._bits
        bits = K.floor(self._drawn(x, (low, high))) if low < high else float(low)
        step = _for_each(2.0 ** (_BITS - bits), x) if low < high else 2.0 ** (_BITS - low)
        bottom, top = self.value_range
        values = K.floor((x - bottom) * (255.0 / (top - bottom)))
        return K.floor(values / step) * step * ((top - bottom) / 255.0) + bottom


class RandomSaturation(_Share):
    """In training, multiplies the saturation of each image by ``f / (1 - f)``: 1 for the factor 0.5.

    Args:
        factor: f is drawn from [0, factor], or between two numbers, in [0, 1].
        value_range, seed, data_format: as those of :class:`RandomBrightness`.

    Shapes: (batch, rows, columns, channels), or one image without the batch, to the same.

    >>> from kbackend import Input, layers
    >>> layers.RandomSaturation((0.4, 0.6))(Input((8, 8, 3))).shape
    (None, 8, 8, 3)
    """

    def _altered(self, x: Any) -> Any:
        share = self._drawn(x, self._shares)
        factor = K.expand_dims(_for_each(share / (1.0 - share + config.epsilon()), x)[..., 0], 3)
        hsv = rgb_to_hsv(x, data_format="channels_last")
        saturation = K.clip(hsv[..., 1:2] * factor, *self.value_range)
        return hsv_to_rgb(K.concatenate([hsv[..., :1], saturation, hsv[..., 2:]], -1), data_format="channels_last")


class RandomHue(_Share):
    """In training, turns the hues of each image.

    Args:
        factor: the hues turn by up to half of a number drawn from [0, factor], or between two, in [0, 1], to either
            side; 1 is the whole circle.
        value_range, seed, data_format: as those of :class:`RandomBrightness`.

    Shapes: (batch, rows, columns, channels), or one image without the batch, to the same.

    >>> from kbackend import Input, layers
    >>> layers.RandomHue(0.2)(Input((8, 8, 3))).shape
    (None, 8, 8, 3)
    """

    def _altered(self, x: Any) -> Any:
        coin = self._drawn(x, (0.0, 1.0))
        sign = K.where(coin > 0.5, -K.ones_like(coin), K.ones_like(coin))
        turn = _for_each(sign * self._drawn(x, self._shares) * 0.5, x)
        low, high = self.value_range
        hsv = rgb_to_hsv((x - low) / (high - low), data_format="channels_last")
        hue = hsv[..., :1] + turn
        hue = K.where(hue > 1.0, hue - 1.0, hue)
        hue = K.where(hue < 0.0, hue + 1.0, hue)
        rgb = hsv_to_rgb(K.concatenate([hue, hsv[..., 1:]], -1), data_format="channels_last")
        return K.clip(rgb, 0.0, 1.0) * (high - low) + low


class RandomColorDegeneration(_Share):
    """In training, moves the colors of each image towards grey.

    Args:
        factor: the part of the way: drawn from [0, factor], or between two numbers, in [0, 1].
        value_range, seed, data_format: as those of :class:`RandomBrightness`.

    Shapes: (batch, rows, columns, channels), or one image without the batch, to the same.

    >>> from kbackend import Input, layers
    >>> layers.RandomColorDegeneration(0.5)(Input((8, 8, 3))).shape
    (None, 8, 8, 3)
    """

    def _altered(self, x: Any) -> Any:
        return self._within(x + _for_each(self._drawn(x, self._shares), x) * (_grey(x) - x))


class RandomSharpness(_Share):
    """In training, blurs or sharpens each image.

    Args:
        factor: drawn from [0, factor], or between two numbers, in [0, 1]: 0 is a blurred image, 0.5 the image, 1 one as
            much sharper.
        value_range, seed, data_format: as those of :class:`RandomBrightness`.

    Shapes: (batch, rows, columns, channels), or one image without the batch, to the same.

    >>> from kbackend import Input, layers
    >>> layers.RandomSharpness(0.7)(Input((8, 8, 3))).shape
    (None, 8, 8, 3)
    """

    def _altered(self, x: Any) -> Any:
        channels = x.shape[-1]
        if channels is None:
            raise ValueError(f"the number of channels must be known, images have the shape {x.shape}")
        window = np.full((3, 3, channels, 1), 1 / 13)
        window[1, 1] = 5 / 13
        smooth = depthwise_conv(x, K.constant(window, dtype=x.dtype), 1, "same", "channels_last")
        factor = _for_each(self._drawn(x, self._shares) * 2.0, x)
        return self._within(x + (1.0 - factor) * (smooth - x))


class RandomGaussianBlur(_Share):
    """In training, blurs images by a window of the normal density, one for the whole batch.

    Args:
        factor: the probability, drawn from [0, factor], or between two numbers, in [0, 1].
        kernel_size: an odd number of rows and columns of the window, or two.
        sigma: the deviations along rows and columns, drawn from [0, sigma], or between two numbers, in [0, 1].
        value_range, seed, data_format: as those of :class:`RandomBrightness`.

    Shapes: (batch, rows, columns, channels), or one image without the batch, to the same.

    Raises:
        ValueError: a ``kernel_size`` that is not odd; a factor outside [0, 1].

    >>> from kbackend import Input, layers
    >>> layers.RandomGaussianBlur(0.5)(Input((8, 8, 3))).shape
    (None, 8, 8, 3)
    """

    arguments = ("factor", "kernel_size", "sigma", "value_range", "data_format", "seed")

    def __init__(
        self,
        factor: Factor = 1.0,
        kernel_size: Any = 3,
        sigma: Factor = 1.0,
        value_range: Sequence[float] = (0, 255),
        data_format: str | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(factor, value_range, data_format, seed, **kwargs)
        given = list(kernel_size) if isinstance(kernel_size, (list, tuple)) else [kernel_size] * 2
        if len(given) != 2 or any(positive(n, "kernel_size", described(self)) % 2 == 0 for n in given):
            raise ValueError(f"{described(self)}: kernel_size must be an odd integer, or two, it is {kernel_size!r}")
        self.kernel_size, self._window = kernel_size, tuple(given)
        self.sigma = sigma
        self._deviations = self._bounds(sigma, "sigma", 0.0, 0.0)

    def _altered(self, x: Any) -> Any:
        kind = "float64" if x.dtype == "float64" else "float32"
        sigma = K.random_uniform((2,), *self._deviations, dtype=kind, seed=self._draws) + 1e-6
        blurred = gaussian_blur(x, self._window, sigma, data_format="channels_last")
        return self._within(K.where(self._chosen(x), blurred, x))


class RandomColorJitter(_Augmentation):
    """In training, changes brightness, contrast, saturation and hue of images, in this order.

    Args:
        value_range: the range of values; results are limited to it.
        brightness_factor, contrast_factor, saturation_factor, hue_factor: the factors of :class:`RandomBrightness`,
            :class:`RandomContrast`, :class:`RandomSaturation` and :class:`RandomHue`; None leaves one out.
        seed: a seed for this layer; the process' stream when None.
        data_format: 'channels_last' or 'channels_first'; the default of the process when None.

    Shapes: (batch, rows, columns, channels), or one image without the batch, to the same.

    >>> from kbackend import Input, layers
    >>> layers.RandomColorJitter(brightness_factor=0.2, hue_factor=0.1)(Input((8, 8, 3))).shape
    (None, 8, 8, 3)
    """

    arguments = ("value_range", "brightness_factor", "contrast_factor", "saturation_factor", "hue_factor", "seed",
                 "data_format")  # fmt: skip

    def __init__(
        self,
        value_range: Sequence[float] = (0, 255),
        brightness_factor: Factor | None = None,
        contrast_factor: Factor | None = None,
        saturation_factor: Factor | None = None,
        hue_factor: Factor | None = None,
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed, data_format, **kwargs)
        self.value_range = value_range
        self.brightness_factor, self.contrast_factor = brightness_factor, contrast_factor
        self.saturation_factor, self.hue_factor = saturation_factor, hue_factor
        kinds: list[tuple[type[_Ranged], Factor | None]] = [
            (RandomBrightness, brightness_factor),
            (RandomContrast, contrast_factor),
            (RandomSaturation, saturation_factor),
            (RandomHue, hue_factor),
        ]
        self._changes = [
            kind(factor, value_range, name=f"{self.name}_{kind.__name__}", data_format="channels_last")
            for kind, factor in kinds
            if factor is not None
        ]
        for change in self._changes:
            change._draws = self._draws

    def _altered(self, x: Any) -> Any:
        for change in self._changes:
            x = change._altered(x)
        return x


__all__ = [
    "AutoContrast",
    "Equalization",
    "RandomColorDegeneration",
    "RandomColorJitter",
    "RandomGaussianBlur",
    "RandomGrayscale",
    "RandomHue",
    "RandomInvert",
    "RandomPosterization",
    "RandomSaturation",
    "RandomSharpness",
    "Solarization",
]
