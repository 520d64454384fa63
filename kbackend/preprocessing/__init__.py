"""Preparation of texts, series and pictures on NumPy, before a model sees them: Keras 2's modules of this name."""

from kbackend.ground.suggest import suggest_in as _suggest_in
from kbackend.preprocessing import image, sequence, text

__all__ = ["image", "sequence", "text"]

_suggest_in(__name__)
