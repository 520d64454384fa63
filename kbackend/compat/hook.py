"""The import hook: a finder that makes ``keras`` and the modules below it mean kbackend."""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import Any

from kbackend.compat import tree
from kbackend.compat.modules import ROOT, KerasModule, NotCovered, find, forget_assigned, full_name


class KerasFinder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds ``keras`` and what is below it in :mod:`kbackend.compat.tree`.

    A name that is not there raises ImportError from here, so that ``from keras.layers import Name`` gives the reason:
    Python asks for a module of that name before it gives up, and its own message would hide ours.
    """

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        root, _, below = fullname.partition(".")
        if root != ROOT:
            return None
        if below in tree.TREE:
            return importlib.machinery.ModuleSpec(fullname, self, is_package=True)
        raise _not_there(below)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        return module_of(spec.name, spec.name.partition(".")[2])

    def exec_module(self, module: ModuleType) -> None:
        """Nothing is run: a module finds its names when they are read."""


def module_of(name: str, path: str) -> KerasModule:
    """A module of a name that has the contents of one of Keras, by its path below keras."""
    module = KerasModule(name, f"``{full_name(path)}`` of Keras {tree.VERSION}, by kbackend.")
    module._path = path
    if not path:
        vars(module)["__version__"] = tree.VERSION
    return module


def _not_there(below: str) -> ImportError:
    """The error for a module, or a name of a module, that is not in the tree."""
    parent, _, name = below.rpartition(".")
    shown = full_name(below)
    if parent in tree.TREE:
        try:
            find(parent, name)
        except (NotCovered, LookupError, ImportError) as error:
            return ImportError(error.args[0], name=shown)
    return ImportError(f"there is no module {shown} in Keras {tree.VERSION} as kbackend has it", name=shown)


class Installed:
    """The hook while it is installed, and what it replaced.

    Args:
        finder: the finder.
    """

    def __init__(self, finder: Any) -> None:
        self._finder = finder
        self._replaced = _taken_out()
        sys.meta_path.insert(0, finder)

    def remove(self) -> None:
        """Take the finder and its modules away, and put back the modules that were there before."""
        sys.meta_path.remove(self._finder)
        forget_assigned()
        _taken_out()
        sys.modules.update(self._replaced)


def _taken_out() -> dict[str, ModuleType]:
    """All modules of Keras that are loaded, out of ``sys.modules``."""
    names = [name for name in sys.modules if name.partition(".")[0] == ROOT]
    return {name: sys.modules.pop(name) for name in names}
