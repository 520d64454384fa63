"""Layers that draw perspectives and elastic changes of images in training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kbackend import backend as K
from kbackend.layers.arguments import described, one_of
from kbackend.layers.preprocessing.colors import _Share
from kbackend.layers.preprocessing.geometry import Factor, _Augmentation
from kbackend.ops.arrays.dims import length
from kbackend.ops.image.color import gaussian_blur
from kbackend.ops.image.geometry import FILL_MODES, displaced, perspective_transform

_INTERPOLATIONS = ("bilinear", "nearest")
#: displacements of the scale 1 in parts of the longer side, and their deviation in parts of the shorter side
_STRENGTH, _DEVIATION = 0.1, 0.05


def _sides(x: Any, layer: Any) -> tuple[int, int]:
    """The rows and columns of images.

    Raises:
        ValueError: they are unknown.
    """
    sizes = tuple(x.shape[1:3])
    if None in sizes:
        raise ValueError(f"{described(layer)}: images need a known size, theirs is {sizes}")
    return sizes


class RandomPerspective(_Augmentation):
    """In training, shows images as planes seen from aside: the last row and column move, by a draw for each corner.

    Args:
        factor: the probability of a change, drawn for each image from [0, factor], or between two numbers, in [0, 1].
        scale: the coordinates of the corners are multiplied by numbers from [1 - scale / 2, 1 + scale / 2]; in [0, 1].
        interpolation: 'bilinear' or 'nearest'.
        fill_value: the value of what lies outside.
        seed: a seed for this layer; the process' stream when None.
        data_format: 'channels_last' or 'channels_first'; the default of the process when None.

    Shapes: (batch, rows, columns, channels), or one image without the batch, to the same.

    Raises:
        ValueError: a factor or scale outside [0, 1], an unknown interpolation; images of unknown size.

    >>> from kbackend import Input, layers
    >>> layers.RandomPerspective(0.5, scale=0.3)(Input((8, 8, 3))).shape
    (None, 8, 8, 3)
    """

    arguments = ("factor", "scale", "interpolation", "fill_value", "seed", "data_format")

    def __init__(
        self,
        factor: Factor = 1.0,
        scale: float = 1.0,
        interpolation: str = "bilinear",
        fill_value: float = 0.0,
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed, data_format, **kwargs)
        self.factor = factor
        self._shares = self._bounds(factor, "factor", 0.0, 0.0)
        _, self.scale = self._bounds([scale, scale], "scale", 0.0)
        self.interpolation = one_of(interpolation, _INTERPOLATIONS, "interpolation", described(self))
        self.fill_value = float(fill_value)

    def _altered(self, x: Any) -> Any:
        rows, columns = (float(n - 1) for n in _sides(x, self))
        chosen = K.reshape(self._drawn(x, (0.0, 1.0)) < self._drawn(x, self._shares), (-1, 1, 1, 1))
        kind = "float64" if x.dtype == "float64" else "float32"
        corners = K.constant([[[0.0, 0.0], [columns, 0.0], [0.0, rows], [columns, rows]]], dtype=kind)
        half = 0.5 * self.scale
        moves = K.random_uniform((length(x, 0), 4, 2), -half, half, dtype=kind, seed=self._draws)
        seen = perspective_transform(
            x, corners, corners + corners * moves, self.interpolation, self.fill_value, "channels_last"
        )
        return K.where(chosen, seen, x)


class RandomElasticTransform(_Share):
    """In training, moves each pixel by a smooth field of displacements, which is drawn for each image.

    A field of normal numbers is blurred and multiplied: of the scale s, its deviation and that of the window are
    ``0.05 s`` of the shorter side, and displacements are multiplied by ``0.1 s`` of the longer one.

    Args:
        factor: the probability of a change, drawn for each image from [0, factor], or between two numbers, in [0, 1].
        scale: s, drawn for the batch from [0, scale], or between two numbers, in [0, 1].
        interpolation: 'bilinear' or 'nearest'.
        fill_mode, fill_value: as those of :class:`RandomRotation`.
        value_range: results are limited to it.
        seed: a seed for this layer; the process' stream when None.
        data_format: 'channels_last' or 'channels_first'; the default of the process when None.

    Shapes: (batch, rows, columns, channels), or one image without the batch, to the same.

    Raises:
        ValueError: a factor or scale outside [0, 1], an unknown interpolation or fill mode; images of unknown size.

    Source: Simard, Steinkraus and Platt, "Best Practices for Convolutional Neural Networks", 2003.

    >>> from kbackend import Input, layers
    >>> layers.RandomElasticTransform(0.5)(Input((8, 8, 3))).shape
    (None, 8, 8, 3)
    """

    arguments = ("factor", "scale", "interpolation", "fill_mode", "fill_value", "value_range", "seed", "data_format")

    def __init__(
        self,
        factor: Factor = 1.0,
        scale: Factor = 1.0,
        interpolation: str = "bilinear",
        fill_mode: str = "reflect",
        fill_value: float = 0.0,
        value_range: Sequence[float] = (0, 255),
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(factor, value_range, data_format, seed, **kwargs)
        self.scale = scale
        self._scales = self._bounds(scale, "scale", 0.0, 0.0)
        self.interpolation = one_of(interpolation, _INTERPOLATIONS, "interpolation", described(self))
        self.fill_mode = one_of(fill_mode, FILL_MODES, "fill_mode", described(self))
        self.fill_value = float(fill_value)

    def _idle(self) -> bool:
        return 0.0 in (self._shares[1], self._scales[1])

    def _altered(self, x: Any) -> Any:
        if self._idle():
            return x
        chosen = self._chosen(x)
        rows, columns = _sides(x, self)
        kind = "float64" if x.dtype == "float64" else "float32"
        scale = K.random_uniform((), *self._scales, dtype=kind, seed=self._draws)
        sigma = K.maximum(scale * (_DEVIATION * min(rows, columns)), 1e-6)
        down, across = (self._field(x, rows, columns, sigma, kind) for _ in range(2))
        strength = scale * (_STRENGTH * max(rows, columns))
        moved = displaced(x, down * strength, across * strength, self.interpolation, self.fill_mode, self.fill_value)
        return self._within(K.where(chosen, moved, x))

    def _field(self, x: Any, rows: int, columns: int, sigma: Any, kind: str) -> Any:
        """Blurred normal numbers of the deviation sigma, (batch, rows, columns).

        The window holds three deviations of the largest scale to either side: its size must not depend on a draw.
        """
        size = int(6 * self._scales[1] * _DEVIATION * min(rows, columns)) | 1
        noise = K.random_normal((length(x, 0), rows, columns), dtype=kind, seed=self._draws) * sigma
        return gaussian_blur(noise[..., None], (size, size), K.stack([sigma, sigma]), "channels_last")[..., 0]


__all__ = ["RandomElasticTransform", "RandomPerspective"]
