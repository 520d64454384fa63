"""Computation in a wider dtype than that of the operand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kbackend.declare.call import dtype_of
from kbackend.declare.rules import is_small
from kbackend.ops.core.cast import cast


def computed_in(dtype: str, body: Callable[[Any], Any], x: Any) -> Any:
    """``body(x)`` computed in another dtype and rounded to x's."""
    own = dtype_of(x)
    return body(x) if own == dtype else cast(body(cast(x, dtype)), own)


def precise(x: Any, body: Callable[[Any], Any]) -> Any:
    """``body(x)``, in float32 where x is a smaller float."""
    return computed_in("float32", body, x) if is_small(x) else body(x)
