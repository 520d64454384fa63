"""Changes that the hook makes to classes and functions of kbackend, each of which can be undone."""

from __future__ import annotations

import functools
import importlib
import inspect
import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

Undo = Callable[[], None]
_MISSING: Any = object()


def named(where: str) -> Any:
    """What ``module:attribute`` or ``module:Class.method`` names."""
    module, _, path = where.partition(":")
    return functools.reduce(getattr, path.split("."), importlib.import_module(module))


def _method(where: str) -> tuple[Any, str]:
    """The class or module that has a function, and its name there; the constructor where a class is named."""
    if isinstance(named(where), type):
        return named(where), "__init__"
    module, _, path = where.partition(":")
    above, _, name = path.rpartition(".")
    return (named(f"{module}:{above}") if above else importlib.import_module(module)), name


def _set(owner: Any, name: str, value: Any) -> Undo:
    """Set an attribute of a class or module; the undo puts back what it had of its own."""
    before = vars(owner).get(name, _MISSING)
    setattr(owner, name, value)
    return lambda: delattr(owner, name) if before is _MISSING else setattr(owner, name, before)


class Default(NamedTuple):
    """The default of an argument.

    Attributes:
        where: a function, or a class for its constructor, as ``module:name``.
        argument: its name.
        value: the default in Keras 2.3.
    """

    where: str
    argument: str
    value: Any

    def apply(self) -> Undo:
        """Make it the default, for subclasses too that pass it on."""
        owner, name = _method(self.where)
        function = inspect.unwrap(getattr(owner, name))
        before = function.__defaults__
        names = [p.name for p in inspect.signature(function).parameters.values() if p.default is not p.empty]
        place = names.index(self.argument)
        function.__defaults__ = (*before[:place], self.value, *before[place + 1 :])
        told = self._tell(owner)

        def undo() -> None:
            function.__defaults__ = before
            told()

        return undo

    def _tell(self, owner: Any) -> Undo:
        """Change the signature that a class shows of itself, where it has one."""
        shown = vars(owner).get("__signature__")
        if not isinstance(owner, type) or shown is None:
            return lambda: None
        changed = [p.replace(default=self.value) if p.name == self.argument else p for p in shown.parameters.values()]
        return _set(owner, "__signature__", shown.replace(parameters=changed))


class Attribute(NamedTuple):
    """An attribute of a class or module, added or replaced.

    Attributes:
        where: the class or module; ``module:`` is the module itself.
        name: of the attribute.
        value: what it becomes, as ``module:name``.
    """

    where: str
    name: str
    value: str

    def apply(self) -> Undo:
        module, _, path = self.where.partition(":")
        return _set(named(self.where) if path else importlib.import_module(module), self.name, named(self.value))


class Wrapped(NamedTuple):
    """A method, or a constructor, around which a function is put.

    Attributes:
        where: the method as ``module:Class.method``.
        around: a function that is given the method and returns the new one, as ``module:name``.
    """

    where: str
    around: str

    def apply(self) -> Undo:
        owner, name = _method(self.where)
        return _set(owner, name, named(self.around)(getattr(owner, name)))


class Positions(NamedTuple):
    """The order of the arguments that a constructor or method takes by position.

    Attributes:
        where: a class, or a method as ``module:Class.method``.
        names: the names in the order of Keras 2.3.
    """

    where: str
    names: tuple[str, ...]

    def apply(self) -> Undo:
        owner, name = _method(self.where)
        return _set(owner, name, _reordered(getattr(owner, name), self.names))


class Window(NamedTuple):
    """A constructor that takes as many integers after the number of filters as a window has dimensions for its size,
    as Keras 2 did for programs of Keras 1.

    Attributes:
        where: a class.
        rank: the number of dimensions.
    """

    where: str
    rank: int

    def apply(self) -> Undo:
        owner, name = _method(self.where)
        return _set(owner, name, _with_window(getattr(owner, name), self.rank))


