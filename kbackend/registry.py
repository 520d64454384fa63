"""Names for objects in configurations: built-in ones, registered ones, and what the caller passes in.

Nothing is ever imported because a configuration names it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

import numpy as np

from kbackend.graph.tensor import Tensor
from kbackend.graph.variable import Variable
from kbackend.ground.suggest import did_you_mean

T = TypeVar("T")

_registered: dict[str, Any] = {}
_named: ContextVar[dict[str, Any] | None] = ContextVar("kbackend_named_objects", default=None)
_passed: ContextVar[Mapping[str, Any] | None] = ContextVar("kbackend_custom_objects", default=None)


def check_named(custom_objects: Mapping[str, Any] | None) -> dict[str, Any]:
    """What ``custom_objects`` holds.

    Raises:
        TypeError: no mapping of names.
    """
    if custom_objects is None:
        return {}
    if not isinstance(custom_objects, Mapping) or not all(isinstance(name, str) for name in custom_objects):
        raise TypeError(f"custom_objects must map names to classes and functions, it is {custom_objects!r:.80}")
    return dict(custom_objects)


class custom_object_scope:
    """A context in which configurations may name the given objects.

    Args:
        custom_objects: name -> class or function.

    >>> from kbackend import layers
    >>> class Twice(layers.Layer):
    ...     def call(self, inputs):
    ...         return inputs * 2
    >>> config = layers.serialize(Twice(name="t"))
    >>> with custom_object_scope({"Twice": Twice}):
    ...     layers.deserialize(config)
    <Twice 't'>
    """

    def __init__(self, custom_objects: Mapping[str, Any] | None) -> None:
        self._objects = check_named(custom_objects)

    def __enter__(self) -> None:
        self._token = _passed.set({**(_passed.get() or {}), **self._objects})

    def __exit__(self, *exc: Any) -> None:
        _passed.reset(self._token)


def register(name: str | None = None) -> Callable[[T], T]:
    """A decorator that makes a class or function known to configurations, under its own name unless one is
    given.

    Raises:
        ValueError: another object has the name.
    """

    def add(value: T) -> T:
        key = name or value.__name__  # type: ignore[attr-defined]
        if _registered.setdefault(key, value) is not value:
            raise ValueError(f"the name {key!r} is registered already, for {_registered[key]!r}")
        return value

    return add


def registered_name(value: Any) -> str:
    """The name by which configurations refer to a class or function."""
    name = next((k for k, v in _registered.items() if v is value), None) or value.__name__
    named = _named.get()
    if named is not None and not str(getattr(value, "__module__", "")).startswith(f"{__package__}."):
        named[name] = value if named.setdefault(name, value) is value else None
    return name


@contextmanager
def naming() -> Iterator[dict[str, Any]]:
    """A context that gives the classes and functions outside kbackend that configurations written in it refer to; None
    for a name that several have."""
    found: dict[str, Any] = {}
    token = _named.set(found)
    try:
        yield found
    finally:
        _named.reset(token)


def registered() -> dict[str, Any]:
    """The table of registered names itself: what is put into it, configurations may name."""
    return _registered


def passed() -> Mapping[str, Any]:
    """What the scopes around give names to."""
    return _passed.get() or {}


def is_known(name: str, builtin: Mapping[str, Any]) -> bool:
    """Whether :func:`find` finds a name."""
    return any(name in table for table in (_passed.get() or {}, _registered, builtin))


def find(name: str, builtin: Mapping[str, Any], kind: str) -> Any:
    """The object of a name: passed in, registered, or built in.

    Raises:
        ValueError: unknown; the message says how to make it known.
    """
    for table in (_passed.get(), _registered, builtin):
        if table and name in table:
            return table[name]
    added = {k: v for k, v in _registered.items() if not str(getattr(v, "__module__", "")).startswith("kbackend.")}
    known = {**builtin, **added, **(_passed.get() or {})}
    raise unknown(kind, name, known, "; pass it in custom_objects or register it")


def unknown(kind: str, name: Any, known: Iterable[str], advice: str = "") -> ValueError:
    """The error for a name that is not known, with the name that may be meant and those that are.

    Args:
        kind: what the name is of: "loss", "layer".
        name: what was given.
        known: the names.
        advice: for the end of the first sentence.

    >>> str(unknown("loss", "mee", ["mse", "mae"]))
    "unknown loss 'mee'. Did you mean 'mse'? Known are: mae, mse"
    """
    names = list(known)
    return ValueError(
        f"unknown {kind} {name!r}{advice}.{did_you_mean(name, names)} Known are: {', '.join(sorted(names))}"
    )


def make(identifier: Any, builtin: Mapping[str, Any], kind: str) -> Any:
    """An object from a name or a configuration ``{"class_name": ..., "config": {...}}``; classes are
    instantiated.

    Raises:
        ValueError: an unknown name.
        TypeError: neither a name nor a configuration.
    """
    if isinstance(identifier, str):
        found = find(identifier, builtin, kind)
        return found() if isinstance(found, type) else found
    if isinstance(identifier, Mapping) and isinstance(identifier.get("class_name"), str):
        found = find(identifier["class_name"], builtin, kind)
        settings = identifier.get("config", {})
        if hasattr(found, "from_config"):
            return found.from_config(settings)
        return found(**settings) if settings or isinstance(found, type) else found
    article = "an" if kind[0] in "aeiou" else "a"
    raise TypeError(f"{article} {kind} must be a name, a configuration or an object, not {identifier!r}")


def text(value: Any) -> str:
    """An object with a configuration as a call of its class: ``L1L2(l1=0.0, l2=0.01)``; what is None is left out."""
    settings = {k: v for k, v in value.get_config().items() if v is not None}
    return f"{type(value).__name__}({', '.join(f'{k}={v!r}' for k, v in settings.items())})"


def settings_text(config: Mapping[str, Any]) -> str:
    """A configuration in a line, without what is off (None, False, 0.0) and with the classes of objects inside.

    >>> settings_text({"rate": 0.1, "decay": 0.0, "inner": {"class_name": "SGD", "config": {}}, "clip": None})
    'rate=0.1 inner=SGD'
    """
    used = {k: v for k, v in config.items() if v is not None and v is not False and not (type(v) is float and v == 0)}
    return " ".join(
        f"{k}={v['class_name']}" if isinstance(v, Mapping) and "class_name" in v else f"{k}={v!r}"
        for k, v in used.items()
    )


def plain(value: Any) -> Any:
    """A constructor argument as a JSON-able value.

    Raises:
        TypeError: it has no plain form.
    """
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (Variable, np.ndarray)):
        array = value.numpy() if isinstance(value, Variable) else value
        return array.tolist()
    if hasattr(value, "get_config"):
        return {"class_name": registered_name(type(value)), "config": value.get_config()}
    if callable(value) and hasattr(value, "__name__") and not isinstance(value, Tensor):
        return registered_name(value)
    raise TypeError(f"a value of type {type(value).__name__} cannot be written to a configuration")
