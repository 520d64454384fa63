"""Files that commands read and write: models, structures, weights."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from kbackend.tools.arguments import file_name

#: ends of files that hold weights and no structure
WEIGHTS = (".weights.h5", ".safetensors")
#: ends of files that hold a structure and no weights
STRUCTURES = (".json", ".yaml", ".yml")
MODELS = (".kb", ".keras", ".h5", ".hdf5")


def add_model(parser: argparse.ArgumentParser, **options: Any) -> None:
    """The argument ``model``."""
    parser.add_argument("model", type=file_name, help="a model: .kb, .keras, .h5, or .json without weights", **options)


def read_model(path: Path) -> Any:
    """The model in a file; one that holds only its structure gives it fresh weights.

    Raises:
        FormatError: no model; the message says why.
        OSError: no file.
    """
    from kbackend import models
    from kbackend.saving.errors import FormatError

    if is_weights(path):
        raise ValueError(f"{path} holds weights without a model: kbackend convert --into MODEL puts them into one")
    if path.suffix not in STRUCTURES:
        return models.load_model(path)
    read = models.model_from_json if path.suffix == ".json" else models.model_from_yaml
    try:
        return read(path.read_text(encoding="utf-8"))
    except (FormatError, UnicodeDecodeError) as error:
        raise FormatError(f"{path}: {error}") from error


def is_weights(path: Path) -> bool:
    """Whether a file holds weights alone, by the end of its name."""
    return path.name.endswith(WEIGHTS)


__all__ = ["MODELS", "STRUCTURES", "WEIGHTS", "add_model", "is_weights", "read_model"]
