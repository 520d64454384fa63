"""Small data sets that come with the package."""

from kbackend.datasets import digits
from kbackend.ground.suggest import suggest_in as _suggest_in

__all__ = ["digits"]

_suggest_in(__name__)
