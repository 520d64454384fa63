"""The base of classes whose objects users make: wrong names get the names that may be meant, in the user's words."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from kbackend.ground.arguments import CONSTRUCTORS, Rule, check, misfit, rules_of
from kbackend.ground.suggest import MissingName

_OURS = __name__.partition(".")[0]
#: the classes whose methods have their names
_named: WeakSet[type] = WeakSet()


class Public:
    """Gives its subclasses messages about attributes and arguments that name only what the user named.

    A missing attribute suggests one that is there. Arguments of constructors are compared with the rules of
    :func:`kbackend.ground.arguments.rules_of`. Constructors of kbackend's own classes are named by the class that
    was called, and its methods by themselves: the base class that defines one is nothing a user has heard of.

    >>> class Circle(Public):
    ...     radius = 1.0
    >>> Circle().raduis
    Traceback (most recent call last):
    kbackend.ground.suggest.MissingName: 'Circle' object has no attribute 'raduis'. Did you mean 'radius'?
    """

    @staticmethod
    def _described_as(kind: str, name: Any) -> str:
        """What messages call an object that is not made yet, from its class's name and its ``name`` argument."""
        return kind

    def __init_subclass__(cls, inner: bool = False, **options: Any) -> None:
        """``inner`` is for a class whose constructor gets what that of another class of kbackend has checked."""
        super().__init_subclass__(**options)
        for base in cls.__mro__:
            if base not in _named and _is_ours(base):
                _named.add(base)
                _name_methods(base)
        if _is_ours(cls) and "__init__" in vars(cls) and not inner:
            _check_arguments(cls)

    if not TYPE_CHECKING:  # a type checker is to find missing attributes

        def __getattr__(self, name: str) -> Any:
            found = next((vars(cls)[name] for cls in type(self).__mro__ if name in vars(cls)), None)
            if hasattr(type(found), "__get__"):  # a property that raised AttributeError: its own message counts
                return found.__get__(self, type(self))
            known = lambda: [n for n in dir(self) if not n.startswith("_")]  # noqa: E731
            raise MissingName(f"{type(self).__name__!r} object has no attribute {name!r}", name, known)


def _is_ours(cls: type) -> bool:
    return cls.__module__.partition(".")[0] == _OURS


def _called(kind: type) -> type:
    """The class whose constructor got arguments that do not fit: that of the object, or the one of kbackend that the
    constructor of a user's class calls."""
    first = next(cls for cls in kind.__mro__ if "__init__" in vars(cls))
    return kind if _is_ours(first) else next(cls for cls in kind.__mro__ if _is_ours(cls))


def _name_methods(base: type) -> None:
    """Let Python's messages on the arguments of methods name the methods alone."""
    for name, method in vars(base).items():
        if inspect.isfunction(method) and (name == "__call__" or not name.startswith("__")):
            method.__qualname__ = name


def _arguments_of(method: Callable[..., None]) -> tuple[list[str], dict[str, Rule], int]:
    """The names of the arguments of a constructor, their rules, and the place of the first that has one."""
    parameters = list(inspect.signature(method).parameters.values())[1:]
    names, rules = [p.name for p in parameters if p.kind is not p.VAR_KEYWORD], rules_of(method, CONSTRUCTORS)
    return names, rules, next((place for place, name in enumerate(names) if name in rules), len(names))


def _check_arguments(cls: type) -> None:
    """Let the constructor of a class check its arguments, and say what is wrong where they do not fit."""
    method: Callable[..., None] = vars(cls)["__init__"]

    known: tuple[list[str], dict[str, Rule], int] | None = None

    @wraps(method)
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        nonlocal known
        if known is None:  # at the first call, because most classes are never called
            known = _arguments_of(method)
        names, rules, free = known
        try:
            if rules:
                given_values = (*zip(names, args), *kwargs.items()) if len(args) > free else kwargs.items()
                for name, value in given_values:
                    rule = rules.get(name)
                    if rule is not None and not rule.holds(value):
                        given = {**dict(zip(names, args)), **kwargs}
                        described = self._described_as(_called(type(self)).__name__, given.get("name"))
                        check(described, name, value, rules)
            method(self, *args, **kwargs)
        except TypeError as error:
            explained = misfit(error, _called(type(self)).__name__, method, (self, *args), kwargs)
            if explained is None:
                raise
            raise explained from None

    cls.__init__ = __init__  # type: ignore[misc]


__all__ = ["Public"]
