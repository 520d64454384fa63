"""VGG with 19 layers (Simonyan and Zisserman, 2014, arXiv:1409.1556)."""

from __future__ import annotations

from typing import Any

from kbackend.applications.imagenet_utils import decode_predictions, preprocessing
from kbackend.applications.network import Asked
from kbackend.applications.vgg16 import vgg
from kbackend.ground.suggest import suggest_in as _suggest_in
from kbackend.models import Model

__all__ = ["VGG19", "decode_predictions", "preprocess_input"]

preprocess_input = preprocessing("caffe")


def VGG19(
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
) -> Model:
    """VGG with 19 layers, for pictures of 224 pixels.

    Arguments and errors as :func:`VGG16`.

    >>> from kbackend.applications import VGG19
    >>> model = VGG19(include_top=False, weights=None, input_shape=(64, 64, 3))
    >>> model.output_shape, model.count_params()
    ((None, 2, 2, 512), 20024384)
    """
    asked = Asked(include_top, weights, input_tensor, input_shape, pooling, classes)
    return vgg(asked, "vgg19", (2, 2, 4, 4, 4))


_suggest_in(__name__)
