"""The layers in the support matrix: which of them an engine runs, and with which kernels of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from types import FunctionType
from typing import Any

from kbackend import backend as K
from kbackend import layers
from kbackend.declare.op import REGISTRY, Op
from kbackend.plugin.contract import Backend

_PACKAGE = "kbackend.layers."
#: where functions are followed into
_OURS = ("kbackend.ops.", _PACKAGE)


def classes() -> list[type[layers.Layer]]:
    """The layer classes, each once under its own name, by family and name."""
    return sorted(set(layers.built_in().values()), key=lambda kind: (family(kind), kind.__name__))


def family(kind: type[layers.Layer]) -> str:
    """The folder or file of kbackend.layers that a class is in."""
    return kind.__module__.removeprefix(_PACKAGE).split(".")[0]


def ops_of(kind: type[layers.Layer]) -> list[Op]:
    """The primitives and composites that the methods of a class call by name, its base classes' and in functions that
    only arrange arguments, too."""
    stack: list[Any] = [function for base in kind.__mro__ for function in _methods(base)]
    seen: set[Any] = set()
    found: dict[str, Op] = {}
    while stack:
        function = stack.pop()
        if function in seen:
            continue
        seen.add(function)
        for name, called in _called(function):
            op = getattr(called, "op", None)
            if isinstance(op, Op) and op.kind == "derived":
                stack.append(op.function)
                op = REGISTRY.get(name)  # the op that it arranges arguments for may have its name
            if isinstance(op, Op) and op.kind in ("primitive", "composite"):
                found[op.name] = op
            elif isinstance(called, FunctionType) and called.__module__.startswith(_OURS):
                stack.append(called)
    return [found[name] for name in sorted(found)]


def _methods(base: type) -> Iterator[FunctionType]:
    if base.__module__.startswith(_PACKAGE) and not base.__module__.startswith(f"{_PACKAGE}base."):
        yield from (f for f in vars(base).values() if isinstance(f, FunctionType))


def _called(function: FunctionType) -> Iterator[tuple[str, object]]:
    """What the names in a function's code are, those of its module and those of K."""
    names = function.__code__.co_names
    for name in names:
        yield name, function.__globals__.get(name) or ("K" in names and getattr(K, name, None))


def cell(kind: type[layers.Layer], backend: Backend, state: Callable[[Op, Backend], str]) -> str:
    """The support of a layer by a backend: 'yes', with the overrides that it calls; or the ops that are missing.

    Args:
        kind: the class.
        backend: the backend.
        state: the support of an op, see :func:`kbackend.tools.support.state`.
    """
    states = [(op.name, state(op, backend)) for op in ops_of(kind)]
    missing = [f"`{name}` {found}" for name, found in states if found in ("never", "not yet")]
    if missing:
        return f"needs {', '.join(missing)}"
    overrides = [f"`{name}`" for name, found in states if found == "override"]
    return f"yes, {', '.join(overrides)}" if overrides else "yes"


def table(backends: Sequence[Backend], state: Callable[[Op, Backend], str]) -> list[list[str]]:
    """A row for each layer: its name, family, whether it passes masks on, and its support by each backend."""
    return [
        [f"`{kind.__name__}`", family(kind), "yes" if kind.supports_masking else "",
         *(cell(kind, backend, state) for backend in backends)]
        for kind in classes()
    ]  # fmt: skip


__all__ = ["cell", "classes", "family", "ops_of", "table"]
