"""Packages whose names are imported when they are first used: a program uses few of them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def late(package: str, places: Mapping[str, str]) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """The functions ``__getattr__`` and ``__dir__`` of a package, which imports its modules when they are needed.

    Imports under ``TYPE_CHECKING`` beside them tell editors and type checkers where the names are.

    Args:
        package: its ``__name__``.
        places: for each of these modules of the package the names in it, with spaces between them.

    >>> get, names = late("json", {"scanner": "make_scanner"})
    >>> callable(get("make_scanner")), "make_scanner" in names(), "loads" in names()
    (True, True, True)
    """
    modules = {name: module for module, names in places.items() for name in names.split()}

    def get(name: str) -> Any:
        if name in places:
            return import_module(f"{package}.{name}")
        if name not in modules:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(import_module(f"{package}.{modules[name]}"), name)
        setattr(sys.modules[package], name, value)
        return value

    def names() -> list[str]:
        return sorted({*vars(sys.modules[package]), *modules, *places})

    return get, names


__all__ = ["late"]
