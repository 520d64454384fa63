"""Files of models as Keras 2.3 wrote them, and its questions before one is replaced."""

from __future__ import annotations

import functools
import os
from typing import Any

from kbackend import saving
from kbackend.saving.weights_file import BY_LAYER
from kbackend.utils.io_utils import ask_to_proceed_with_overwrite


def is_of_keras(name: str) -> bool:
    """Whether a model is written as a file of Keras: all names but those that end in ``.kb``."""
    return not name.endswith(".kb")


def form_of(name: str) -> str | None:
    """Weights are written into HDF5 by the names of the layers, but where the name ends in ``.safetensors``."""
    return None if name.endswith(".safetensors") else BY_LAYER


def asking(method: Any) -> Any:
    """``save`` and ``save_weights`` of models, which ask on standard input before they replace a file where
    ``overwrite`` is False, and write nothing where the answer is no."""

    @functools.wraps(method)
    def call(self: Any, path: Any, overwrite: bool = True, *args: Any, **kwargs: Any) -> None:
        is_there = not overwrite and isinstance(path, (str, os.PathLike)) and os.path.exists(path)
        if not is_there or ask_to_proceed_with_overwrite(path):
            method(self, path, True, *args, **kwargs)

    return call


def save_model(model: Any, filepath: Any, overwrite: bool = True, include_optimizer: bool = True) -> None:
    """``model.save(filepath, overwrite, include_optimizer)``."""
    model.save(filepath, overwrite, include_optimizer)


def load_model(filepath: Any, custom_objects: Any = None, compile: bool = True) -> Any:
    """See :func:`kbackend.models.load_model`."""
    return saving.load_model(filepath, custom_objects, compile)


__all__ = ["load_model", "save_model"]
