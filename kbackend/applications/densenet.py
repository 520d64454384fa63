"""DenseNet: each layer sees the results of all layers before it (Huang et al., 2016, arXiv:1608.06993)."""

from __future__ import annotations

from typing import Any

from kbackend import layers
from kbackend.applications.imagenet_utils import decode_predictions, preprocessing
from kbackend.applications.network import Asked, channels, ended, image_of, joined, made, normalized, relu
from kbackend.graph.tensor import Tensor
from kbackend.ground.suggest import suggest_in as _suggest_in
from kbackend.models import Model

__all__ = ["DenseNet121", "DenseNet169", "DenseNet201", "decode_predictions", "preprocess_input"]

preprocess_input = preprocessing("torch")

_EPSILON = 1.001e-5
#: channels that a layer adds
_GROWTH = 32


def DenseNet121(
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
) -> Model:
    """DenseNet with 121 layers, for pictures of 224 pixels.

    Arguments and errors as :func:`VGG16`.

    >>> from kbackend.applications import DenseNet121
    >>> model = DenseNet121(include_top=False, weights=None, input_shape=(64, 64, 3))
    >>> model.output_shape, model.count_params()
    ((None, 2, 2, 1024), 7037504)
    """
    asked = Asked(include_top, weights, input_tensor, input_shape, pooling, classes)
    return _densenet(asked, "densenet121", (6, 12, 24, 16))


def DenseNet169(
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
) -> Model:
    """DenseNet with 169 layers, for pictures of 224 pixels.

    Arguments and errors as :func:`VGG16`.

    >>> from kbackend.applications import DenseNet169
    >>> model = DenseNet169(include_top=False, weights=None, input_shape=(64, 64, 3))
    >>> model.output_shape, model.count_params()
    ((None, 2, 2, 1664), 12642880)
    """
    asked = Asked(include_top, weights, input_tensor, input_shape, pooling, classes)
    return _densenet(asked, "densenet169", (6, 12, 32, 32))


def DenseNet201(
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
) -> Model:
    """DenseNet with 201 layers, for pictures of 224 pixels.

    Arguments and errors as :func:`VGG16`.

    >>> from kbackend.applications import DenseNet201
    >>> model = DenseNet201(include_top=False, weights=None, input_shape=(64, 64, 3))
    >>> model.output_shape, model.count_params()
    ((None, 2, 2, 1920), 18321984)
    """
    asked = Asked(include_top, weights, input_tensor, input_shape, pooling, classes)
    return _densenet(asked, "densenet201", (6, 12, 48, 32))


def _densenet(asked: Asked, name: str, blocks: tuple[int, ...]) -> Model:
    image = image_of(asked, 224, 32)
    x = layers.ZeroPadding2D(3)(image)
    x = layers.Conv2D(64, 7, strides=2, use_bias=False, name="conv1/conv")(x)
    x = relu(normalized(x, "conv1/bn", epsilon=_EPSILON), "conv1/relu")
    x = layers.ZeroPadding2D(1)(x)
    x = layers.MaxPooling2D(3, strides=2, name="pool1")(x)
    for stage, count in enumerate(blocks, 2):
        if stage > 2:
            x = _narrowed(x, f"pool{stage - 1}")
        for number in range(1, count + 1):
            x = _layer(x, f"conv{stage}_block{number}")
    x = relu(normalized(x, "bn", epsilon=_EPSILON), "relu")
    x = ended(x, asked, "fc1000", pools=("avg_pool", "max_pool"))
    stem = f"{name}_weights_tf_dim_ordering_tf_kernels"
    return made(asked, image, x, name, (f"{stem}.h5", f"{stem}_notop.h5"))


def _layer(inputs: Tensor, name: str) -> Tensor:
    x = relu(normalized(inputs, f"{name}_0_bn", epsilon=_EPSILON), f"{name}_0_relu")
    x = layers.Conv2D(4 * _GROWTH, 1, use_bias=False, name=f"{name}_1_conv")(x)
    x = relu(normalized(x, f"{name}_1_bn", epsilon=_EPSILON), f"{name}_1_relu")
    x = layers.Conv2D(_GROWTH, 3, padding="same", use_bias=False, name=f"{name}_2_conv")(x)
    return joined([inputs, x], f"{name}_concat")


def _narrowed(x: Tensor, name: str) -> Tensor:
    """Half the channels, at half the places."""
    x = relu(normalized(x, f"{name}_bn", epsilon=_EPSILON), f"{name}_relu")
    x = layers.Conv2D(channels(x) // 2, 1, use_bias=False, name=f"{name}_conv")(x)
    return layers.AveragePooling2D(2, strides=2, name=f"{name}_pool")(x)


_suggest_in(__name__)
