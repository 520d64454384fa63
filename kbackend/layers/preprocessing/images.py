"""Images of another size, and as many boxes for each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from kbackend.layers.arguments import data_format_of, described, number, one_of, positive
from kbackend.layers.base.layer import Layer
from kbackend.layers.preprocessing.numeric import floats
from kbackend.ops.arrays.pad import pad_constant
from kbackend.ops.image.resize import opened, resize
from kbackend.ops.nn.unfold import gather_axis

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
        fill_value: the value of the border.

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


class MaxNumBoundingBoxes(Layer):
    """As many boxes for each image: those past a number are left out, missing ones are filled.

    Args:
        max_number: the number.
        fill_value: what coordinates and labels of missing boxes are.

    Shapes: a dict that has "bounding_boxes": a dict of "boxes" (batch, boxes, 4) and "labels" (batch, boxes), also
    without a batch. Other entries, such as "images", are passed on.

    Raises:
        ValueError: a number that is not positive, boxes or labels of another shape.
        TypeError: inputs that are no such dict.

    >>> from kbackend import Input, layers
    >>> boxes = {"boxes": Input((3, 4)), "labels": Input((3,))}
    >>> found = layers.MaxNumBoundingBoxes(10)({"images": Input((8, 8, 3)), "bounding_boxes": boxes})
    >>> found["bounding_boxes"]["boxes"].shape, found["bounding_boxes"]["labels"].shape
    ((None, 10, 4), (None, 10))
    """

    arguments = ("max_number", "fill_value")

    def __init__(self, max_number: int, fill_value: int = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.max_number = positive(max_number, "max_number", described(self))
        if isinstance(fill_value, bool) or not isinstance(fill_value, (int, float)):
            raise ValueError(f"{described(self)}: fill_value must be a number, it is {fill_value!r}")
        self.fill_value = fill_value

    def call(self, inputs: Any) -> Any:
        given = inputs.get("bounding_boxes") if isinstance(inputs, Mapping) else None
        if not isinstance(given, Mapping) or set(given) != {"boxes", "labels"}:
            raise TypeError('the input must be a dict with "bounding_boxes": a dict of "boxes" and "labels"')
        boxes, labels = given["boxes"], given["labels"]
        if boxes.ndim not in (2, 3) or boxes.shape[-1] != 4 or labels.ndim != boxes.ndim - 1:
            raise ValueError(
                f"boxes must be (batch, boxes, 4) and labels (batch, boxes), they have the shapes {boxes.shape} and "
                f"{labels.shape}"
            )
        axis = boxes.ndim - 2
        found = {"boxes": self._fitted(boxes, axis), "labels": self._fitted(labels, axis)}
        return {**inputs, "bounding_boxes": found}

    def _fitted(self, x: Any, axis: int) -> Any:
        widths = [(0, self.max_number if place == axis else 0) for place in range(x.ndim)]
        return gather_axis(pad_constant(x, widths, self.fill_value), np.arange(self.max_number, dtype=np.int32), axis)


__all__ = ["CenterCrop", "MaxNumBoundingBoxes", "Resizing"]
