"""Names of layers."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from kbackend.ground.names import get_uid
from kbackend.ground.public import Public
from kbackend.streams import Owner


@lru_cache(maxsize=1024)
def snake_case(name: str) -> str:
    """``LayerNorm`` -> ``layer_norm``, as Keras names layers.

    >>> snake_case("MaxPooling2D"), snake_case("LSTM"), snake_case("SimpleRNN")
    ('max_pooling2d', 'lstm', 'simple_rnn')
    """
    name = name.lstrip("_") or "layer"
    return re.sub("([a-z])([A-Z])", r"\1_\2", re.sub("(.)([A-Z][a-z0-9]+)", r"\1_\2", name)).lower()


def unique_name(stem: str) -> str:
    """The stem with its next number, as Keras names layers."""
    return f"{stem}_{get_uid(stem)}"


def described(layer: Any) -> str:
    """A layer's name and class, as messages begin."""
    return f"layer {layer.name} ({type(layer).__name__})"


class HasName(Public, inner=True):
    """The part of a layer that names it, and its place in the paths of random draws.

    Raises:
        ValueError: the name is not a non-empty string.
    """

    def __init__(self, name: Any) -> None:
        if name is not None and (not isinstance(name, str) or not name):
            raise ValueError(f"the name of a layer must be a non-empty string, it is {name!r}")
        kind = snake_case(type(self).__name__)
        self.name: str = name or unique_name(kind)
        self._owner = Owner(name, kind)

    @staticmethod
    def _described_as(kind: str, name: Any) -> str:
        return f"layer {name} ({kind})" if isinstance(name, str) and name else kind

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}>"
