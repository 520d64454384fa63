"""Images with parts of others, sheared images, and chains of changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from kbackend import backend as K
from kbackend.layers.base.layer import Layer
from kbackend.layers.base.naming import described
from kbackend.layers.base.nested import HasLayers
from kbackend.layers.base.serialization import deserialize
from kbackend.layers.preprocessing.colors import _Share
from kbackend.layers.preprocessing.geometry import Factor, _Augmentation, _for_each, _Moving
from kbackend.layers.preprocessing.numeric import floats
from kbackend.ops.arrays.dims import length
from kbackend.ops.arrays.ranges import classic_arange
from kbackend.ops.random.gamma import beta
from kbackend.ops.random.permutation import shuffle


class RandomShear(_Moving):
    """In training, shears each image.

    Args:
        x_factor, y_factor: how far columns move for each row, and rows for each column: drawn from [-factor, factor],
            or between two numbers, in [0, 1], with a sign of a coin for both.
        interpolation, fill_mode, fill_value, data_format, seed: as those of :class:`RandomRotation`.

    Shapes: (batch, rows, columns, channels), or one image without the batch, to the same.

    >>> from kbackend import Input, layers
    >>> layers.RandomShear(0.2)(Input((8, 8, 3))).shape
    (None, 8, 8, 3)
    """

    arguments = ("x_factor", "y_factor", "interpolation", "fill_mode", "fill_value", "data_format", "seed")

    def __init__(
        self,
        x_factor: Factor = 0.0,
        y_factor: Factor = 0.0,
        interpolation: str = "bilinear",
        fill_mode: str = "reflect",
        fill_value: float = 0.0,
        data_format: str | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(fill_mode, interpolation, seed, fill_value, data_format, **kwargs)
        self.x_factor, self.y_factor = x_factor, y_factor
        self._across = self._bounds(x_factor, "x_factor", 0.0)
        self._down = self._bounds(y_factor, "y_factor", 0.0)

    def _altered(self, x: Any) -> Any:
        coin = self._drawn(x, (0.0, 1.0))
        one, zero = K.ones_like(coin), K.zeros_like(coin)
        sign = K.where(coin > 0.5, -one, one)
        across, down = sign * self._drawn(x, self._across), sign * self._drawn(x, self._down)
        return self._seen(x, [one, across, zero, down, one, zero])


def _boxes(layer: Any, x: Any, across: Any, down: Any) -> tuple[Any, Any]:
    """Which pixels are in a box at a drawn place, (batch, rows, columns, 1), and its part of the image.

    ``across`` and ``down`` are its parts of the width and the height, one for each image.
    """
    inside, part = None, None
    for axis, share in ((2, across), (1, down)):
        size = length(x, axis)
        whole = float(size) if isinstance(size, int) else K.cast(size, share.dtype)
        extent = share * whole
        start = layer._drawn(x, (0.0, 1.0)) * (whole - extent)
        places = classic_arange(0, size, dtype="float32")
        places = K.reshape(K.cast(places, share.dtype), (1, *([-1, 1, 1] if axis == 1 else [1, -1, 1])))
        begin, end = (K.reshape(v, (-1, 1, 1, 1)) for v in (start, start + extent))
        within = (places >= begin) & (places < end)
        inside = within if inside is None else inside & within
        part = extent / whole if part is None else part * (extent / whole)
    return inside, part


class RandomErasing(_Share):
    """In training, erases a box of images.

    Args:
        factor: the probability, drawn from [0, factor], or between two numbers, in [0, 1].
        scale: the squares of the box's parts of the width and of the height are drawn between two numbers in [0, 1].
        fill_value: a number, or one for each channel; drawn from the normal distribution, as wide as the range, when
            None.
        value_range, seed, data_format: as those of :class:`RandomBrightness`.

    Shapes: (batch, rows, columns, channels), or one image without the batch, to the same.

    Source: Zhong et al., "Random Erasing Data Augmentation", 2017.

    >>> from kbackend import Input, layers
    >>> layers.RandomErasing(0.5)(Input((8, 8, 3))).shape
    (None, 8, 8, 3)
    """

    arguments = ("factor", "scale", "fill_value", "value_range", "seed", "data_format")

    def __init__(
        self,
        factor: Factor = 1.0,
        scale: Factor = (0.02, 0.33),
        fill_value: Any = None,
        value_range: Sequence[float] = (0, 255),
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(factor, value_range, data_format, seed, **kwargs)
        self.scale = scale
        self._scales = self._bounds(scale, "scale", 0.0, 0.0)
        self.fill_value = fill_value

    def _altered(self, x: Any) -> Any:
        across, down = K.sqrt(self._drawn(x, self._scales)), K.sqrt(self._drawn(x, self._scales))
        inside, _ = _boxes(self, x, across, down)
        if self.fill_value is None:
            sizes = [length(x, axis) for axis in range(4)]
            kind = "float64" if x.dtype == "float64" else "float32"
            fill = K.cast(K.random_normal(sizes, dtype=kind, seed=self._draws), x.dtype) * self.value_range[1]
        else:
            fill = K.zeros_like(x) + np.asarray(self.fill_value, x.dtype)
        return K.where(inside & self._chosen(x), self._within(fill), x)


class _Mixing(_Augmentation):
    """Base class: each image is mixed with another one of the batch, and so are labels.

    Called on images, or on a dict of "images" and "labels" (batch, classes).
    """

    def call(self, inputs: Any, training: Any = None) -> Any:
        if not isinstance(inputs, Mapping):
            return super().call(inputs, training)
        x, labels = floats(inputs["images"]), floats(inputs["labels"])
        first = self.data_format == "channels_first"
        mixed, weight, order = self._mixed(K.permute_dimensions(x, (0, 2, 3, 1)) if first else x)
        mixed = K.permute_dimensions(mixed, (0, 3, 1, 2)) if first else mixed
        weight = K.reshape(K.cast(weight, labels.dtype), (-1, 1))
        blended = weight * labels + (1.0 - weight) * K.gather(labels, order)
        return {
            "images": K.in_train_phase(mixed, x, training),
            "labels": K.in_train_phase(blended, labels, training),
        }

    def _altered(self, x: Any) -> Any:
        return self._mixed(x)[0]

    def _mixed(self, x: Any) -> tuple[Any, Any, Any]:
        """Mixed images, the weight of each image in its result, and which other one it is mixed with."""
        raise NotImplementedError

    def _order(self, x: Any) -> Any:
        return shuffle(classic_arange(0, length(x, 0)), seed=self._draws)


class MixUp(_Mixing):
    """In training, gives means of each image and another one of the batch.

    Args:
        alpha: the weight is drawn from the beta distribution of (alpha, alpha).
        data_format: 'channels_last' or 'channels_first'; the default of the process when None.
        seed: a seed for this layer; the process' stream when None.

    Called on images, or on a dict of "images" and "labels" (batch, classes), which are mixed by the same weights.

    Raises:
        ValueError: an ``alpha`` that is not positive.

    Source: Zhang et al., "mixup: Beyond Empirical Risk Minimization", 2017.

    >>> from kbackend import Input, layers
    >>> mixed = layers.MixUp()({"images": Input((8, 8, 3)), "labels": Input((4,))})
    >>> mixed["images"].shape, mixed["labels"].shape
    ((None, 8, 8, 3), (None, 4))
    """

    arguments = ("alpha", "data_format", "seed")

    def __init__(
        self, alpha: float = 0.2, data_format: str | None = None, seed: int | None = None, **kwargs: Any
    ) -> None:
        super().__init__(seed, data_format, **kwargs)
        if not isinstance(alpha, (int, float)) or alpha <= 0:
            raise ValueError(f"{described(self)}: alpha must be a positive number, it is {alpha!r}")
        self.alpha = float(alpha)

    def _mixed(self, x: Any) -> tuple[Any, Any, Any]:
        order = self._order(x)
        weight = beta((length(x, 0),), self.alpha, self.alpha, seed=self._draws)
        share = _for_each(weight, x)
        return share * x + (1.0 - share) * K.gather(x, order), weight, order


class CutMix(_Mixing):
    """In training, puts a box of another image of the batch into each image.

    Args:
        factor: the part of the image that stays is drawn from the beta distribution of (a, a), with a drawn from
            [0, factor], or between two numbers, in [0, 1].
        seed: a seed for this layer; the process' stream when None.
        data_format: 'channels_last' or 'channels_first'; the default of the process when None.

    Called on images, or on a dict of "images" and "labels" (batch, classes), which are mixed by the parts of the image.

    Source: Yun et al., "CutMix", 2019.

    >>> from kbackend import Input, layers
    >>> layers.CutMix()(Input((8, 8, 3))).shape
    (None, 8, 8, 3)
    """

    arguments = ("factor", "seed", "data_format")

    def __init__(
        self, factor: Factor = 1.0, seed: int | None = None, data_format: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(seed, data_format, **kwargs)
        self.factor = factor
        self._alphas = self._bounds(factor, "factor", 0.0, 0.0)

    def _mixed(self, x: Any) -> tuple[Any, Any, Any]:
        alpha = K.random_uniform((), *self._alphas, dtype="float32", seed=self._draws) + 1e-6
        share = K.sqrt(1.0 - beta((length(x, 0),), alpha, alpha, seed=self._draws))
        inside, part = _boxes(self, x, share, share)
        order = self._order(x)
        return K.where(inside, K.gather(x, order), x), 1.0 - part, order


class Pipeline(HasLayers):
    """Layers applied one after the other, as one.

    Args:
        layers: the layers, each with one input and one output.

    Shapes: those of the first layer, to those of the last.

    Raises:
        ValueError: something else than layers.

    >>> from kbackend import Input, layers
    >>> layers.Pipeline([layers.Rescaling(1 / 255), layers.RandomFlip()])(Input((8, 8, 3))).shape
    (None, 8, 8, 3)
    """

    arguments = ("layers",)
    supports_masking = True

    def __init__(self, layers: Sequence[Any], name: str | None = None, **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)
        self.layers = list(layers)
        wrong = [layer for layer in self.layers if not isinstance(layer, Layer)]
        if wrong:
            raise ValueError(f"{described(self)} takes layers, not {wrong[0]!r}")

    def call(self, inputs: Any, training: Any = None) -> Any:
        for layer in self.layers:
            inputs = layer(inputs, training=training)
        return inputs

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Any:
        """A layer from the result of ``get_config``, without weights. Entries of ``layers`` may be layers, too."""
        made = [c if isinstance(c, Layer) else deserialize(c) for c in config["layers"]]
        return cls(**{**config, "layers": made})

    def _twin(self, **changes: Any) -> Any:
        return super()._twin(layers=[layer._twin() for layer in self.layers], **changes)


__all__ = ["CutMix", "MixUp", "Pipeline", "RandomErasing", "RandomShear"]
