"""All layers, a file a family; each family lists its public names in ``__all__``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kbackend import registry
from kbackend.ground import hooks
from kbackend.ground.suggest import suggest_in as _suggest_in
from kbackend.layers.activation import *
from kbackend.layers.attention import *
from kbackend.layers.augmentation import *
from kbackend.layers.base.input import Input, InputLayer
from kbackend.layers.base.layer import Layer
from kbackend.layers.base.spec import InputSpec
from kbackend.layers.convolution import *
from kbackend.layers.core import *
from kbackend.layers.embedding import *
from kbackend.layers.masking import *
from kbackend.layers.merge import *
from kbackend.layers.normalization import *
from kbackend.layers.pooling import *
from kbackend.layers.recurrent import *
from kbackend.layers.regularization import *


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
