"""What is compared: an engine on a device, with or without its compiler, in a dtype."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from kbackend import dtypes
from kbackend.plugin import select
from kbackend.plugin.contract import Target
from kbackend.plugin.discover import available_backends


@dataclass(frozen=True)
class Side:
    """One of the compared ways to run a graph.

    Attributes:
        name: as it was given: 'torch', 'torch:cuda', 'tensorflow+jit', 'torch+float16'.
        target: the engine and device.
        jit: whether the engine's compiler takes part.
        dtype: the dtype that floats of the graph have on this side; None for their own.
    """

    name: str
    target: Target
    jit: bool = False
    dtype: str | None = None


def sides_of(engines: str | Sequence[str | Side] | None) -> list[Side]:
    """The sides that names stand for.

    Args:
        engines: names, or one text with commas. A name is an engine, and may have a device after a colon and, after
            plus signs, 'jit' and a float dtype; or a Side, for a backend that is not installed under a name. None: all
            installed engines.

    Raises:
        ValueError: fewer than two, one twice, or a part of a name that has no meaning.
        BackendError: an engine that is not installed.
    """
    given = available_backends() if engines is None else engines
    listed = [n.strip() for n in given.split(",")] if isinstance(given, str) else list(given)
    names = [str(getattr(n, "name", n)) for n in listed]
    if len(names) < 2 or len(set(names)) < len(names):
        shown = ", ".join(names) or "none"
        raise ValueError(f"a comparison needs two different engines or more, it was given {shown}")
    return [n if isinstance(n, Side) else _side(n) for n in listed]


def _side(name: str) -> Side:
    where, *parts = name.split("+")
    engine, _, device = where.partition(":")
    options: dict[str, Any] = {}
    for part in parts:
        if part == "jit":
            options["jit"] = True
        elif dtypes.is_float(part):
            options["dtype"] = part
        else:
            raise ValueError(f"{name!r}: after a plus sign stands 'jit' or a float dtype, not {part!r}")
    return Side(name, select.target(engine, device or None), **options)
