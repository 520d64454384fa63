"""Inception-ResNet V2: branches of convolutions beside shortcuts (Szegedy et al., 2016, arXiv:1602.07261)."""

from __future__ import annotations

from typing import Any

from kbackend import layers
from kbackend.applications.imagenet_utils import decode_predictions, preprocessing
from kbackend.applications.network import Asked, channels, ended, image_of, joined, made, normalized, relu
from kbackend.graph.tensor import Tensor
from kbackend.ground.suggest import suggest_in as _suggest_in
from kbackend.models import Model

__all__ = ["InceptionResNetV2", "decode_predictions", "preprocess_input"]

preprocess_input = preprocessing("tf")

#: branches of (filters, kernel) of the blocks, by the pixels of a side that they see in the usual picture
_BRANCHES: dict[str, list[list[tuple[int, Any]]]] = {
    "block35": [[(32, 1)], [(32, 1), (32, 3)], [(32, 1), (48, 3), (64, 3)]],
    "block17": [[(192, 1)], [(128, 1), (160, (1, 7)), (192, (7, 1))]],
    "block8": [[(192, 1)], [(192, 1), (224, (1, 3)), (256, (3, 1))]],
}


def InceptionResNetV2(
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
) -> Model:
    """Inception-ResNet V2, for pictures of 299 pixels, at least 75.

    Arguments and errors as :func:`VGG16`.

    >>> from kbackend.applications import InceptionResNetV2
    >>> model = InceptionResNetV2(include_top=False, weights=None, input_shape=(75, 75, 3))
    >>> model.output_shape, model.count_params()
    ((None, 1, 1, 1536), 54336736)
    """
    asked = Asked(include_top, weights, input_tensor, input_shape, pooling, classes)
    image = image_of(asked, 299, 75)
    x = _stem(image)
    branches = [[(96, 1)], [(48, 1), (64, 5)], [(64, 1), (96, 3), (96, 3)]]
    mean = _convolved(layers.AveragePooling2D(3, strides=1, padding="same")(x), 64, 1)
    x = joined([*_branches(x, branches), mean], "mixed_5b")
    for number in range(1, 11):
        x = _block(x, "block35", number, 0.17)
    x = _narrowed(x, [[(384, 3)], [(256, 1), (256, 3), (384, 3)]], "mixed_6a")
    for number in range(1, 21):
        x = _block(x, "block17", number, 0.1)
    x = _narrowed(x, [[(256, 1), (384, 3)], [(256, 1), (288, 3)], [(256, 1), (288, 3), (320, 3)]], "mixed_7a")
    for number in range(1, 10):
        x = _block(x, "block8", number, 0.2)
    x = _block(x, "block8", 10, 1.0, rectified=False)
    x = _convolved(x, 1536, 1, name="conv_7b")
    x = ended(x, asked)
    stem = "inception_resnet_v2_weights_tf_dim_ordering_tf_kernels"
    return made(asked, image, x, "inception_resnet_v2", (f"{stem}.h5", f"{stem}_notop.h5"))


def _convolved(
    x: Tensor, filters: int, size: Any, strides: int = 1, padding: str = "same", name: str | None = None
) -> Tensor:
    x = layers.Conv2D(filters, size, strides=strides, padding=padding, use_bias=False, name=name)(x)
    x = normalized(x, None if name is None else f"{name}_bn", scale=False)
    return relu(x, None if name is None else f"{name}_ac")


def _stem(x: Tensor) -> Tensor:
    x = _convolved(x, 32, 3, 2, "valid")
    x = _convolved(x, 32, 3, padding="valid")
    x = _convolved(x, 64, 3)
    x = layers.MaxPooling2D(3, strides=2)(x)
    x = _convolved(x, 80, 1, padding="valid")
    x = _convolved(x, 192, 3, padding="valid")
    return layers.MaxPooling2D(3, strides=2)(x)


def _branch(x: Tensor, steps: list[tuple[int, Any]]) -> Tensor:
    for filters, size in steps:
        x = _convolved(x, filters, size)
    return x


def _branches(x: Tensor, branches: list[list[tuple[int, Any]]]) -> list[Tensor]:
    return [_branch(x, steps) for steps in branches]


def _narrowed(x: Tensor, branches: list[list[tuple[int, Any]]], name: str) -> Tensor:
    """Branches whose last convolution takes steps of two, and the largest of each window."""
    parts = [_convolved(_branch(x, steps[:-1]), *steps[-1], 2, "valid") for steps in branches]
    return joined([*parts, layers.MaxPooling2D(3, strides=2)(x)], name)


def _block(x: Tensor, kind: str, number: int, scale: float, rectified: bool = True) -> Tensor:
    """The input, and a part of what branches make of it."""
    name = f"{kind}_{number}"
    mixed = joined(_branches(x, _BRANCHES[kind]), f"{name}_mixed")
    up = layers.Conv2D(channels(x), 1, padding="same", name=f"{name}_conv")(mixed)
    x = layers.Activation("linear", name=name)(x + up * scale)  # a layer, so that it has Keras's name
    return relu(x, f"{name}_ac") if rectified else x


_suggest_in(__name__)
