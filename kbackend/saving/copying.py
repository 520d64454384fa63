"""Copies of models, for pickle and ``copy.deepcopy``."""

from __future__ import annotations

import functools
import sys
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


class Reference:
    """A class or function in a pickle; what pickle cannot find by its name, such as one made inside a function, is left
    out, and a ``custom_object_scope`` around the load has to give it, as for a file.

    Args:
        found: the class or function, None where it was left out.
    """

    def __init__(self, found: Any) -> None:
        self.found = found

    def __reduce__(self) -> Any:
        return Reference, (self.found if _is_importable(self.found) else None,)


def _is_importable(found: Any) -> bool:
    name = getattr(found, "__qualname__", "")
    module = sys.modules.get(getattr(found, "__module__", None) or "")
    try:
        return functools.reduce(getattr, name.split("."), module) is found
    except AttributeError:
        return not name  # an object is pickled by its own means


def references_of(model: Any) -> tuple[bytes, dict[str, Any]]:
    """What :func:`parts_of` gives, for pickle."""
    content, named = parts_of(model)
    inside = {layer.name for layer in Inside(model).layers}
    return content, {name: found if name in inside else Reference(found) for name, found in named.items()}


def model_copy(content: bytes, named: Mapping[str, Any]) -> Any:
    """The model of what :func:`parts_of` or :func:`references_of` gave."""
    known = {name: found.found if isinstance(found, Reference) else found for name, found in named.items()}
    return read_model(memoryview(content), {name: found for name, found in known.items() if found is not None})
