"""Objects as plain values and back, and the names for those of one's own."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import numpy as np

from kbackend import registry
from kbackend.registry import custom_object_scope

CustomObjectScope = custom_object_scope
#: modules with objects that configurations name; the first that has a name gives it where no module is named
_MODULES = (
    "layers models losses metrics optimizers optimizers.schedules initializers regularizers constraints activations"
).split()


def get_custom_objects() -> dict[str, Any]:
    """The table of the names of objects of one's own; what is put into it, configurations may name.

    >>> from kbackend import utils
    >>> utils.get_custom_objects()["Mine"] = dict
    >>> utils.get_registered_object("Mine")
    <class 'dict'>
    >>> del utils.get_custom_objects()["Mine"]
    """
    return registry.registered()


def register_keras_serializable(package: str = "Custom", name: str | None = None) -> Callable[[Any], Any]:
    """A decorator that makes a class or function known to configurations as 'package>name'.

    Args:
        package: a name for all objects of a program.
        name: of the object; its own when None.

    Raises:
        ValueError: another object has the name, or a class has no ``get_config``.

    >>> from kbackend import utils
    >>> @utils.register_keras_serializable("docs")
    ... def doubled(x):
    ...     return 2 * x
    >>> utils.get_registered_name(doubled)
    'docs>doubled'
    """

    def add(value: Any) -> Any:
        if isinstance(value, type) and not hasattr(value, "get_config"):
            raise ValueError(f"{value.__name__} needs a get_config method to be written to configurations")
        return registry.register(f"{package}>{name or value.__name__}")(value)

    return add


def get_registered_name(obj: Any) -> str:
    """The name by which configurations refer to a class or function.

    Args:
        obj: a class or function.

    >>> from kbackend import layers, utils
    >>> Twice = utils.register_keras_serializable("mine")(type("Twice", (layers.Layer,), {}))
    >>> utils.get_registered_name(Twice)
    'mine>Twice'
    """
    return registry.registered_name(obj)


def get_registered_object(
    name: str, custom_objects: Mapping[str, Any] | None = None, module_objects: Mapping[str, Any] | None = None
) -> Any:
    """The class or function of a name, None where it has none.

    Args:
        name: the name.
        custom_objects, module_objects: further tables, before and after those of the scopes around and of
            :func:`get_custom_objects`.

    >>> from kbackend import layers, utils
    >>> Thrice = utils.register_keras_serializable("mine")(type("Thrice", (layers.Layer,), {}))
    >>> utils.get_registered_object("mine>Thrice") is Thrice
    True
    """
    for table in (custom_objects or {}, registry.passed(), registry.registered(), module_objects or {}):
        if name in table:
            return table[name]
    return None


def serialize_keras_object(obj: Any) -> Any:
    """An object as values that JSON has.

    Args:
        obj: None, numbers, texts, arrays, lists, dicts, functions with a name, and whatever has ``get_config``.

    Raises:
        TypeError: a value without a plain form.

    >>> from kbackend import layers, utils
    >>> config = utils.serialize_keras_object(layers.Dense(3, name="d"))
    >>> config["module"], config["class_name"]
    ('kbackend.layers', 'Dense')
    >>> utils.deserialize_keras_object(config).units
    3
    """
    if isinstance(obj, (list, tuple)):
        values = [serialize_keras_object(value) for value in obj]
        return values if isinstance(obj, list) else {"class_name": "__tuple__", "config": {"value": values}}
    if isinstance(obj, Mapping):
        return {str(key): serialize_keras_object(value) for key, value in obj.items()}
    if isinstance(obj, np.ndarray):
        return {"class_name": "__numpy__", "config": {"value": obj.tolist(), "dtype": obj.dtype.name}}
    if hasattr(obj, "get_config") and not isinstance(obj, type):
        return {**_place(type(obj)), "config": obj.get_config()}
    if callable(obj) and hasattr(obj, "__name__"):
        return {**_place(obj), "config": registry.registered_name(obj), "class_name": "function"}
    return registry.plain(obj)


def _place(kind: Any) -> dict[str, Any]:
    name = registry.registered_name(kind)
    module = next((m for m in _MODULES if _table(m).get(kind.__name__) is kind), None)
    return {
        "module": None if module is None else f"kbackend.{module}",
        "class_name": name if module is None else kind.__name__,
        "registered_name": None if module is not None else name,
    }


def deserialize_keras_object(
    config: Any, custom_objects: Mapping[str, Any] | None = None, safe_mode: bool = True, **kwargs: Any
) -> Any:
    """An object from what :func:`serialize_keras_object` gave, or from Keras's form of it.

    Args:
        config: the values.
        custom_objects: name -> class or function.
        safe_mode: taken for Keras's sake; nothing in a configuration is ever executed or imported.
        kwargs: ``module_objects``, a table of names that comes last.

    Raises:
        ValueError: a name that is neither built in nor registered nor passed in.
        TypeError: an unknown keyword.

    >>> from kbackend import utils
    >>> from kbackend import layers
    >>> config = utils.serialize_keras_object(layers.Dense(2, name="two"))
    >>> utils.deserialize_keras_object(config).units
    2
    """
    module_objects = kwargs.pop("module_objects", None)
    kwargs.pop("printable_module_name", None)
    if kwargs:
        raise TypeError(f"deserialize_keras_object got unknown arguments {sorted(kwargs)}")
    with custom_object_scope({**(module_objects or {}), **registry.passed(), **(custom_objects or {})}):
        return _made(config)


def _made(config: Any) -> Any:
    if isinstance(config, list):
        return [_made(value) for value in config]
    if isinstance(config, str) and (found := get_registered_object(config)) is not None:
        return found
    if not isinstance(config, Mapping):
        return config
    name, settings = config.get("class_name"), config.get("config") or {}
    if not isinstance(name, str):
        return {key: _made(value) for key, value in config.items()}
    if name == "__tuple__":
        return tuple(_made(value) for value in settings["value"])
    if name == "__numpy__":
        return np.array(settings["value"], settings["dtype"])
    names = [config.get("registered_name"), settings if name == "function" else name]
    kind = _found([n for n in names if isinstance(n, str)], config.get("module"))
    if name == "function":
        return kind
    return kind.from_config(settings) if hasattr(kind, "from_config") else kind(**settings)


def _found(names: list[str], module: Any) -> Any:
    for name in names:
        found = get_registered_object(name)
        if found is not None:
            return found
    ending = module.partition(".")[2] if isinstance(module, str) else ""
    for place in (*(m for m in _MODULES if m == ending), *_MODULES):
        if names[-1] in _table(place):
            return _table(place)[names[-1]]
    raise ValueError(f"unknown object {names[-1]!r}; pass it in custom_objects or register it")


@cache
def _table(module: str) -> dict[str, Any]:
    found = importlib.import_module(f"kbackend.{module}")
    public = {name: getattr(found, name) for name in dir(found) if not name.startswith("_")}
    return {name: value for name, value in public.items() if _is_ours(value)}


def _is_ours(value: Any) -> bool:
    return callable(value) and str(getattr(value, "__module__", "")).startswith(f"{registry.__package__}.")
