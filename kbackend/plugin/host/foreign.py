"""The kernel of the op ``foreign``, which all backends share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kbackend.plugin.gaps import MissingKernel


def kernel(backend: str) -> Callable[..., Callable[..., Any]]:
    """The factory of the kernel for a backend; it refuses functions of another engine."""

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
                f"the function {name} belongs to {engine} and cannot run on {backend}; run the model on "
                f'{engine}, with model.to("{engine}") or KBACKEND={engine}'
            )
        given = dict(arguments)
        if several:
            return lambda tensors: function(list(tensors), **given)
        return lambda tensors: function(tensors[0], **given)

    return factory
