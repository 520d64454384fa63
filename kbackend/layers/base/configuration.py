"""The constructor's arguments of a layer as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kbackend.registry import plain

#: arguments that every layer takes besides name, dtype and trainable
KNOWN_ARGUMENTS = frozenset({
    "input_shape", "batch_input_shape", "batch_size", "weights", "input_dtype", "activity_regularizer",
})  # fmt: skip


def check_known(given: Mapping[str, Any], kind: str) -> None:
    """Refuse arguments that no layer takes.

    Raises:
        TypeError: there are such; the message lists them.
    """
    unknown = sorted(set(given) - KNOWN_ARGUMENTS)
    if unknown:
        raise TypeError(f"{kind} got unknown arguments {unknown}")


def batch_shape(given: Mapping[str, Any]) -> tuple[int | None, ...] | None:
    """The input's shape with the batch dimension, from ``batch_input_shape``, or ``input_shape`` and ``batch_size``."""
    if given.get("batch_input_shape") is not None:
        return tuple(given["batch_input_shape"])
    shape = given.get("input_shape")
    if shape is None:
        return None
    return (given.get("batch_size"), *([shape] if isinstance(shape, int) else shape))


def layer_config(layer: Any) -> dict[str, Any]:
    """See :meth:`kbackend.layers.Layer.get_config`."""
    found: dict[str, Any] = {"name": layer.name, "trainable": layer.trainable, "dtype": layer.dtype}
    if layer._batch_input_shape is not None:
        found["batch_input_shape"] = list(layer._batch_input_shape)
    found |= {key: plain(getattr(layer, key)) for key in layer.arguments}
    if layer.activity_regularizer is not None:
        found["activity_regularizer"] = plain(layer.activity_regularizer)
    return found
