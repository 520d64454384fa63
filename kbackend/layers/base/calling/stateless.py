"""Calls of layers as functions of their weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kbackend.graph.tensor import Tensor
from kbackend.layers.base.calling.phases import is_open
from kbackend.layers.base.inside import Inside
from kbackend.layers.base.naming import described
from kbackend.layers.base.recording import Frame, recording
from kbackend.ops.control.phase import in_train_phase
from kbackend.ops.core.updates import as_updates
from kbackend.runtime.stateless import Stateless


def call(
    layer: Any,
    trainable: Sequence[Any],
    others: Sequence[Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    return_losses: bool,
) -> Any:
    """See :meth:`kbackend.layers.Layer.stateless_call`."""
    if not layer.built:
        raise RuntimeError(f"{described(layer)} has no weights yet: call it on a tensor, or build it, first")
    inside = Inside(layer)
    first, second = inside.trained_weights, inside.other_weights
    for label, own, given in (("trainable", first, trainable), ("non-trainable", second, others)):
        if len(own) != len(given):
            raise ValueError(f"{described(layer)} has {len(own)} {label} weights, it was given {len(given)} values")

    def build(given: Any) -> tuple[Any, ...]:
        positional, named = given
        with recording(layer) as frame:
            outputs = layer(*positional, **named)
        new = _new_values(frame, named.get("training"))
        found = (outputs, [new.get(v, v) for v in second])
        if not return_losses:
            return found
        return (*found, [*layer._standing_losses(), *(r.tensor for r in frame.losses)])

    function = layer.__dict__.setdefault("_stateless", Stateless(described(layer)))
    key = (return_losses, tuple(id(one) for one in inside.free_layers))
    return function(build, [*first, *second], [*trainable, *others], (args, kwargs), key=key)


def _new_values(frame: Frame, training: Any) -> dict[Any, Any]:
    """The values of variables after the updates of a call, which those of moving averages are in training only."""
    found = {}
    for record in frame.updates:
        for variable, value in as_updates([record.tensor]):
            if record.layer.stateful:
                found[variable] = value
            elif record.trainable and is_open(training):
                found[variable] = in_train_phase(value, variable)
            elif record.trainable and (isinstance(training, Tensor) or training):
                found[variable] = value
    return found
