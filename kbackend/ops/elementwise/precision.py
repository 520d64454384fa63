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


def wide_dtype(dtype: str) -> str:
    """The dtype in which sums of a dtype are accumulated: float32 for 16-bit floats."""
    return "float32" if dtype in ("float16", "bfloat16") else dtype


def as_dtype(x: Any, dtype: str) -> Any:
    """``x`` itself if it has the dtype, so that lowering sees the op that made it; else a cast of it."""
    return x if dtype_of(x) == dtype else cast(x, dtype)
