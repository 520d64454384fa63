"""Errors that torch raises while a kernel runs, as the exceptions that all engines raise."""

from __future__ import annotations

import re

_SHAPES = re.compile(
    r"size of tensor|shapes? cannot be multiplied|is invalid for input of size|[Ss]izes of tensors must match|"
    r"expects each tensor to be equal size|expanded size of the tensor|must match the size|"
    r"inconsistent tensor size|expected to have size|negative dimension|invalid shape dimension|"
    r"[Ee]xpected .* (size|shape|dim)|split_with_sizes|is not broadcastable|number of sizes provided|"
    r"output size is too small|[Kk]ernel size can't be greater|[Gg]iven groups"
)
_PLACES = re.compile(r"index \S+ (is )?out of (bounds|range)|out of bounds for dimension")


def translated(error: RuntimeError) -> Exception | None:
    """The exception for a RuntimeError about shapes or positions; None for all others, and those of subclasses."""
    if type(error) is not RuntimeError:
        return None
    text = str(error).splitlines()[0] if str(error) else ""
    kind = IndexError if _PLACES.search(text) else ValueError if _SHAPES.search(text) else None
    return None if kind is None else kind(text)
