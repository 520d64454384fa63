"""Engine-specific functions as ops: they run on one engine only, which also differentiates them.

Shape and dtype of the result are inferred by calling the function on the engine with small tensors.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from kbackend import dtypes
from kbackend.declare.decorate import primitive
from kbackend.declare.op import TensorList
from kbackend.graph.tensor import TensorSpec
from kbackend.plugin.select import get_backend

#: sizes tried for unknown dimensions; dimensions of the result that differ between the two runs are unknown
_TRIED_SIZES = (2, 3)


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
        return _declared_spec(inputs, several, output_shape)
    small, large = (_traced_specs(inputs, function, engine, several, arguments, size) for size in _TRIED_SIZES)
    specs = tuple(
        TensorSpec(tuple(a if a == b else None for a, b in zip(s.shape, t.shape)), s.dtype)
        for s, t in zip(small, large)
    )
    return specs[0] if len(specs) == 1 else specs


def _declared_spec(inputs: Sequence[TensorSpec], several: bool, output_shape: Any) -> TensorSpec:
    first = inputs[0]
    if callable(output_shape):
        shape = tuple(output_shape([s.shape for s in inputs] if several else first.shape))
    else:
        shape = (first.shape[0], *output_shape)
    return TensorSpec(shape, first.dtype)


def _traced_specs(
    inputs: Sequence[TensorSpec],
    function: Callable[..., Any],
    engine: str,
    several: bool,
    arguments: tuple[tuple[str, Any], ...],
    size: int,
) -> list[TensorSpec]:
    """The specs of the results for inputs of ones whose unknown dimensions are ``size``."""
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


@primitive(tolerance="exact", runs_user_code=True)
def foreign(
    inputs: TensorList,
    *,
    function: Callable[..., Any],
    engine: str,
    several: bool,
    arguments: tuple[tuple[str, Any], ...],
    output_shape: Any = None,
) -> Any:
    """Call an engine-specific function of one tensor, or of a list of tensors when ``several``.

    Args:
        inputs: the tensors.
        function: the function, called with the engine's tensors.
        engine: the backend on which it runs; programs for other backends are refused.
        several: whether the function takes a list.
        arguments: further keyword arguments, as sorted pairs.
        output_shape: the shape of the result without the batch dimension, or a function of the shapes of the inputs
            that returns the whole shape; the result then has the dtype of the first input. None to infer it.

    Returns:
        A tensor, or one for each result of the function.

    Raises:
        ValueError: the function failed on small tensors of the shapes of the inputs.
    """
    return _rule(
        inputs,
        function=function,
        engine=engine,
        several=several,
        arguments=arguments,
        output_shape=output_shape,
    )


__all__: list[str] = []
