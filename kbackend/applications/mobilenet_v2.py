"""MobileNet V2: blocks that widen, convolve by channel and narrow again (Sandler et al., 2018, arXiv:1801.04381)."""

from __future__ import annotations

from typing import Any

from kbackend import layers
from kbackend.applications.imagenet_utils import decode_predictions, preprocessing
from kbackend.applications.mobilenet import rows_of, square
from kbackend.applications.network import (
    IMAGENET,
    Asked,
    channels,
    ended,
    image_of,
    made,
    normalized,
    padding_before,
)
from kbackend.graph.tensor import Tensor
from kbackend.ground.suggest import suggest_in as _suggest_in
from kbackend.models import Model

__all__ = ["MobileNetV2", "decode_predictions", "preprocess_input"]

preprocess_input = preprocessing("tf")

#: filters and strides of the first, and blocks, of the stages
_STAGES = ((16, 1, 1), (24, 2, 2), (32, 2, 3), (64, 2, 4), (96, 1, 3), (160, 2, 3), (320, 1, 1))
_WIDENED = 6
_SIZES = (96, 128, 160, 192, 224)
_WIDTHS = (0.35, 0.5, 0.75, 1.0, 1.3, 1.4)


def MobileNetV2(
    input_shape: Any = None,
    alpha: float = 1.0,
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
) -> Model:
    """MobileNet V2, for pictures of 224 pixels.

    Errors as :func:`VGG16`.

    Args:
        input_shape, include_top, weights, input_tensor, pooling, classes: as :func:`VGG16` takes them.
        alpha: the part of the usual filters that each layer has.

    >>> from kbackend.applications import MobileNetV2
    >>> model = MobileNetV2(include_top=False, weights=None, input_shape=(64, 64, 3))
    >>> model.output_shape, model.count_params()
    ((None, 2, 2, 1280), 2257984)
    """
    asked = Asked(include_top, weights, input_tensor, input_shape, pooling, classes)
    if weights == IMAGENET and alpha not in _WIDTHS:
        raise ValueError(f"weights='imagenet' needs alpha one of {', '.join(map(str, _WIDTHS))}")
    size = square(input_shape, _SIZES)
    image = image_of(asked, size, 32)
    x = layers.ZeroPadding2D(padding_before(image, 3), name="Conv1_pad")(image)
    x = layers.Conv2D(_eights(32 * alpha), 3, strides=2, use_bias=False, name="Conv1")(x)
    x = _rectified(_normalized(x, "bn_Conv1"), "Conv1_relu")
    number = 0
    for filters, strides, blocks in _STAGES:
        for place in range(blocks):
            x = _block(x, _eights(int(filters * alpha)), strides if place == 0 else 1, number)
            number += 1
    x = layers.Conv2D(_eights(1280 * alpha) if alpha > 1 else 1280, 1, use_bias=False, name="Conv_1")(x)
    x = _rectified(_normalized(x, "Conv_1_bn"), "out_relu")
    x = ended(x, asked, "Logits", mean=None)
    stem = f"mobilenet_v2_weights_tf_dim_ordering_tf_kernels_{alpha}_{size}"
    return made(asked, image, x, f"mobilenetv2_{alpha:0.2f}_{rows_of(image)}", (f"{stem}.h5", f"{stem}_no_top.h5"))


def _eights(filters: float) -> int:
    """The nearest multiple of 8, at least 8, that is no more than a tenth below."""
    near = max(8, int(filters + 4) // 8 * 8)
    return near + 8 if near < 0.9 * filters else near


def _normalized(x: Tensor, name: str) -> Tensor:
    return normalized(x, name, epsilon=1e-3, momentum=0.999)


def _rectified(x: Tensor, name: str) -> Tensor:
    return layers.ReLU(6.0, name=name)(x)


def _block(inputs: Tensor, filters: int, strides: int, number: int) -> Tensor:
    name = f"block_{number}_" if number else "expanded_conv_"
    before = channels(inputs)
    x = inputs
    if number:
        x = layers.Conv2D(_WIDENED * before, 1, padding="same", use_bias=False, name=f"{name}expand")(x)
        x = _rectified(_normalized(x, f"{name}expand_BN"), f"{name}expand_relu")
    if strides > 1:
        x = layers.ZeroPadding2D(padding_before(x, 3), name=f"{name}pad")(x)
    padding = "same" if strides == 1 else "valid"
    x = layers.DepthwiseConv2D(3, strides=strides, padding=padding, use_bias=False, name=f"{name}depthwise")(x)
    x = _rectified(_normalized(x, f"{name}depthwise_BN"), f"{name}depthwise_relu")
    x = layers.Conv2D(filters, 1, padding="same", use_bias=False, name=f"{name}project")(x)
    x = _normalized(x, f"{name}project_BN")
    return layers.Add(name=f"{name}add")([inputs, x]) if before == filters and strides == 1 else x


_suggest_in(__name__)
