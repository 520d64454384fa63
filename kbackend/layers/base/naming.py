"""Automatic names of layers."""

from __future__ import annotations

import re

from kbackend.ground.names import get_uid


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
