"""Layers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kbackend import registry
from kbackend.ground import hooks
from kbackend.ground.suggest import suggest_in as _suggest_in
from kbackend.layers.activation import ELU, LeakyReLU, ReLU, Softmax
from kbackend.layers.attention import MultiHeadAttention
from kbackend.layers.augmentation import (
    RandomBrightness,
    RandomContrast,
    RandomCrop,
    RandomFlip,
    RandomRotation,
    RandomTranslation,
    RandomZoom,
)
from kbackend.layers.base.input import Input, InputLayer
from kbackend.layers.base.layer import Layer
from kbackend.layers.base.spec import InputSpec
from kbackend.layers.convolution import Conv1D, Conv2D, Convolution1D, Convolution2D
from kbackend.layers.core import (
    Activation,
    Dense,
    Flatten,
    Lambda,
    Permute,
    RepeatVector,
    Reshape,
)
from kbackend.layers.embedding import Embedding
from kbackend.layers.masking import Masking
from kbackend.layers.merge import (
    Add,
    Average,
    Concatenate,
    Dot,
    Maximum,
    Minimum,
    Multiply,
    Subtract,
    add,
    average,
    concatenate,
    dot,
    maximum,
    minimum,
    multiply,
    subtract,
)
from kbackend.layers.normalization import BatchNormalization, LayerNormalization
from kbackend.layers.pooling import (
    AveragePooling2D,
    AvgPool2D,
    GlobalAveragePooling1D,
    GlobalAveragePooling2D,
    GlobalAvgPool1D,
    GlobalAvgPool2D,
    GlobalMaxPool2D,
    GlobalMaxPooling2D,
    MaxPool2D,
    MaxPooling2D,
)
from kbackend.layers.recurrent import LSTM, SimpleRNN
from kbackend.layers.regularization import (
    ActivityRegularization,
    AlphaDropout,
    Dropout,
    GaussianDropout,
    GaussianNoise,
    SpatialDropout1D,
    SpatialDropout2D,
    SpatialDropout3D,
)

__all__ = [
    "ELU",
    "LSTM",
    "Activation",
    "ActivityRegularization",
    "Add",
    "AlphaDropout",
    "Average",
    "AveragePooling2D",
    "AvgPool2D",
    "BatchNormalization",
    "Concatenate",
    "Conv1D",
    "Conv2D",
    "Convolution1D",
    "Convolution2D",
    "Dense",
    "Dot",
    "Dropout",
    "Embedding",
    "Flatten",
    "GaussianDropout",
    "GaussianNoise",
    "GlobalAveragePooling1D",
    "GlobalAveragePooling2D",
    "GlobalAvgPool1D",
    "GlobalAvgPool2D",
    "GlobalMaxPool2D",
    "GlobalMaxPooling2D",
    "Input",
    "InputLayer",
    "InputSpec",
    "Lambda",
    "Layer",
    "LayerNormalization",
    "LeakyReLU",
    "Masking",
    "MaxPool2D",
    "MaxPooling2D",
    "Maximum",
    "Minimum",
    "MultiHeadAttention",
    "Multiply",
    "Permute",
    "RandomBrightness",
    "RandomContrast",
    "RandomCrop",
    "RandomFlip",
    "RandomRotation",
    "RandomTranslation",
    "RandomZoom",
    "ReLU",
    "RepeatVector",
    "Reshape",
    "SimpleRNN",
    "Softmax",
    "SpatialDropout1D",
    "SpatialDropout2D",
    "SpatialDropout3D",
    "Subtract",
    "add",
    "average",
    "concatenate",
    "deserialize",
    "dot",
    "maximum",
    "minimum",
    "multiply",
    "serialize",
    "subtract",
]


def _builtin() -> dict[str, Any]:
    classes = {k: v for k, v in globals().items() if isinstance(v, type) and issubclass(v, Layer)}
    return classes | hooks.model_classes.load()


def serialize(layer: Layer) -> dict[str, Any]:
    """A layer as ``{"class_name": ..., "config": ...}``, plain values without weights."""
    return {"class_name": registry.registered_name(type(layer)), "config": layer.get_config()}


def deserialize(config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Any:
    """A layer from what :func:`serialize` gave.

    Raises:
        ValueError: a class that is neither built in nor registered nor in ``custom_objects``, or no configuration.

    >>> from kbackend import layers
    >>> layers.deserialize(layers.serialize(layers.Dense(3, name="d"))).units
    3
    """
    if not isinstance(config, Mapping) or not {"class_name", "config"} <= config.keys():
        raise ValueError(f'a layer is an object with "class_name" and "config", not {str(config)[:80]}')
    with registry.custom_object_scope(custom_objects):
        found = registry.find(config["class_name"], _builtin(), "layer")
        return found.from_config(config["config"])

_suggest_in(__name__)
