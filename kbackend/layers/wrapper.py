"""Layers around a layer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kbackend.layers.arguments import described
from kbackend.layers.base.layer import Layer
from kbackend.layers.base.nested import HasLayers
from kbackend.layers.base.serialization import deserialize, serialize


class Wrapper(HasLayers):
    """Base class of layers that change what another layer does; by itself it calls the layer.

    Args:
        layer: the layer. Its weights are those of the wrapper.

    Shapes: those of the layer.

    Raises:
        TypeError: it is not a layer.

    >>> from kbackend import Input, layers
    >>> class Twice(layers.Wrapper):
    ...     def call(self, inputs):
    ...         return self.layer(self.layer(inputs))
    >>> Twice(layers.Dense(3))(Input((3,))).shape
    (None, 3)
    """

    def __init__(self, layer: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not isinstance(layer, Layer):
            raise TypeError(f"{described(self)} needs a layer, it was given {layer!r}")
        self.layer = layer
        self.supports_masking = layer.supports_masking

    def call(self, inputs: Any, **kwargs: Any) -> Any:
        return self.layer(inputs, **kwargs)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return self.layer.compute_mask(inputs, mask)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "layer": serialize(self.layer)}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Any:
        layer = config["layer"]
        return cls(**{**config, "layer": layer if isinstance(layer, Layer) else deserialize(layer)})

    def _twin(self, **changes: Any) -> Any:
        return super()._twin(layer=self.layer._twin(), **changes)


__all__ = ["Wrapper"]
