"""What configurations of Keras hold beside layers: dtypes, initializers, activations, arrays; by name alone.

Nothing is imported because a configuration names it: names are looked up among kbackend's own and those that the caller
passes in.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from kbackend import constraints, initializers, registry, regularizers
from kbackend.saving.errors import FormatError

#: arguments of Keras's initializers that these have not, with the values that say nothing
_NEUTRAL = {"input_axes": None, "output_axes": None, "dtype": None}
_KINDS = {"initializer": initializers, "regularizer": regularizers, "constraint": constraints}


#: activations that Keras 3 computes otherwise than Keras 2, whose meaning kbackend's names have
OTHER_ACTIVATIONS = ("hard_sigmoid",)


class Names(dict[str, Any]):
    """Objects by name, for a file.

    Attributes:
        keras_3: whether Keras 3 wrote the file.
    """

    keras_3 = False


def _refuse_activation(name: str, custom: Mapping[str, Any]) -> None:
    if name not in custom:
        raise FormatError(
            f"{name} of Keras 3 is another function than that of Keras 2, whose name it has here; give "
            f"custom_objects={{{name!r}: kbackend.ops.{name}}} for that of Keras 3"
        )


def from_keras(key: str, value: Any, custom: Mapping[str, Any]) -> Any:
    """An argument of a layer from its form in a configuration.

    Args:
        key: the name of the argument.
        value: of the configuration.
        custom: objects by name.

    Raises:
        FormatError: something that only running code of the file could make.
    """
    if key == "dtype":
        return dtype_name(value)
    if key == "quantization_config":
        return value  # the layer reads it, by names of its own
    if key.endswith("activation") and value in OTHER_ACTIVATIONS and getattr(custom, "keras_3", False):
        _refuse_activation(value, custom)
    kind = key.rpartition("_")[2]
    if kind in _KINDS and isinstance(value, (Mapping, str)):
        return _object(kind, value, custom)
    if isinstance(value, list):
        return [from_keras("", v, custom) for v in value]
    if isinstance(value, Mapping):
        return _special(value, custom)
    return value


def dtype_name(value: Any) -> str | None:
    """The name of a dtype policy, ``int8_from_float32`` for one of quantized weights.

    Raises:
        FormatError: a policy without a name, or several for the parts of a layer.
    """
    if isinstance(value, Mapping):
        value = _policy_name(value)
    if value is not None and not isinstance(value, str):
        raise FormatError("dtype must be a name or a policy with a name")
    return value


def _policy_name(value: Mapping[str, Any]) -> Any:
    match value.get("config"):
        case {"name": name}:
            return name
        case {"mode": str(mode), "source_name": source, **others}:
            length = f"/{others['amax_history_length']}" if "amax_history_length" in others else ""
            return f"{mode}{length}_from_{source or 'float32'}"
        case {"policy_map": policies, "default_policy": default} if not policies:
            return dtype_name(default)
        case {"policy_map": _}:
            raise FormatError("it has dtypes of its own for the layers inside, which kbackend's layer has not")
    raise FormatError("a dtype policy must have a name")


def _object(kind: str, value: Any, custom: Mapping[str, Any]) -> Any:
    """An initializer, regularizer or constraint as :mod:`kbackend` makes it."""
    name: Any
    config: Any
    if isinstance(value, str):
        name, config = value, {}
    else:
        name, config = value.get("class_name"), value.get("config") or {}
        if name == "function" and isinstance(config, str):
            name, config = config, {}
        if not isinstance(name, str) or not isinstance(config, Mapping):
            raise FormatError(f"a {kind} must be a name or have a class_name and a config")
    known: Any = custom_object(value, custom)
    if known is not None:
        return known.from_config(dict(config)) if hasattr(known, "from_config") else known
    config = {k: v for k, v in config.items() if not (k in _NEUTRAL and (v is None or k == "dtype"))}
    if kind == "regularizer" and name in ("L1", "L2"):
        name, config = "L1L2", {name.lower(): config.get(name.lower(), 0.01)}
    return registry.make({"class_name": name, "config": config}, _KINDS[kind]._BUILTIN, kind)


def custom_object(value: Any, custom: Mapping[str, Any]) -> Any:
    """What the caller or the registry has for an object of a configuration, by registered name or class name."""
    names = [value] if isinstance(value, str) else [value.get("registered_name"), value.get("class_name")]
    if isinstance(value, Mapping) and isinstance(value.get("config"), str):
        names.append(value["config"])
    for name in names:
        if not isinstance(name, str):
            continue
        if name in custom:
            return custom[name]
        try:
            return registry.find(name.rpartition(">")[2], {}, "object")
        except ValueError:
            continue
    return None


def _special(value: Mapping[str, Any], custom: Mapping[str, Any]) -> Any:
    """A value that JSON has not: an array, a tuple, a function."""
    match value:
        case {"class_name": "__tuple__", "items": list(items)}:
            return tuple(from_keras("", v, custom) for v in items)
        case {"class_name": "__slice__", "config": {"start": start, "stop": stop, "step": step}}:
            return slice(*(from_keras("", v, custom) for v in (start, stop, step)))
        case {"class_name": "__ellipsis__"}:
            return Ellipsis
        case {"class_name": "__numpy__" | "__tensor__", "config": {"value": body, "dtype": str(dtype)}}:
            return np.asarray(body, np.dtype(dtype) if np.dtype(dtype).kind in "biufc" else np.float32)
        case {"class_name": "function", "config": str(name)}:
            found = custom_object(value, custom)
            return name if found is None else found
        case {"class_name": "__lambda__"}:
            raise FormatError("it holds code of Python, which is never run; give the function in custom_objects")
        case {"class_name": str(name)}:
            raise FormatError(f"an object {name!r} is none that can be read here")
    return {key: from_keras("", v, custom) for key, v in value.items()}


# ------------------------------------------------------------------------------------- writing

_MODULES = {"initializer": "keras.initializers", "regularizer": "keras.regularizers", "constraint": "keras.constraints",
            "config": "keras.quantizers", "quantizer": "keras.quantizers"}


def to_keras(key: str, value: Any) -> Any:
    """An argument of a layer in the form of Keras 3's configurations."""
    if isinstance(value, Mapping) and set(value) == {"class_name", "config"}:
        kind = key.rpartition("_")[2]
        config = value["config"]
        if kind == "config":
            config = {name: to_keras(name, part) for name, part in config.items()}
        return {"module": _MODULES.get(kind), **value, "config": config, "registered_name": None}
    return value
