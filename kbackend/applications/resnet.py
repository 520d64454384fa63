"""ResNet with 50, 101 and 152 layers (He et al., 2015, arXiv:1512.03385)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kbackend import layers
from kbackend.applications.imagenet_utils import decode_predictions, preprocessing
from kbackend.applications.network import Asked, ended, image_of, made, normalized, relu
from kbackend.graph.tensor import Tensor
from kbackend.ground.suggest import suggest_in as _suggest_in
from kbackend.models import Model

__all__ = ["ResNet50", "ResNet101", "ResNet152", "decode_predictions", "preprocess_input"]

preprocess_input = preprocessing("caffe")

EPSILON = 1.001e-5
#: blocks of the four stages by the number of layers
BLOCKS = {50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}

Stage = Callable[[Tensor, int, int, str], Tensor]


def ResNet50(
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
) -> Model:
    """ResNet with 50 layers, for pictures of 224 pixels.

    :mod:`kbackend.applications` says what the arguments mean and which errors there are.

    >>> from kbackend.applications.resnet import ResNet50
    >>> model = ResNet50(include_top=False, weights=None, input_shape=(64, 64, 3))
    >>> model.output_shape, model.count_params()
    ((None, 2, 2, 2048), 23587712)
    """
    return _resnet(Asked(include_top, weights, input_tensor, input_shape, pooling, classes), 50)


def ResNet101(
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
) -> Model:
    """ResNet with 101 layers, for pictures of 224 pixels.

    Arguments and errors as :func:`VGG16`.

    >>> from kbackend.applications import ResNet101
    >>> model = ResNet101(include_top=False, weights=None, input_shape=(64, 64, 3))
    >>> model.output_shape, model.count_params()
    ((None, 2, 2, 2048), 42658176)
    """
    return _resnet(Asked(include_top, weights, input_tensor, input_shape, pooling, classes), 101)


def ResNet152(
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
) -> Model:
    """ResNet with 152 layers, for pictures of 224 pixels.

    Arguments and errors as :func:`VGG16`.

    >>> from kbackend.applications import ResNet152
    >>> model = ResNet152(include_top=False, weights=None, input_shape=(64, 64, 3))
    >>> model.output_shape, model.count_params()
    ((None, 2, 2, 2048), 58370944)
    """
    return _resnet(Asked(include_top, weights, input_tensor, input_shape, pooling, classes), 152)


def _resnet(asked: Asked, depth: int) -> Model:
    return residual(asked, f"resnet{depth}", BLOCKS[depth], _stage, before=False)


def residual(asked: Asked, name: str, blocks: tuple[int, ...], stage: Stage, before: bool) -> Model:
    """A network of four stages.

    Args:
        asked: the arguments.
        name: of the model.
        blocks: of the stages.
        stage: makes one of (features, filters, blocks, name).
        before: whether blocks normalize before they convolve, so that the last result must be normalized.
    """
    image = image_of(asked, 224, 32)
    x = layers.ZeroPadding2D(3, name="conv1_pad")(image)
    x = layers.Conv2D(64, 7, strides=2, name="conv1_conv")(x)
    if not before:
        x = relu(normalized(x, "conv1_bn", epsilon=EPSILON), "conv1_relu")
    x = layers.ZeroPadding2D(1, name="pool1_pad")(x)
    x = layers.MaxPooling2D(3, strides=2, name="pool1_pool")(x)
    for number, count in enumerate(blocks):
        x = stage(x, 64 << number, count, f"conv{number + 2}")
    if before:
        x = relu(normalized(x, "post_bn", epsilon=EPSILON), "post_relu")
    x = ended(x, asked, "probs", pools=("avg_pool", "max_pool"))
    stem = f"{name}_weights_tf_dim_ordering_tf_kernels"
    return made(asked, image, x, name, (f"{stem}.h5", f"{stem}_notop.h5"))


def _stage(x: Tensor, filters: int, blocks: int, name: str) -> Tensor:
    for number in range(1, blocks + 1):
        strides = 2 if number == 1 and name != "conv2" else 1
        x = _block(x, filters, strides, number == 1, f"{name}_block{number}")
    return x


def _block(inputs: Tensor, filters: int, strides: int, shortcut: bool, name: str) -> Tensor:
    beside = _convolved(inputs, 4 * filters, 1, f"{name}_0", strides) if shortcut else inputs
    x = relu(_convolved(inputs, filters, 1, f"{name}_1", strides), f"{name}_1_relu")
    x = relu(_convolved(x, filters, 3, f"{name}_2"), f"{name}_2_relu")
    x = _convolved(x, 4 * filters, 1, f"{name}_3")
    return relu(layers.Add(name=f"{name}_add")([beside, x]), f"{name}_out")


def _convolved(x: Tensor, filters: int, size: int, name: str, strides: int = 1) -> Tensor:
    x = layers.Conv2D(filters, size, strides=strides, padding="same", name=f"{name}_conv")(x)
    return normalized(x, f"{name}_bn", epsilon=EPSILON)


_suggest_in(__name__)
