"""Inception V3: branches of convolutions of several sizes (Szegedy et al., 2015, arXiv:1512.00567)."""

from __future__ import annotations

from typing import Any

from kbackend import layers
from kbackend.applications.imagenet_utils import decode_predictions, preprocessing
from kbackend.applications.network import Asked, ended, image_of, joined, made, normalized, relu
from kbackend.graph.tensor import Tensor
from kbackend.ground.suggest import suggest_in as _suggest_in
from kbackend.models import Model

__all__ = ["InceptionV3", "decode_predictions", "preprocess_input"]

preprocess_input = preprocessing("tf")

#: a convolution of a branch: filters, rows and columns of the kernel
Step = tuple[int, int, int]


def InceptionV3(
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
) -> Model:
    """Inception V3, for pictures of 299 pixels, at least 75.

    Arguments and errors as :func:`VGG16`.

    >>> from kbackend.applications import InceptionV3
    >>> model = InceptionV3(include_top=False, weights=None, input_shape=(75, 75, 3))
    >>> model.output_shape, model.count_params()
    ((None, 1, 1, 2048), 21802784)
    """
    asked = Asked(include_top, weights, input_tensor, input_shape, pooling, classes)
    image = image_of(asked, 299, 75)
    x = _stem(image)
    for number, last in enumerate((32, 64, 64)):
        branches = [[(64, 1, 1)], [(48, 1, 1), (64, 5, 5)], [(64, 1, 1), (96, 3, 3), (96, 3, 3)]]
        x = joined([*(_branch(x, steps) for steps in branches), _mean(x, last)], f"mixed{number}")
    x = _narrowed(x, [[(384, 3, 3)], [(64, 1, 1), (96, 3, 3), (96, 3, 3)]], "mixed3")
    for number, middle in enumerate((128, 160, 160, 192), 4):
        rows, columns = (middle, 7, 1), (middle, 1, 7)
        branches = [
            [(192, 1, 1)],
            [(middle, 1, 1), columns, (192, 7, 1)],
            [(middle, 1, 1), rows, columns, rows, (192, 1, 7)],
        ]
        x = joined([*(_branch(x, steps) for steps in branches), _mean(x, 192)], f"mixed{number}")
    branches = [[(192, 1, 1), (320, 3, 3)], [(192, 1, 1), (192, 1, 7), (192, 7, 1), (192, 3, 3)]]
    x = _narrowed(x, branches, "mixed8")
    for number in (0, 1):
        whole = convolved(x, 320, 1, 1)
        split = _split(_branch(x, [(384, 1, 1)]), f"mixed9_{number}")
        deep = _split(_branch(x, [(448, 1, 1), (384, 3, 3)]), None)
        x = joined([whole, split, deep, _mean(x, 192)], f"mixed{9 + number}")
    x = ended(x, asked)
    stem = "inception_v3_weights_tf_dim_ordering_tf_kernels"
    return made(asked, image, x, "inception_v3", (f"{stem}.h5", f"{stem}_notop.h5"))


def convolved(x: Tensor, filters: int, rows: int, columns: int, strides: int = 1, padding: str = "same") -> Tensor:
    """A convolution, normalized without a scale, and the rectifier."""
    x = layers.Conv2D(filters, (rows, columns), strides=strides, padding=padding, use_bias=False)(x)
    return relu(normalized(x, scale=False))


def _stem(x: Tensor) -> Tensor:
    x = convolved(x, 32, 3, 3, 2, "valid")
    x = convolved(x, 32, 3, 3, padding="valid")
    x = convolved(x, 64, 3, 3)
    x = layers.MaxPooling2D(3, strides=2)(x)
    x = convolved(x, 80, 1, 1, padding="valid")
    x = convolved(x, 192, 3, 3, padding="valid")
    return layers.MaxPooling2D(3, strides=2)(x)


def _branch(x: Tensor, steps: list[Step]) -> Tensor:
    for step in steps:
        x = convolved(x, *step)
    return x


def _mean(x: Tensor, filters: int) -> Tensor:
    return convolved(layers.AveragePooling2D(3, strides=1, padding="same")(x), filters, 1, 1)


def _narrowed(x: Tensor, branches: list[list[Step]], name: str) -> Tensor:
    """Branches whose last convolution takes steps of two, and the largest of each window."""
    parts = [convolved(_branch(x, steps[:-1]), *steps[-1], 2, "valid") for steps in branches]
    return joined([*parts, layers.MaxPooling2D(3, strides=2)(x)], name)


def _split(x: Tensor, name: str | None) -> Tensor:
    return joined([convolved(x, 384, 1, 3), convolved(x, 384, 3, 1)], name)


_suggest_in(__name__)
