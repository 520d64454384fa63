"""Xception: separable convolutions beside shortcuts (Chollet, 2016, arXiv:1610.02357)."""

from __future__ import annotations

from typing import Any

from kbackend import layers
from kbackend.applications.imagenet_utils import decode_predictions, preprocessing
from kbackend.applications.network import Asked, ended, image_of, made, normalized, relu
from kbackend.graph.tensor import Tensor
from kbackend.ground.suggest import suggest_in as _suggest_in
from kbackend.models import Model

__all__ = ["Xception", "decode_predictions", "preprocess_input"]

preprocess_input = preprocessing("tf")


def Xception(
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
) -> Model:
    """Xception, for pictures of 299 pixels, at least 71.

    Arguments and errors as :func:`VGG16`.

    >>> from kbackend.applications import Xception
    >>> model = Xception(include_top=False, weights=None, input_shape=(71, 71, 3))
    >>> model.output_shape, model.count_params()
    ((None, 3, 3, 2048), 20861480)
    """
    asked = Asked(include_top, weights, input_tensor, input_shape, pooling, classes)
    image = x = image_of(asked, 299, 71)
    for number, (filters, strides) in enumerate(((32, 2), (64, 1)), 1):
        name = f"block1_conv{number}"
        x = layers.Conv2D(filters, 3, strides=strides, use_bias=False, name=name)(x)
        x = relu(normalized(x, f"{name}_bn"), f"{name}_act")
    x = _narrowing(x, (128, 128), "block2", first=True)
    x = _narrowing(x, (256, 256), "block3")
    x = _narrowing(x, (728, 728), "block4")
    for number in range(5, 13):
        beside = x
        for place in (1, 2, 3):
            x = _separable(relu(x, f"block{number}_sepconv{place}_act"), 728, f"block{number}_sepconv{place}")
        x = layers.Add()([x, beside])
    x = _narrowing(x, (728, 1024), "block13")
    for place, filters in ((1, 1536), (2, 2048)):
        x = relu(_separable(x, filters, f"block14_sepconv{place}"), f"block14_sepconv{place}_act")
    x = ended(x, asked)
    stem = "xception_weights_tf_dim_ordering_tf_kernels"
    return made(asked, image, x, "xception", (f"{stem}.h5", f"{stem}_notop.h5"))


def _separable(x: Tensor, filters: int, name: str) -> Tensor:
    x = layers.SeparableConv2D(filters, 3, padding="same", use_bias=False, name=name)(x)
    return normalized(x, f"{name}_bn")


def _narrowing(inputs: Tensor, filters: tuple[int, int], name: str, first: bool = False) -> Tensor:
    """Two separable convolutions at half the places; the ``first`` of them follows a rectifier already."""
    beside = layers.Conv2D(filters[1], 1, strides=2, padding="same", use_bias=False)(inputs)
    beside = normalized(beside)
    x = inputs if first else relu(inputs, f"{name}_sepconv1_act")
    x = _separable(x, filters[0], f"{name}_sepconv1")
    x = _separable(relu(x, f"{name}_sepconv2_act"), filters[1], f"{name}_sepconv2")
    x = layers.MaxPooling2D(3, strides=2, padding="same", name=f"{name}_pool")(x)
    return layers.Add()([x, beside])


_suggest_in(__name__)
