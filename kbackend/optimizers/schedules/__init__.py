"""Schedules: the learning rate as a function of the step, inside the program of the step.

>>> from kbackend import optimizers
>>> rate = optimizers.schedules.ExponentialDecay(0.1, decay_steps=100, decay_rate=0.5)
>>> optimizer = optimizers.SGD(rate)
>>> round(float(optimizer.learning_rate), 4)
0.1
"""

from __future__ import annotations

from typing import Any

from kbackend import registry
from kbackend.optimizers.schedules.base import LearningRateSchedule
from kbackend.optimizers.schedules.decays import (
    CosineDecay,
    CosineDecayRestarts,
    ExponentialDecay,
    InverseTimeDecay,
    PiecewiseConstantDecay,
    PolynomialDecay,
)

_BUILTIN: dict[str, Any] = {
    c.__name__: c
    for c in (
        CosineDecay, CosineDecayRestarts, ExponentialDecay, InverseTimeDecay, PiecewiseConstantDecay, PolynomialDecay,
    )
}  # fmt: skip


def serialize(learning_rate_schedule: Any) -> Any:
    """The configuration of a schedule."""
    return registry.plain(learning_rate_schedule)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The schedule of a configuration.

    Raises:
        ValueError: an unknown name; the message lists the known ones.
    """
    with registry.custom_object_scope(custom_objects):
        return registry.make(config, _BUILTIN, "schedule")


__all__ = [*_BUILTIN, "LearningRateSchedule", "deserialize", "serialize"]
