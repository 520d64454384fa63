"""The formats of an engine that programs can leave in."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from kbackend.plugin.exporting.spelling import Spelling


@dataclass(frozen=True)
class Leaving:
    """A model that leaves in a format of its engine.

    Attributes:
        name: of the model.
        model: what ``load()`` of the written program gives.
        inputs: name of an input -> its shape, with None for unknown sizes, and its dtype.
        updated: whether a prediction changes weights.
    """

    name: str
    model: Any
    inputs: Mapping[str, tuple[tuple[int | None, ...], str]]
    updated: bool


class NotExportable(ValueError):
    """A format cannot hold a model; the message says why.

    Args:
        reason: the message.
        trace: lines ``File "...", line ..., in ...`` of the engine, which lead into the program.
    """

    def __init__(self, reason: str, trace: str = "") -> None:
        super().__init__(reason)
        self.trace = trace


@dataclass(frozen=True)
class Exporting:
    """How programs of an engine leave.

    Attributes:
        spelling: how they are written.
        formats: name of a format -> function of a model and a path that writes it.
        spellings: name of a format -> how the programs are written that are made into it, where it is another way.
    """

    spelling: Spelling
    formats: Mapping[str, Callable[[Leaving, str], None]] = field(default_factory=dict)
    spellings: Mapping[str, Spelling] = field(default_factory=dict)


def needed(module: str, purpose: str) -> Any:
    """A module of an optional package.

    Raises:
        ImportError: it is not installed; the message says what to install.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        if (error.name or "").partition(".")[0] != module.partition(".")[0]:
            raise
        raise ImportError(f"{purpose} needs the package {module}: pip install 'kbackend[export]'") from None
