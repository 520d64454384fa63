"""VGG with 16 layers: 3 by 3 convolutions in five blocks (Simonyan and Zisserman, 2014, arXiv:1409.1556)."""

from __future__ import annotations

from typing import Any

from kbackend import layers
from kbackend.applications.imagenet_utils import decode_predictions, preprocessing
from kbackend.applications.network import Asked, image_of, made, pooled
from kbackend.ground.suggest import suggest_in as _suggest_in
from kbackend.models import Model

__all__ = ["VGG16", "decode_predictions", "preprocess_input"]

preprocess_input = preprocessing("caffe")


def VGG16(
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
) -> Model:
    """VGG with 16 layers, for pictures of 224 pixels.

    Args:
        include_top: whether the classifier stands at the end.
        weights: a file of weights; 'imagenet' for Keras's file in ``~/.kbackend/models`` or ``~/.keras/models``;
            None for new weights. Nothing is downloaded.
        input_tensor: a symbolic tensor that the network is applied to, in place of an input of its own.
        input_shape: (rows, columns, channels) of a picture; the usual one when None, without the classifier any
            size.
        pooling: without the classifier, 'avg' or 'max' over all places; None for the features.
        classes: the number of classes of the classifier.

    Raises:
        ValueError: arguments that do not fit together.
        FileNotFoundError: weights that are not there; the message says where to put them.

    >>> from kbackend.applications import VGG16
    >>> model = VGG16(include_top=False, weights=None, input_shape=(64, 64, 3))
    >>> model.output_shape, model.count_params()
    ((None, 2, 2, 512), 14714688)
    """
    asked = Asked(include_top, weights, input_tensor, input_shape, pooling, classes)
    return vgg(asked, "vgg16", (2, 2, 3, 3, 3))


def vgg(asked: Asked, name: str, depths: tuple[int, ...]) -> Model:
    """Five blocks of some convolutions each, and three dense layers."""
    image = x = image_of(asked, 224, 32)
    for block, (depth, filters) in enumerate(zip(depths, (64, 128, 256, 512, 512)), 1):
        for number in range(1, depth + 1):
            label = f"block{block}_conv{number}"
            x = layers.Conv2D(filters, 3, padding="same", activation="relu", name=label)(x)
        x = layers.MaxPooling2D(2, strides=2, name=f"block{block}_pool")(x)
    if asked.include_top:
        x = layers.Flatten(name="flatten")(x)
        for number in (1, 2):
            x = layers.Dense(4096, activation="relu", name=f"fc{number}")(x)
        x = layers.Dense(asked.classes, activation="softmax", name="predictions")(x)
    else:
        x = pooled(x, asked.pooling)
    stem = f"{name}_weights_tf_dim_ordering_tf_kernels"
    return made(asked, image, x, name, (f"{stem}.h5", f"{stem}_notop.h5"))


_suggest_in(__name__)
