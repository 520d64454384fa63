"""Copies of models, for pickle and ``copy.deepcopy``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kbackend.layers import Lambda, TFSMLayer
from kbackend.layers.base.inside import Inside
from kbackend.layers.core.module import CopyOf, EngineModule
from kbackend.registry import naming
from kbackend.saving.model_file import model_bytes, read_model


def parts_of(model: Any) -> tuple[bytes, dict[str, Any]]:
    """The file of a model, and the classes and functions outside kbackend that it names.

    Raises:
        ValueError, TypeError: the model has no plain form.
    """
    with naming() as named:
        content = model_bytes(model)
    # several functions may be called <lambda>, and classes need arguments: these are found by the names of the layers
    inside = Inside(model).layers
    own = {layer.name: layer.function for layer in inside if isinstance(layer, Lambda)}
    own |= {layer.name: _again(layer) for layer in inside if isinstance(layer, EngineModule)}
    return content, {**{name: found for name, found in named.items() if found is not None}, **own}


def _again(layer: EngineModule) -> Any:
    """What makes the module of a layer once more: its folder, or a copy of it."""
    return Path(layer.filepath) if isinstance(layer, TFSMLayer) else CopyOf(layer.module)


def model_copy(content: bytes, named: Mapping[str, Any]) -> Any:
    """The model of what :func:`parts_of` gave."""
    return read_model(memoryview(content), named)
