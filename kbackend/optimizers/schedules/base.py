"""The base of schedules of the learning rate."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from kbackend import backend as K
from kbackend import registry
from kbackend.declare.kept import built
from kbackend.graph.tensor import Tensor
from kbackend.ground.public import Public
from kbackend.runtime.evaluate import on_engine


class LearningRateSchedule(Public):
    """Base class: ``schedule(step)`` is the learning rate of a step, counted from 0.

    A schedule of one's own defines ``__call__`` with K. It gets a symbolic step inside training; called with a number
    it gives the engine's value.

    >>> from kbackend import K
    >>> class Halving(LearningRateSchedule):
    ...     def __call__(self, step):
    ...         return 0.5 ** K.cast(step, "float32")
    >>> float(Halving()(3))
    0.125
    """

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "__call__" in cls.__dict__:
            cls.__call__ = _of_numbers(cls.__dict__["__call__"])  # type: ignore[method-assign]

    def __call__(self, step: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} must define __call__(step)")

    def get_config(self) -> dict[str, Any]:
        return {name: registry.plain(value) for name, value in vars(self).items()}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        return cls(**config)


def _of_numbers(method: Callable[..., Any]) -> Callable[..., Any]:
    """A method of a symbolic step that takes numbers as well."""

    @wraps(method)
    def called(self: Any, step: Any) -> Any:
        if isinstance(step, Tensor):
            return method(self, step)
        rate = built(lambda: method(self, K.constant(step)))
        return on_engine(rate) if isinstance(rate, Tensor) else rate

    return called


def positive(label: str, value: Any) -> Any:
    """A number of steps.

    Raises:
        ValueError: it is not above 0.
    """
    if isinstance(value, (int, float)) and value <= 0:
        raise ValueError(f"{label} must be a number of steps above 0, it is {value!r}")
    return value