class Renamed(NamedTuple):
    """Arguments that had other names.

    Attributes:
        where: a class, or a method as ``module:Class.method``.
        names: old name -> name.
        keras: 1 where they are spellings of Keras 1, which give a DeprecationWarning; 2 where they are Keras 2.3's own.
    """

    where: str
    names: Mapping[str, str]
    keras: int = 1

    def apply(self) -> Undo:
        owner, name = _method(self.where)
        return _set(owner, name, renamed(getattr(owner, name), self.names, self.keras))


Change = Default | Attribute | Wrapped | Positions | Window | Renamed


def _reordered(method: Callable[..., Any], names: Sequence[str]) -> Callable[..., Any]:
    """A method that takes the arguments of programs in another order; calls by kbackend itself keep its own."""

    @functools.wraps(method)
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        if _called_by_kbackend():
            return method(self, *args, **kwargs)
        given = dict(zip(names, args))
        if given.keys() & kwargs.keys() or len(args) > len(names):
            return method(self, *args, **kwargs)  # its own message says what is wrong
        return method(self, **given, **kwargs)

    return call


def _called_by_kbackend() -> bool:
    """Whether the call of a function of this module comes from kbackend, other functions of this module left out."""
    frame = sys._getframe(2)
    while frame.f_globals.get("__name__") == __name__ and frame.f_back is not None:
        frame = frame.f_back
    return str(frame.f_globals.get("__name__", "")).partition(".")[0] == "kbackend"


def _with_window(method: Callable[..., Any], rank: int) -> Callable[..., Any]:
    """A constructor for which ``(filters, 3, 3)`` is a window; calls by kbackend itself keep strides.

    Raises:
        ValueError: strides, padding or data_format are given too, of which the first shows that the second integer is
            no stride, and the others that it may be one.
    """

    @functools.wraps(method)
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        sizes = args[1:]
        if len(sizes) != rank or not all(type(size) is int for size in sizes) or _called_by_kbackend():
            return method(self, *args, **kwargs)
        unclear = sorted(kwargs.keys() & {"padding", "strides", "data_format"})
        kind, shown, window = type(self).__name__, ", ".join(map(str, sizes)), " by ".join(map(str, sizes))
        if unclear:
            raise ValueError(
                f"{kind}({args[0]}, {shown}, {unclear[0]}=...) is a window of {window} in Keras 1 "
                f"and one of {sizes[0]} with strides in Keras 3; write {kind}({args[0]}, ({shown})) or strides="
            )
        old = f"{kind}({args[0]}, {shown})"
        warnings.warn(
            f"{old} is a spelling of Keras 1; write {kind}({args[0]}, ({shown}))", DeprecationWarning, stacklevel=2
        )
        return method(self, args[0], sizes, **kwargs)

    return call


def renamed(method: Callable[..., Any], names: Mapping[str, str], keras: int = 1) -> Callable[..., Any]:
    """A method that takes arguments under old names too; for those of Keras 1 a DeprecationWarning has the new ones.

    Raises:
        TypeError: when it is called with an argument under both names.
    """

    @functools.wraps(method)
    def call(*args: Any, **kwargs: Any) -> Any:
        old = kwargs.keys() & names.keys()
        if not old:
            return method(*args, **kwargs)
        for name in old:
            new = names[name]
            if new in kwargs:
                raise TypeError(f"{method.__qualname__} got {new} twice, also as {name}")
            if keras == 1:
                warnings.warn(f"{name}= is a spelling of Keras 1; write {new}=", DeprecationWarning, stacklevel=2)
            kwargs[new] = kwargs.pop(name)
        return method(*args, **kwargs)

    return call


def apply(changes: Sequence[Change]) -> Undo:
    """Make changes in their order, all or none; the undo takes them back in the opposite order."""
    undo: list[Undo] = []

    def back() -> None:
        while undo:
            undo.pop()()

    try:
        for change in changes:
            undo.append(change.apply())
    except BaseException:
        back()
        raise
    return back


__all__ = [
    "Attribute", "Change", "Default", "Positions", "Renamed", "Undo", "Window", "Wrapped", "apply", "named", "renamed",
]  # fmt: skip
