"""Layers that enlarge by whole factors."""

from __future__ import annotations

from typing import Any

from kbackend import backend as K
from kbackend.layers.arguments import data_format_of, described, one_of, per_dimension, positive
from kbackend.layers.base.layer import Layer
from kbackend.layers.base.spec import InputSpec

_INTERPOLATIONS = ("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5")


class UpSampling1D(Layer):
    """Each step repeated.

    Args:
        size: how often.

    Shapes: (batch, steps, features) to (batch, steps * size, features).

    >>> from kbackend import Input, layers
    >>> layers.UpSampling1D(3)(Input((2, 5))).shape
    (None, 6, 5)
    """

    arguments = ("size",)

    def __init__(self, size: Any = 2, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        (given,) = size if isinstance(size, (list, tuple)) and len(size) == 1 else (size,)
        self.size = positive(given, "size", described(self))
        self.input_spec = InputSpec(ndim=3)

    def call(self, inputs: Any) -> Any:
        return K.repeat_elements(inputs, self.size, axis=1)


class UpSampling2D(Layer):
    """Images enlarged.

    Args:
        size: the factors, an integer or two.
        data_format: 'channels_last' or 'channels_first'.
        interpolation: 'nearest', which repeats, 'bilinear', 'bicubic', 'lanczos3' or 'lanczos5', with half-pixel
            centres.

    Shapes: (batch, rows, columns, channels) to (batch, rows * size[0], columns * size[1], channels).

    >>> from kbackend import Input, layers
    >>> layers.UpSampling2D((2, 3), interpolation="bilinear")(Input((4, 5, 1))).shape
    (None, 8, 15, 1)
    """

    arguments = ("size", "data_format", "interpolation")

    def __init__(
        self, size: Any = (2, 2), data_format: str | None = None, interpolation: str = "nearest", **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.size = per_dimension(size, 2, "size", described(self))
        self.data_format = data_format_of(self, data_format)
        self.interpolation = one_of(interpolation, _INTERPOLATIONS, "interpolation", described(self))
        self.input_spec = InputSpec(ndim=4)

    def call(self, inputs: Any) -> Any:
        return K.resize_images(inputs, *self.size, self.data_format, self.interpolation)


class UpSampling3D(Layer):
    """Volumes enlarged: each element repeated along depth, rows and columns.

    Args:
        size: the factors, an integer or three.
        data_format: 'channels_last' (batch, depth, rows, columns, channels) or 'channels_first'.

    >>> from kbackend import Input, layers
    >>> layers.UpSampling3D((1, 2, 3))(Input((4, 5, 6, 1))).shape
    (None, 4, 10, 18, 1)
    """

    arguments = ("size", "data_format")

    def __init__(self, size: Any = (2, 2, 2), data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.size = per_dimension(size, 3, "size", described(self))
        self.data_format = data_format_of(self, data_format)
        self.input_spec = InputSpec(ndim=5)

    def call(self, inputs: Any) -> Any:
        return K.resize_volumes(inputs, *self.size, self.data_format)


__all__ = ["UpSampling1D", "UpSampling2D", "UpSampling3D"]
