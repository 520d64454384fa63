"""Layers of JAX, which cannot be had: they say why."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kbackend.layers.base.layer import Layer


def _refused(kind: type) -> NotImplementedError:
    return NotImplementedError(
        f"{kind.__name__} computes with JAX, which is no engine of kbackend: neither its functions nor their "
        "derivatives can be part of a graph. Write the function with kbackend.ops in a Lambda or a Layer of your own"
    )


class JaxLayer(Layer):
    """Keras's layer around a function of JAX. It cannot be had: JAX is no engine.

    Args:
        call_fn, init_fn, params, state, seed, native_serialization_platforms: as in Keras.

    Raises:
        NotImplementedError: always.
    """

    def __init__(
        self, call_fn: Callable[..., Any], init_fn: Any = None, params: Any = None, state: Any = None, seed: Any = None,
        native_serialization_platforms: Any = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        raise _refused(type(self))


class FlaxLayer(Layer):
    """Keras's layer around a module of Flax. It cannot be had: JAX is no engine.

    Args:
        module, method, variables: as in Keras.

    Raises:
        NotImplementedError: always.
    """

    def __init__(self, module: Any, method: Any = None, variables: Any = None, **kwargs: Any) -> None:
        raise _refused(type(self))


__all__ = ["FlaxLayer", "JaxLayer"]
