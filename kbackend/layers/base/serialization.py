"""Layers as plain values: their class and the arguments of the constructor."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kbackend import registry
from kbackend.ground import hooks
from kbackend.layers.base.layer import Layer


def serialize(layer: Layer) -> dict[str, Any]:
    """A layer as ``{"class_name": ..., "config": ...}``, plain values without weights.

    Args:
        layer: a built or unbuilt layer.

    >>> from kbackend import layers
    >>> layers.serialize(layers.Flatten(name="flat"))["class_name"]
    'Flatten'
    """
    return {"class_name": registry.registered_name(type(layer)), "config": layer.get_config()}


def deserialize(config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Any:
    """A layer from what :func:`serialize` gave.

    Args:
        config: the mapping.
        custom_objects: name -> class or function, known in addition.

    Raises:
        ValueError: a class that is neither built in nor registered nor in ``custom_objects``, or no configuration.

    >>> from kbackend import layers
    >>> layers.deserialize(layers.serialize(layers.Dense(3, name="d"))).units
    3
    """
    if not isinstance(config, Mapping) or not {"class_name", "config"} <= config.keys():
        raise ValueError(f'a layer is an object with "class_name" and "config", not {str(config)[:80]}')
    with registry.custom_object_scope(custom_objects):
        known = hooks.layer_classes() | hooks.model_classes.load()
        return registry.find(config["class_name"], known, "layer").from_config(config["config"])


__all__ = ["deserialize", "serialize"]
