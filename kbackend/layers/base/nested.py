"""Layers that hold other layers."""

from __future__ import annotations

from typing import Any

from kbackend.layers.base.layer import Layer


class HasLayers(Layer):
    """Base class of layers that build other layers: a call that fails leaves those as they were too."""

    def _state(self) -> Any:
        return super()._state(), [(layer, layer._state()) for layer in self._sublayers()]

    def _restore(self, state: Any) -> None:
        own, inner = state
        super()._restore(own)
        for layer, before in inner:
            layer._restore(before)


__all__ = ["HasLayers"]
