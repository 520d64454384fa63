"""Functions of an engine called on symbolic tensors: detection of the engine, and the node that calls them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from kbackend.graph.tensor import Tensor
from kbackend.ops.control.foreign import foreign
from kbackend.plugin.discover import backend_of_module


def takes(function: Callable[..., Any], parameter: str) -> bool:
    """Whether a function has a parameter of that name; False if its signature is unavailable."""
    try:
        parameters = inspect.signature(function).parameters
    except (TypeError, ValueError):
        return False
    return parameter in parameters


def apply(
    function: Callable[..., Any],
    inputs: Any,
    arguments: Mapping[str, Any] | None = None,
    output_shape: Any = None,
) -> Any:
    """``function(inputs, **arguments)`` for a function of kbackend's ops or of an engine's.

    Args:
        inputs: a symbolic tensor, or a list of them.
        arguments: further keyword arguments; for an engine's function plain values.
        output_shape: for an engine's function, the shape of the result without the batch axis, or a function of the
            shape (or list of shapes) of the inputs.

    Raises:
        Exception: the error of a function that is not an engine's.
    """
    given = dict(arguments or {})
    engine = engine_of(function)
    if engine is None:
        try:
            result = function(inputs, **given)
        except Exception:
            engine = _engine_used_by(function)
            if engine is None:
                raise
        else:
            if isinstance(result, (Tensor, list, tuple)) or _engine_used_by(function) is None:
                return result
            engine = _engine_used_by(function)
    several = isinstance(inputs, (list, tuple))
    tensors = list(inputs) if several else [inputs]
    settings = tuple(sorted(given.items()))
    return foreign(
        tensors,
        function=function,
        engine=engine,
        several=several,
        arguments=settings,
        output_shape=output_shape,
    )


def engine_of(function: Any) -> str | None:
    """The backend in whose engine's package a function, or the class of a callable object, is defined.

    None for NumPy's functions: they do not take symbolic tensors apart.
    """
    return _engine_named(getattr(function, "__module__", None) or type(function).__module__)


def _engine_named(module: Any) -> str | None:
    return backend_of_module(module) if isinstance(module, str) else None


def _engine_used_by(function: Any) -> str | None:
    """The engine that the body of a Python function refers to by a global, a captured name or an import."""
    code = getattr(function, "__code__", None)
    if code is None:
        return None
    scope: dict[str, Any] = dict(getattr(function, "__globals__", {}))
    for name, cell in zip(code.co_freevars, function.__closure__ or ()):
        scope[name] = cell.cell_contents
    for name in (*code.co_names, *code.co_freevars):
        value = scope.get(name)
        module = value.__name__ if inspect.ismodule(value) else getattr(value, "__module__", None)
        found = _engine_named(module) or (_engine_named(name) if value is None else None)
        if found:
            return found
    return None
