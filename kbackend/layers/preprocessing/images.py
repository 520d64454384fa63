"""Images of another size."""

from __future__ import annotations

from typing import Any

from kbackend.layers.arguments import data_format_of, described, number, one_of, positive
from kbackend.layers.base.layer import Layer
from kbackend.layers.preprocessing.numeric import floats
from kbackend.ops.image.resize import opened, resize

_INTERPOLATIONS = ("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5")


class Resizing(Layer):
    """Images resized to one size.

    Args:
        height, width: the size.
        interpolation: 'bilinear', 'nearest', 'bicubic', 'lanczos3' or 'lanczos5'.
        crop_to_aspect_ratio: keep the ratio of the sides, by cutting off what is too much on both sides.
        pad_to_aspect_ratio: keep it by a border of ``fill_value`` instead.
        fill_mode: 'constant'.
        antialias: average over the pixels that one of a smaller image covers.
        data_format: 'channels_last' or 'channels_first'; the default of the process when None.

    Shapes: (batch, rows, columns, channels) to (batch, height, width, channels), also without a batch.

    Raises:
        ValueError: a size that is not positive, an unknown interpolation, both ratios kept; no images.

    >>> from kbackend import Input, layers
    >>> layers.Resizing(4, 6)(Input((8, 8, 3))).shape
    (None, 4, 6, 3)
    """

    arguments = ("height", "width", "interpolation", "crop_to_aspect_ratio", "pad_to_aspect_ratio", "fill_mode",
                 "fill_value", "antialias", "data_format")  # fmt: skip

    def __init__(
        self,
        height: int,
        width: int,
        interpolation: str = "bilinear",
        crop_to_aspect_ratio: bool = False,
        pad_to_aspect_ratio: bool = False,
        fill_mode: str = "constant",
        fill_value: float = 0.0,
        antialias: bool = False,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        label = described(self)
        self.height, self.width = positive(height, "height", label), positive(width, "width", label)
        self.interpolation = one_of(interpolation, _INTERPOLATIONS, "interpolation", label)
        if crop_to_aspect_ratio and pad_to_aspect_ratio:
            raise ValueError(f"{label}: only one of crop_to_aspect_ratio and pad_to_aspect_ratio can be True")
        self.crop_to_aspect_ratio, self.pad_to_aspect_ratio = crop_to_aspect_ratio, pad_to_aspect_ratio
        self.fill_mode = one_of(fill_mode, ("constant",), "fill_mode", label)
        self.fill_value = float(number(fill_value, "fill_value", described(self)))
        self.antialias = antialias
        self.data_format = data_format_of(self, data_format)

    def call(self, inputs: Any) -> Any:
        return resize(
            inputs, (self.height, self.width), self.interpolation, self.antialias, self.crop_to_aspect_ratio,
            self.pad_to_aspect_ratio, self.fill_mode, self.fill_value, self.data_format,
        )  # fmt: skip


class CenterCrop(Layer):
    """The middle part of images. Smaller images are resized, after a cut to the ratio of the sides.

    Args:
        height, width: the size of the part.
        data_format: 'channels_last' or 'channels_first'; the default of the process when None.

    Shapes: (batch, rows, columns, channels) to (batch, height, width, channels), also without a batch. Sizes of images
    must be known.

    Raises:
        ValueError: a size that is not positive; images of unknown size.

    >>> from kbackend import Input, layers
    >>> layers.CenterCrop(4, 6)(Input((8, 8, 3))).shape
    (None, 4, 6, 3)
    """

    arguments = ("height", "width", "data_format")

    def __init__(self, height: int, width: int, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        label = described(self)
        self.height, self.width = positive(height, "height", label), positive(width, "width", label)
        self.data_format = data_format_of(self, data_format)

    def call(self, inputs: Any) -> Any:
        x, closed = opened(floats(inputs), self.data_format)
        sizes = tuple(x.shape[1:3])
        if None in sizes:
            raise ValueError(f"images need a known size, theirs is {sizes}")
        if sizes[0] < self.height or sizes[1] < self.width:
            small = resize(x, (self.height, self.width), crop_to_aspect_ratio=True, data_format="channels_last")
            return closed(small)
        top, left = (sizes[0] - self.height) // 2, (sizes[1] - self.width) // 2
        return closed(x[:, top : top + self.height, left : left + self.width])


__all__ = ["CenterCrop", "Resizing"]
