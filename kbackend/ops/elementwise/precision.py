"""Computation in another dtype than that of the operand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kbackend.declare.call import dtype_of
from kbackend.declare.rules import is_small
from kbackend.ops.core.cast import cast


def computed_in(dtype: str, body: Callable[[Any], Any], x: Any) -> Any:
    """``body(x)`` computed in ``dtype`` and cast to the dtype of ``x``."""
    own = dtype_of(x)
    return body(x) if own == dtype else cast(body(cast(x, dtype)), own)


def precise(x: Any, body: Callable[[Any], Any]) -> Any:
    """``body(x)``, computed in float32 where ``x`` is float16 or bfloat16."""
    return computed_in("float32", body, x) if is_small(x) else body(x)
