"""MobileNet: depthwise convolutions with pointwise ones between them (Howard et al., 2017, arXiv:1704.04861)."""

from __future__ import annotations

from typing import Any

from kbackend import layers
from kbackend.applications.imagenet_utils import decode_predictions, preprocessing
from kbackend.applications.network import IMAGENET, Asked, image_of, made, normalized, pooled
from kbackend.config import image_data_format
from kbackend.graph.tensor import Tensor
from kbackend.ground.suggest import suggest_in as _suggest_in
from kbackend.models import Model

__all__ = ["MobileNet", "decode_predictions", "preprocess_input"]

preprocess_input = preprocessing("tf")

#: filters and strides of the thirteen blocks
_BLOCKS = ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *[(512, 1)] * 5, (1024, 2), (1024, 1))
_SIZES = (128, 160, 192, 224)
#: how files name the widths
_WIDTHS = {1.0: "1_0", 0.75: "7_5", 0.5: "5_0", 0.25: "2_5"}


def MobileNet(
    input_shape: Any = None,
    alpha: float = 1.0,
    depth_multiplier: int = 1,
    dropout: float = 1e-3,
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
) -> Model:
    """MobileNet, for pictures of 224 pixels.

    Errors as :func:`VGG16`.

    Args:
        input_shape, include_top, weights, input_tensor, pooling, classes: as :func:`VGG16` takes them.
        alpha: the part of the usual filters that each layer has.
        depth_multiplier: depthwise filters a channel.
        dropout: the rate before the classifier.

    >>> from kbackend.applications import MobileNet
    >>> model = MobileNet(include_top=False, weights=None, input_shape=(64, 64, 3))
    >>> model.output_shape, model.count_params()
    ((None, 2, 2, 1024), 3228864)
    """
    asked = Asked(include_top, weights, input_tensor, input_shape, pooling, classes)
    if weights == IMAGENET and (depth_multiplier != 1 or alpha not in _WIDTHS):
        raise ValueError(f"weights='imagenet' needs depth_multiplier=1 and alpha one of {', '.join(map(str, _WIDTHS))}")
    size = square(input_shape, _SIZES)
    image = image_of(asked, size, 32)
    x = layers.ZeroPadding2D(((0, 1), (0, 1)), name="conv1_pad")(image)
    x = layers.Conv2D(int(32 * alpha), 3, strides=2, use_bias=False, name="conv1")(x)
    x = _rectified(x, "conv1")
    for number, (filters, strides) in enumerate(_BLOCKS, 1):
        x = _block(x, int(filters * alpha), depth_multiplier, strides, number)
    if include_top:
        channels = int(1024 * alpha)
        shape = (channels, 1, 1) if image_data_format() == "channels_first" else (1, 1, channels)
        x = layers.GlobalAveragePooling2D()(x)
        x = layers.Reshape(shape, name="reshape_1")(x)
        x = layers.Dropout(dropout, name="dropout")(x)
        x = layers.Conv2D(classes, 1, padding="same", name="conv_preds")(x)
        x = layers.Reshape((classes,), name="reshape_2")(x)
        x = layers.Activation("softmax", name="act_softmax")(x)
    else:
        x = pooled(x, pooling)
    stem = f"mobilenet_{_WIDTHS.get(alpha)}_{size}_tf"
    return made(asked, image, x, f"mobilenet_{alpha:0.2f}_{rows_of(image)}", (f"{stem}.h5", f"{stem}_no_top.h5"))


def square(shape: Any, sizes: tuple[int, ...]) -> int:
    """The size that weights were made for: that of the pictures, or 224 where there are none for it."""
    if shape is None or len(shape) != 3:
        return 224
    rows, columns = shape[1:] if image_data_format() == "channels_first" else shape[:2]
    return rows if rows == columns and rows in sizes else 224


def rows_of(image: Tensor) -> int | None:
    """The rows of a picture."""
    return image.shape[2 if image_data_format() == "channels_first" else 1]


def _rectified(x: Tensor, name: str) -> Tensor:
    return layers.ReLU(6.0, name=f"{name}_relu")(normalized(x, f"{name}_bn"))


def _block(x: Tensor, filters: int, multiplier: int, strides: int, number: int) -> Tensor:
    if strides > 1:
        x = layers.ZeroPadding2D(((0, 1), (0, 1)), name=f"conv_pad_{number}")(x)
    padding = "same" if strides == 1 else "valid"
    x = layers.DepthwiseConv2D(
        3, strides=strides, padding=padding, depth_multiplier=multiplier, use_bias=False, name=f"conv_dw_{number}"
    )(x)
    x = _rectified(x, f"conv_dw_{number}")
    x = layers.Conv2D(filters, 1, padding="same", use_bias=False, name=f"conv_pw_{number}")(x)
    return _rectified(x, f"conv_pw_{number}")


_suggest_in(__name__)
