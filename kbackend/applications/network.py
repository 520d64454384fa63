"""What all networks share: where pictures come in, what stands at the end, where weights come from."""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import Any, NamedTuple

from kbackend import layers
from kbackend.config import config_path, image_data_format
from kbackend.graph.tensor import Tensor
from kbackend.layers.base.input import Input
from kbackend.models import Model
from kbackend.utils.session import get_source_inputs

IMAGENET = "imagenet"
#: classes of ImageNet
_CLASSES = 1000


class Asked(NamedTuple):
    """The arguments that all networks take.

    Attributes:
        include_top: whether the classifier stands at the end.
        weights: a file, 'imagenet' for the file of that name in the cache, None for new weights.
        input_tensor: what the network is applied to, None for an input of its own.
        input_shape: of a picture; the usual one when None.
        pooling: without the classifier: 'avg' or 'max' over all places, None for the features.
        classes: of the classifier.
    """

    include_top: bool
    weights: Any
    input_tensor: Tensor | None
    input_shape: Any
    pooling: str | None
    classes: int

    def check(self) -> None:
        """Raise ValueError for arguments that do not fit together."""
        if self.pooling not in (None, "avg", "max"):
            raise ValueError(f"pooling must be 'avg', 'max' or None, it is {self.pooling!r}")
        if self.weights == IMAGENET and self.include_top and self.classes != _CLASSES:
            raise ValueError(
                f"weights='imagenet' with the classifier needs classes={_CLASSES}, it is {self.classes}; leave the "
                "classifier out with include_top=False, or give weights=None"
            )
        if self.weights not in (None, IMAGENET) and not os.path.exists(self.weights):
            raise FileNotFoundError(f"weights must be None, 'imagenet' or a file; {self.weights} is not there")


def channel_axis() -> int:
    """Where batches have their channels."""
    return 1 if image_data_format() == "channels_first" else 3


def channels(x: Tensor) -> int:
    """How many channels features have."""
    count = x.shape[channel_axis()]
    assert count is not None  # convolutions and inputs know them
    return count


def image_of(asked: Asked, size: int, least: int, fixed: bool | None = None) -> Tensor:
    """The tensor that a network is applied to.

    Args:
        asked: the arguments.
        size: the usual number of rows and columns.
        least: the smallest.
        fixed: whether both must be known; where the classifier is asked for, when None.

    Raises:
        ValueError: a shape that does not fit.
    """
    asked.check()
    if asked.input_tensor is not None:
        known = asked.input_tensor
        return known if asked.input_shape is None else _compared(known, shape_of(asked, size, least, fixed))
    return Input(shape_of(asked, size, least, fixed))


def _compared(tensor: Tensor, shape: tuple[int | None, ...]) -> Tensor:
    pairs = zip(tensor.shape[1:], shape)
    if tensor.ndim != 4 or any(a != b for a, b in pairs if None not in (a, b)):
        raise ValueError(f"input_tensor has the shape {tensor.shape}, input_shape is {shape}")
    return tensor


def shape_of(asked: Asked, size: int, least: int, fixed: bool | None) -> tuple[int | None, ...]:
    first = image_data_format() == "channels_first"
    known = asked.include_top if fixed is None else fixed
    if asked.input_shape is None:
        sides = (size, size) if known else (None, None)
        return (3, *sides) if first else (*sides, 3)
    shape = tuple(asked.input_shape)
    if len(shape) != 3:
        raise ValueError(f"input_shape must have three numbers, it is {asked.input_shape}")
    colours, sides = (shape[0], shape[1:]) if first else (shape[2], shape[:2])
    if asked.weights == IMAGENET and colours != 3:
        raise ValueError(f"weights='imagenet' needs pictures of 3 channels, input_shape is {shape}")
    if asked.weights == IMAGENET and asked.include_top and sides != (size, size):
        raise ValueError(f"weights='imagenet' with the classifier needs {size} by {size} pixels, not {shape}")
    if colours not in (1, 3):
        warnings.warn(f"pictures have 1 or 3 channels, input_shape {shape} has {colours}", stacklevel=4)
    if any(side is not None and side < least for side in sides):
        raise ValueError(f"pictures must have at least {least} by {least} pixels, input_shape is {shape}")
    if known and None in shape:
        raise ValueError(f"the classifier needs pictures of a known size, input_shape is {shape}")
    return shape


def pooled(x: Tensor, pooling: str | None, names: tuple[str | None, str | None] = (None, None)) -> Tensor:
    """The mean or largest of all places, by the word for it; the features as they are for None."""
    if pooling == "avg":
        return layers.GlobalAveragePooling2D(name=names[0])(x)
    return layers.GlobalMaxPooling2D(name=names[1])(x) if pooling == "max" else x


def ended(
    x: Tensor, asked: Asked, name: str = "predictions", mean: str | None = "avg_pool", pools: Any = (None, None)
) -> Tensor:
    """The classifier on the mean of all places, or the features.

    Args:
        x: the features.
        asked: the arguments.
        name, mean: of the last layer and of the mean before it.
        pools: names of the layers for ``pooling``.
    """
    if not asked.include_top:
        return pooled(x, asked.pooling, pools)
    x = layers.GlobalAveragePooling2D(name=mean)(x)
    return layers.Dense(asked.classes, activation="softmax", name=name)(x)


def made(asked: Asked, image: Tensor, result: Tensor, name: str, files: tuple[str, str]) -> Model:
    """The model, with its weights.

    Args:
        asked: the arguments.
        image: what the network was applied to.
        result: what it gives.
        name: of the model.
        files: the names of Keras's files of weights, with the classifier and without it.
    """
    inputs = get_source_inputs(image) if asked.input_tensor is not None else [image]
    model = Model(inputs if len(inputs) > 1 else inputs[0], result, name=name)
    if asked.weights is not None:
        file = asked.weights
        model.load_weights(stored(files[not asked.include_top], name) if file == IMAGENET else file)
    return model


def stored(file: str, name: str) -> Path:
    """A file of weights, or of names of classes, in the cache.

    Raises:
        FileNotFoundError: it is not there; the message says where it may be put.
    """
    folders = [config_path().parent / "models", Path.home() / ".keras" / "models"]
    for folder in folders:
        if (folder / file).exists():
            return folder / file
    raise FileNotFoundError(
        f"{name} needs {file}, which is not on this machine, and kbackend downloads nothing. Put Keras's file of this "
        f"name to {folders[0]} or {folders[1]}, give a path as weights, or weights=None for new ones"
    )


def normalized(x: Tensor, name: str | None = None, **options: Any) -> Tensor:
    """Batch normalization over the channels."""
    return layers.BatchNormalization(axis=channel_axis(), name=name, **options)(x)


def relu(x: Tensor, name: str | None = None) -> Tensor:
    """The rectifier, as a layer."""
    return layers.Activation("relu", name=name)(x)


def joined(parts: list[Tensor], name: str | None = None) -> Tensor:
    """Features side by side."""
    return layers.Concatenate(axis=channel_axis(), name=name)(parts)


def padding_before(x: Tensor, kernel: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """The zeros around a picture whose convolution in steps of two has padding 'valid': those of 'same' for odd sizes,
    one less at the beginning for even ones.
    """
    sides = x.shape[2:] if image_data_format() == "channels_first" else x.shape[1:3]
    around = kernel // 2
    rows, columns = (0 if side is None else side % 2 for side in sides)  # unknown sizes count as even ones
    return (around - 1 + rows, around), (around - 1 + columns, around)
