"""The constructor's arguments of a layer as plain values."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from typing import Any

from kbackend import dtype_policies
from kbackend.ground.arguments import keywords_of, unknown_keywords
from kbackend.registry import plain

#: arguments that every layer takes besides name, dtype and trainable
KNOWN_ARGUMENTS = frozenset({
    "input_shape", "batch_input_shape", "batch_size", "weights", "input_dtype", "activity_regularizer",
    "autocast",
})  # fmt: skip


def check_known(given: Mapping[str, Any], kind: type) -> None:
    """Refuse arguments that no layer takes.

    Raises:
        TypeError: there are such; the message lists them.
    """
    unknown = set(given) - KNOWN_ARGUMENTS
    if unknown:
        raise unknown_keywords(kind.__name__, unknown, KNOWN_ARGUMENTS | keywords_of(kind))


def batch_shape(given: Mapping[str, Any]) -> tuple[int | None, ...] | None:
    """The input's shape with the batch dimension, from ``batch_input_shape``, or ``input_shape`` and ``batch_size``.

    Raises:
        ValueError: one of them is no shape.
    """
    if given.get("batch_input_shape") is not None:
        return _sizes("batch_input_shape", given["batch_input_shape"])
    shape = given.get("input_shape")
    if shape is None:
        return None
    own = _sizes("input_shape", [shape] if isinstance(shape, int) else shape)
    return (*_sizes("batch_size", [given.get("batch_size")]), *own)


def _sizes(name: str, shape: Any) -> tuple[int | None, ...]:
    """A shape as a tuple.

    Raises:
        ValueError: it holds anything but sizes and None.
    """
    try:
        return tuple(None if d is None else operator.index(d) for d in shape)
    except TypeError:
        raise ValueError(f"{name} must hold integers, or None where a size is not known; it is {shape!r}") from None


def dtype_of_layer(layer: Any) -> Any:
    """The name of the policy of a layer, or the map that it is from, as plain values."""
    return layer.dtype_policy.name if layer._policies is None else dtype_policies.serialize(layer._policies)


def layer_config(layer: Any) -> dict[str, Any]:
    """See :meth:`kbackend.layers.Layer.get_config`."""
    found: dict[str, Any] = {"name": layer.name, "trainable": layer.trainable, "dtype": dtype_of_layer(layer)}
    if layer._batch_input_shape is not None:
        found["batch_input_shape"] = list(layer._batch_input_shape)
    found |= {key: plain(getattr(layer, key)) for key in layer.arguments}
    if not layer.autocast:
        found["autocast"] = False
    if layer.activity_regularizer is not None:
        found["activity_regularizer"] = plain(layer.activity_regularizer)
    return found
