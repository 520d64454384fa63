"""Objects by name, lists, and arguments of functions: what programs for Keras 2 take from its internals."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from kbackend import registry
from kbackend.callbacks.progbar import Progbar
from kbackend.ground.suggest import did_you_mean
from kbackend.ground.suggest import suggest_in as _suggest_in
from kbackend.utils.objects import get_custom_objects

__all__ = [
    "CustomObjectScope",
    "Progbar",
    "check_for_unexpected_keys",
    "custom_object_scope",
    "deserialize_keras_object",
    "func_dump",
    "func_load",
    "get_custom_objects",
    "getargspec",
    "has_arg",
    "is_all_none",
    "object_list_uid",
    "serialize_keras_object",
    "slice_arrays",
    "to_list",
    "transpose_shape",
    "unpack_singleton",
]


class CustomObjectScope(registry.custom_object_scope):
    """A context in which configurations may name the given objects.

    Args:
        tables: name -> class or function, several of them.

    >>> from kbackend import layers
    >>> from kbackend.utils.generic_utils import CustomObjectScope
    >>> with CustomObjectScope({"double": lambda x: 2 * x}):
    ...     layer = layers.Dense(3, activation="double")
    """

    def __init__(self, *tables: Mapping[str, Any]) -> None:
        super().__init__({name: value for table in tables for name, value in table.items()})


custom_object_scope = CustomObjectScope


def serialize_keras_object(instance: Any) -> Any:
    """An object as Keras 2 writes it: its class and configuration, or the name of a function.

    Raises:
        ValueError: neither.

    >>> from kbackend import regularizers
    >>> from kbackend.utils.generic_utils import serialize_keras_object
    >>> serialize_keras_object(regularizers.l2(0.5))["class_name"], serialize_keras_object(len)
    ('L2', 'len')
    """
    if instance is None:
        return None
    if hasattr(instance, "get_config"):
        return {"class_name": registry.registered_name(type(instance)), "config": instance.get_config()}
    if hasattr(instance, "__name__"):
        return registry.registered_name(instance)
    raise ValueError(f"{instance!r} has neither get_config nor a name")


def deserialize_keras_object(
    identifier: Any,
    module_objects: Mapping[str, Any] | None = None,
    custom_objects: Mapping[str, Any] | None = None,
    printable_module_name: str = "object",
) -> Any:
    """The object of a configuration or name as Keras 2 writes them.

    Args:
        identifier: ``{"class_name": ..., "config": ...}``, or a name: functions come as they are, classes are called
            without arguments.
        module_objects, custom_objects: name -> class or function; those of :func:`get_custom_objects` and of scopes
            count too.
        printable_module_name: what kind of object it is, for messages.

    Raises:
        ValueError: a name that is not known, or something else than a configuration or name.

    >>> from kbackend.utils.generic_utils import deserialize_keras_object
    >>> deserialize_keras_object({"class_name": "dict", "config": {"a": 1}}, {"dict": dict})
    {'a': 1}
    """
    if isinstance(identifier, str):
        found = _named(identifier, module_objects, custom_objects, printable_module_name)
        return found() if isinstance(found, type) else found
    if not isinstance(identifier, Mapping) or not {"class_name", "config"} <= identifier.keys():
        raise ValueError(f"{identifier!r} is no configuration of a {printable_module_name}")
    kind = _named(identifier["class_name"], module_objects, custom_objects, printable_module_name)
    config = identifier["config"]
    with CustomObjectScope(custom_objects or {}):
        if not hasattr(kind, "from_config"):
            return kind(**config)
        if custom_objects and has_arg(kind.from_config, "custom_objects"):
            return kind.from_config(config, custom_objects=dict(custom_objects))
        return kind.from_config(config)


def _named(name: str, known: Mapping[str, Any] | None, passed: Mapping[str, Any] | None, kind: str) -> Any:
    tables = [passed or {}, registry.passed(), registry.registered(), known or {}]
    for table in tables:
        if name in table:
            return table[name]
    names = [n for table in tables for n in table]
    raise ValueError(f"unknown {kind} {name!r}; pass it in custom_objects.{did_you_mean(name, names)}")


def func_dump(func: Callable[..., Any]) -> Any:
    """Refused: code is not written to files.

    Raises:
        NotImplementedError: always; the message says what to do.
    """
    raise NotImplementedError(
        "func_dump writes the code of a function, and kbackend runs no code that a file holds. Give the function a "
        "name with kbackend.utils.register_keras_serializable, or pass it in custom_objects where the model is loaded"
    )


def func_load(code: Any, defaults: Any = None, closure: Any = None, globs: Any = None) -> Any:
    """Refused: code from files is not run.

    Raises:
        NotImplementedError: always; the message says what to do.
    """
    raise NotImplementedError(
        "func_load would run code that a file holds, and kbackend runs none. Write the function in the program, and "
        "pass it in custom_objects where the model is loaded"
    )


def getargspec(fn: Callable[..., Any]) -> inspect.FullArgSpec:
    """The arguments of a function; of a class those of its constructor."""
    return inspect.getfullargspec(fn)


def has_arg(fn: Callable[..., Any], name: str, accept_all: bool = False) -> bool:
    """Whether a function can be called with a keyword.

    Args:
        fn: the function.
        name: the keyword.
        accept_all: whether ``**kwargs`` count.

    >>> from kbackend.utils.generic_utils import has_arg
    >>> has_arg(lambda x, mask=None: x, "mask"), has_arg(lambda x, **options: x, "mask")
    (True, False)
    """
    parameters = inspect.signature(fn).parameters.values()
    if accept_all and any(p.kind is p.VAR_KEYWORD for p in parameters):
        return True
    return any(p.name == name and p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY) for p in parameters)


def to_list(x: Any, allow_tuple: bool = False) -> list[Any]:
    """A list as it is, all else in a list of one; tuples become lists with ``allow_tuple``.

    >>> from kbackend.utils.generic_utils import to_list
    >>> to_list(1), to_list([1]), to_list((1, 2)), to_list((1, 2), allow_tuple=True)
    ([1], [1], [(1, 2)], [1, 2])
    """
    if isinstance(x, list):
        return x
    return list(x) if allow_tuple and isinstance(x, tuple) else [x]


def unpack_singleton(x: Any) -> Any:
    """The one element of a sequence of one, all else as it is."""
    return x[0] if len(x) == 1 else x


def object_list_uid(object_list: Any) -> str:
    """A text for the identities of some objects."""
    return ", ".join(str(abs(id(x))) for x in to_list(object_list))


def is_all_none(iterable_or_element: Any) -> bool:
    """Whether all elements of a list or tuple, or the element itself, are None."""
    return all(element is None for element in to_list(iterable_or_element, allow_tuple=True))


def slice_arrays(arrays: Any, start: Any = None, stop: int | None = None) -> Any:
    """Some rows of an array, or of each array of a list.

    Args:
        arrays: the array or arrays; None stays None.
        start: the first row, or the numbers of the rows.
        stop: the row after the last; all from ``start`` on when None.

    >>> import numpy as np
    >>> from kbackend.utils.generic_utils import slice_arrays
    >>> [a.tolist() for a in slice_arrays([np.arange(4), np.arange(4) * 2], 1, 3)]
    [[1, 2], [2, 4]]
    """
    if arrays is None:
        return [None]
    if isinstance(start, list) and stop is not None:
        raise ValueError("the stop argument has to be None where start is a list of numbers")
    rows: Any = start if hasattr(start, "__len__") else slice(start, stop)
    if isinstance(arrays, list):
        return [None if array is None else array[rows] for array in arrays]
    return arrays[rows]


def transpose_shape(shape: Sequence[Any], target_format: str, spatial_axes: Sequence[int]) -> tuple[Any, ...]:
    """A shape with its channels last as one of another layout.

    Args:
        shape: with the channels at its end.
        target_format: 'channels_first' or 'channels_last'.
        spatial_axes: the axes between the batch and the channels.

    Raises:
        ValueError: another layout.

    >>> from kbackend.utils.generic_utils import transpose_shape
    >>> transpose_shape((16, 128, 64, 3), "channels_first", (1, 2))
    (16, 3, 128, 64)
    """
    if target_format not in ("channels_first", "channels_last"):
        raise ValueError(f"target_format must be 'channels_first' or 'channels_last', it is {target_format!r}")
    if target_format == "channels_last":
        return tuple(shape)
    before = [shape[axis] for axis in range(spatial_axes[0])]
    return (*before, shape[-1], *(shape[axis] for axis in spatial_axes))


def check_for_unexpected_keys(name: str, input_dict: Mapping[str, Any], expected_values: Sequence[str]) -> None:
    """Raise ValueError for keys of a dictionary that are not expected."""
    unknown = sorted(set(input_dict) - set(expected_values))
    if unknown:
        raise ValueError(f"{name} has unknown keys {unknown}; it may have {list(expected_values)}")


_suggest_in(__name__)
