"""The kernel of the op ``call_module``, which all backends share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kbackend.plugin.gaps import MissingKernel
from kbackend.plugin.modules.wrapped import Signature, WrappedModule


def kernel(backend: str) -> Callable[..., Callable[..., Any]]:
    """The factory of the kernel for a backend; it refuses modules of another engine."""

    def factory(
        specs: Any, *, module: WrappedModule, signature: Signature, results: Any = None
    ) -> Callable[..., Any]:
        if module.engine != backend:
            raise MissingKernel(
                f"{module.label} holds a module of {module.engine} and cannot run on {backend}; run the model on "
                f'{module.engine}, with model.to("{module.engine}") or KBACKEND={module.engine}'
            )
        return module.runner(signature)

    return factory
