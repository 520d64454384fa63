"""The modules that stand for those of Keras: each finds its names in modules of kbackend when they are first read."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from types import ModuleType
from typing import Any

from kbackend import registry
from kbackend.compat.refused import PRIVATE, REFUSED, Refusal
from kbackend.compat.tree import TREE, Entry
from kbackend.ground.suggest import did_you_mean

ROOT = "keras"
#: names that assignments to modules made known to configurations
_assigned: set[str] = set()


class NotCovered(AttributeError):
    """A name of Keras 1 or 2 that kbackend does not have; the message says why and what to write."""


def entry_of(path: str) -> Entry | None:
    """The entry of a module, by its path below keras: '' is keras itself, 'layers.core' is keras.layers.core."""
    return TREE.get(path)


def sources_of(path: str) -> Iterator[ModuleType]:
    """The modules of kbackend in which the names of a module of Keras are.

    Raises:
        ImportError: the only one that the table names is not there.
    """
    sources = TREE[path].sources
    for name in sources:
        try:
            yield importlib.import_module(name)
        except ModuleNotFoundError as error:
            if error.name is None or not f"{name}.".startswith(f"{error.name}."):
                raise  # a package that the module needs, such as Pillow
            if len(sources) > 1:
                continue
            lacking = f"{full_name(path)} needs {name}, which this kbackend does not have"
            raise ImportError(lacking, name=full_name(path)) from None


def refusal_of(path: str, name: str) -> Refusal | None:
    """Why a name of a module is not covered; None where it is no name of Keras that is known to be left out."""
    entry = entry_of(path)
    family = entry.family if entry is not None else path
    return REFUSED.get(family, {}).get(name)


def find(path: str, name: str) -> Any:
    """What a name of a module of Keras means.

    Args:
        path: of the module, see :func:`entry_of`.
        name: the name.

    Raises:
        NotCovered: it is known to be left out; the message has the reason. Functions that exist to say so, such as
            ``K.get_session``, are found, and raise when they are called.
        LookupError: there is no such name; the message has the name that may be meant.
        ImportError: the module of kbackend with the contents is not there.
    """
    entry = TREE[path]
    if name in entry.own:
        module, _, attribute = entry.own[name].partition(":")
        return getattr(importlib.import_module(module), attribute)
    for source in sources_of(path):
        if name in vars(source) or hasattr(source, name):
            return getattr(source, name)
    refusal = refusal_of(path, name)
    if refusal is None and name.startswith("_") and not name.startswith("__"):
        refusal = PRIVATE
    if refusal is not None:
        raise NotCovered(refusal.text(full_name(path, name)))
    raise LookupError(f"{full_name(path)} has no {name!r} in kbackend.{did_you_mean(name, names_of(path))}".rstrip("."))


def names_of(path: str) -> list[str]:
    """The public names of a module, sorted."""
    entry = TREE[path]
    found = set(entry.own)
    for source in sources_of(path):
        found |= set(getattr(source, "__all__", None) or (n for n, v in vars(source).items() if _is_public(n, v)))
    return sorted(found)


def _is_public(name: str, value: Any) -> bool:
    """Whether a module without ``__all__`` has a name for its users."""
    origin = str(getattr(value, "__module__", ""))
    return not (name.startswith("_") or isinstance(value, ModuleType) or origin.startswith(("kbackend.ground", "__")))


def children_of(path: str) -> list[str]:
    """The last parts of the names of the modules below one."""
    start = f"{path}." if path else ""
    return sorted(p[len(start) :] for p in TREE if p and p.startswith(start) and "." not in p[len(start) :])


def full_name(path: str, name: str = "") -> str:
    return ".".join(part for part in (ROOT, path, name) if part)


class KerasModule(ModuleType):
    """A module of Keras 2's name. ``_path`` is its path below keras.

    What a program assigns stays with the module; functions and classes become known to configurations too, as with
    ``keras.losses.own = own`` before ``load_model``.
    """

    _path: str

    def __getattr__(self, name: str) -> Any:
        if name == "__all__":
            return names_of(self._path)
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        if name in children_of(self._path):
            return importlib.import_module(f"{self.__name__}.{name}")
        try:
            value = find(self._path, name)
        except LookupError as error:
            raise AttributeError(error.args[0]) from None
        self.__dict__[name] = value
        return value

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        module, _, name = TREE[self._path].called.partition(":")
        if not module:
            raise TypeError(f"the module {self.__name__} cannot be called")
        return getattr(importlib.import_module(module), name)(*args, **kwargs)

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        known = registry.registered()
        if callable(value) and not isinstance(value, ModuleType) and not name.startswith("_") and name not in known:
            known[name] = value
            _assigned.add(name)

    def __dir__(self) -> list[str]:
        return sorted({*vars(self), *names_of(self._path), *children_of(self._path)})

    def __repr__(self) -> str:
        return f"<module {self.__name__!r} of Keras 2 by kbackend.compat>"


def forget_assigned() -> None:
    """Make configurations forget what was assigned to modules."""
    while _assigned:
        registry.registered().pop(_assigned.pop(), None)
