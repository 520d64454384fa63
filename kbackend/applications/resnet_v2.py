"""ResNet whose blocks normalize before they convolve (He et al., 2016, arXiv:1603.05027)."""

from __future__ import annotations

from typing import Any

from kbackend import layers
from kbackend.applications.imagenet_utils import decode_predictions, preprocessing
from kbackend.applications.network import Asked, normalized, relu
from kbackend.applications.resnet import BLOCKS, EPSILON, residual
from kbackend.graph.tensor import Tensor
from kbackend.ground.suggest import suggest_in as _suggest_in
from kbackend.models import Model

__all__ = ["ResNet50V2", "ResNet101V2", "ResNet152V2", "decode_predictions", "preprocess_input"]

preprocess_input = preprocessing("tf")


def ResNet50V2(
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
) -> Model:
    """ResNet V2 with 50 layers, for pictures of 224 pixels.

    Arguments and errors as :func:`VGG16`.

    >>> from kbackend.applications import ResNet50V2
    >>> model = ResNet50V2(include_top=False, weights=None, input_shape=(64, 64, 3))
    >>> model.output_shape, model.count_params()
    ((None, 2, 2, 2048), 23564800)
    """
    return _resnet(Asked(include_top, weights, input_tensor, input_shape, pooling, classes), 50)


def ResNet101V2(
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
) -> Model:
    """ResNet V2 with 101 layers, for pictures of 224 pixels.

    Arguments and errors as :func:`VGG16`.

    >>> from kbackend.applications import ResNet101V2
    >>> model = ResNet101V2(include_top=False, weights=None, input_shape=(64, 64, 3))
    >>> model.output_shape, model.count_params()
    ((None, 2, 2, 2048), 42626560)
    """
    return _resnet(Asked(include_top, weights, input_tensor, input_shape, pooling, classes), 101)


def ResNet152V2(
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
) -> Model:
    """ResNet V2 with 152 layers, for pictures of 224 pixels.

    Arguments and errors as :func:`VGG16`.

    >>> from kbackend.applications import ResNet152V2
    >>> model = ResNet152V2(include_top=False, weights=None, input_shape=(64, 64, 3))
    >>> model.output_shape, model.count_params()
    ((None, 2, 2, 2048), 58331648)
    """
    return _resnet(Asked(include_top, weights, input_tensor, input_shape, pooling, classes), 152)


def _resnet(asked: Asked, depth: int) -> Model:
    return residual(asked, f"resnet{depth}v2", BLOCKS[depth], _stage, before=True)


def _stage(x: Tensor, filters: int, blocks: int, name: str) -> Tensor:
    for number in range(1, blocks + 1):
        strides = 2 if number == blocks and name != "conv5" else 1
        x = _block(x, filters, strides, number == 1, f"{name}_block{number}")
    return x


def _block(inputs: Tensor, filters: int, strides: int, shortcut: bool, name: str) -> Tensor:
    ready = relu(normalized(inputs, f"{name}_preact_bn", epsilon=EPSILON), f"{name}_preact_relu")
    beside = inputs
    if shortcut:
        beside = layers.Conv2D(4 * filters, 1, strides=strides, name=f"{name}_0_conv")(ready)
    elif strides > 1:
        beside = layers.MaxPooling2D(1, strides=strides)(inputs)
    x = layers.Conv2D(filters, 1, use_bias=False, name=f"{name}_1_conv")(ready)
    x = relu(normalized(x, f"{name}_1_bn", epsilon=EPSILON), f"{name}_1_relu")
    x = layers.ZeroPadding2D(1, name=f"{name}_2_pad")(x)
    x = layers.Conv2D(filters, 3, strides=strides, use_bias=False, name=f"{name}_2_conv")(x)
    x = relu(normalized(x, f"{name}_2_bn", epsilon=EPSILON), f"{name}_2_relu")
    x = layers.Conv2D(4 * filters, 1, name=f"{name}_3_conv")(x)
    return layers.Add(name=f"{name}_out")([beside, x])


_suggest_in(__name__)
