"""Warnings that name the line outside kbackend that led to them."""

from __future__ import annotations

import sys
import warnings

#: packages and modules that are passed over: decorators and contexts add frames of their own
_INSIDE = ("kbackend", "contextlib", "functools")


def warn_caller(message: str, category: type[Warning] = UserWarning) -> None:
    """``warnings.warn`` for the first caller that is not in kbackend, however deep the call is inside."""
    level, frame = 1, sys._getframe()
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] in _INSIDE:
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level)
