"""ResNet with 50 layers, with the names of its first version in Keras (He et al., 2015, arXiv:1512.03385)."""

from __future__ import annotations

from typing import Any

from kbackend import layers
from kbackend.applications.imagenet_utils import decode_predictions, preprocessing
from kbackend.applications.network import Asked, ended, image_of, made, normalized, relu
from kbackend.graph.tensor import Tensor
from kbackend.ground.suggest import suggest_in as _suggest_in
from kbackend.models import Model

__all__ = ["ResNet50", "decode_predictions", "preprocess_input"]

preprocess_input = preprocessing("caffe")

#: filters and blocks of the stages
_STAGES = ((64, 3), (128, 4), (256, 6), (512, 3))


def ResNet50(
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
) -> Model:
    """ResNet with 50 layers, for pictures of 224 pixels.

    Arguments and errors as :func:`VGG16`.

    >>> from kbackend.applications import ResNet50
    >>> model = ResNet50(include_top=False, weights=None, input_shape=(64, 64, 3))
    >>> model.output_shape, model.count_params()
    ((None, 2, 2, 2048), 23587712)
    """
    asked = Asked(include_top, weights, input_tensor, input_shape, pooling, classes)
    image = image_of(asked, 224, 32)
    x = layers.ZeroPadding2D(3, name="conv1_pad")(image)
    x = layers.Conv2D(64, 7, strides=2, kernel_initializer="he_normal", name="conv1")(x)
    x = relu(normalized(x, "bn_conv1"))
    x = layers.ZeroPadding2D(1, name="pool1_pad")(x)
    x = layers.MaxPooling2D(3, strides=2)(x)
    for stage, (filters, blocks) in enumerate(_STAGES, 2):
        for block, letter in enumerate("abcdef"[:blocks]):
            first = block == 0
            x = _block(x, filters, f"{stage}{letter}_branch", first, 2 if first and stage > 2 else 1)
    x = ended(x, asked, "fc1000")
    stem = "resnet50_weights_tf_dim_ordering_tf_kernels"
    return made(asked, image, x, "resnet50", (f"{stem}.h5", f"{stem}_notop.h5"))


def _block(inputs: Tensor, filters: int, name: str, shortcut: bool, strides: int) -> Tensor:
    """Three convolutions beside the input, which is convolved where its size or channels change."""
    x = relu(_convolved(inputs, filters, 1, f"{name}2a", strides))
    x = relu(_convolved(x, filters, 3, f"{name}2b"))
    x = _convolved(x, 4 * filters, 1, f"{name}2c")
    beside = _convolved(inputs, 4 * filters, 1, f"{name}1", strides) if shortcut else inputs
    return relu(layers.Add()([x, beside]))


def _convolved(x: Tensor, filters: int, size: int, name: str, strides: int = 1) -> Tensor:
    x = layers.Conv2D(
        filters, size, strides=strides, padding="same", kernel_initializer="he_normal", name=f"res{name}"
    )(x)
    return normalized(x, f"bn{name}")


_suggest_in(__name__)
