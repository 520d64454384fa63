"""An engine's own function as an op: it runs on that engine only, and is differentiated by it.

The shape and dtype of the result are found by calling the function on the engine with small tensors.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from kbackend import dtypes
from kbackend.graph.tensor import Tensor, TensorSpec
from kbackend.ops.declare import TensorList, primitive

_TRIED_SIZES = (2, 3)  # for unknown dimensions: result dimensions that differ between the two are unknown
NEUTRAL = "numpy"  # its functions do not take symbolic tensors apart; a function of it is not foreign


def takes(function: Callable[..., Any], parameter: str) -> bool:
    """Whether a function has a parameter of that name; False where the function does not say."""
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
    """``function(inputs, **arguments)`` for a function of our ops or of an engine's.

    Args:
        inputs: a symbolic tensor, or a list of them.
        arguments: further keyword arguments; for an engine's function plain values.
        output_shape: for an engine's function, the result's shape without the batch dimension, or a function
            of the
            input's shape (or list of shapes).

    Raises:
        Exception: what the function raises, when it is not an engine's.
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


# --------------------------------------------------------------------------------------- whose function it is


def _engines() -> list[str]:
    from kbackend.plugin.discover import declared

    return [name for name in declared() if name != NEUTRAL]


def engine_of(function: Any) -> str | None:
    """The engine in whose package a function, or the class of a callable object, is defined."""
    module = getattr(function, "__module__", None) or type(function).__module__
    return _engine_named(module)


def _engine_named(module: Any) -> str | None:
    top = module.split(".", 1)[0] if isinstance(module, str) else None
    return top if top is not None and top in _engines() else None


def _engine_used_by(function: Any) -> str | None:
    """The engine that a Python function mentions in its body, by a global, a captured name or an import."""
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


# ------------------------------------------------------------------------------------------- the op


def _rule(
    inputs: Sequence[TensorSpec],
    *,
    function: Callable[..., Any],
    engine: str,
    several: bool,
    arguments: tuple[tuple[str, Any], ...],
    output_shape: Any = None,
) -> Any:
    if output_shape is not None:
        return _told(inputs, several, output_shape)
    small, large = (_ask(inputs, function, engine, several, arguments, size) for size in _TRIED_SIZES)
    specs = tuple(
        TensorSpec(tuple(a if a == b else None for a, b in zip(s.shape, t.shape)), s.dtype)
        for s, t in zip(small, large)
    )
    return specs[0] if len(specs) == 1 else specs


def _told(inputs: Sequence[TensorSpec], several: bool, output_shape: Any) -> TensorSpec:
    first = inputs[0]
    if callable(output_shape):
        shape = tuple(output_shape([s.shape for s in inputs] if several else first.shape))
    else:
        shape = (first.shape[0], *output_shape)
    return TensorSpec(shape, first.dtype)


def _ask(
    inputs: Sequence[TensorSpec],
    function: Callable[..., Any],
    engine: str,
    several: bool,
    arguments: tuple[tuple[str, Any], ...],
    size: int,
) -> list[TensorSpec]:
    """The specs of the results for inputs whose unknown dimensions are ``size``."""
    from kbackend.plugin.select import get_backend

    backend = get_backend(engine)
    tensors = [
        backend.from_numpy(
            np.ones([size if d is None else d for d in s.shape], dtypes.numpy_dtype(s.dtype)), "cpu"
        )
        for s in inputs
    ]
    try:
        result = function(tensors if several else tensors[0], **dict(arguments))
    except Exception as error:
        name = getattr(function, "__name__", repr(function))
        shapes = ", ".join(str(s) for s in inputs)
        raise ValueError(f"the {engine} function {name} failed on tensors like {shapes}: {error}") from error
    return [backend.spec(t) for t in (result if isinstance(result, (list, tuple)) else [result])]


@primitive(tolerance="exact")
def foreign(
    inputs: TensorList,
    *,
    function: Callable[..., Any],
    engine: str,
    several: bool,
    arguments: tuple[tuple[str, Any], ...],
    output_shape: Any = None,
) -> Any:
    """An engine's own function of one tensor, or of a list when ``several``.

    Args:
        inputs: the tensors.
        function: the function, called with the engine's tensors.
        engine: the backend on which it runs; any other refuses it when a program is made.
        several: whether the function takes a list.
        arguments: further keyword arguments, as sorted pairs.
        output_shape: see :func:`apply`.
    """
    return _rule(
        inputs,
        function=function,
        engine=engine,
        several=several,
        arguments=arguments,
        output_shape=output_shape,
    )


def kernel(backend: str) -> Callable[..., Callable[..., Any]]:
    """The factory of the kernel for a backend: the same on all."""
    from kbackend.plugin.gaps import MissingKernel

    def factory(
        specs: Any,
        *,
        function: Callable[..., Any],
        engine: str,
        several: bool,
        arguments: tuple[tuple[str, Any], ...],
        output_shape: Any = None,
    ) -> Callable[..., Any]:
        if engine != backend:
            name = getattr(function, "__name__", repr(function))
            raise MissingKernel(
                f"the function {name} is {engine}'s own and cannot run on {backend}; run the model on "
                f'{engine}, with model.to("{engine}") or KBACKEND={engine}'
            )
        given = dict(arguments)
        if several:
            return lambda tensors: function(list(tensors), **given)
        return lambda tensors: function(tensors[0], **given)

    return factory


__all__ = ["apply", "engine_of", "foreign", "kernel", "takes"]
