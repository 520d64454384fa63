"""The values on held-out data after the epochs of a training."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from kbackend.callbacks.base import Callback
from kbackend.callbacks.listeners import CallbackList
from kbackend.training import loop
from kbackend.training.arrays import Groups
from kbackend.training.sources.base import Source
from kbackend.training.steps import Steps


class Validation:
    """Evaluation after some epochs, told to the callbacks of the training.

    Args:
        steps: of the model.
        batches: the held-out data.
        due: whether it is the turn of an epoch, counted from 1.
    """

    def __init__(self, steps: Steps, batches: Source, due: Callable[[int], bool]) -> None:
        self._steps, self._batches, self._due = steps, batches, due

    @classmethod
    def of(
        cls, steps: Steps, batches: Source | None, due: Callable[[int], bool], callbacks: Iterable[Callback]
    ) -> Validation | None:
        """The validation that arguments of ``fit`` ask for, None without held-out data. Callbacks get the arrays."""
        groups = None if batches is None else batches.held
        arrays = None if groups is None else [*groups.inputs, *groups.targets, *_weights(groups)]
        for callback in callbacks:
            if isinstance(callback, Callback):  # the list of callbacks refuses others
                callback.validation_data = arrays
        return None if batches is None else cls(steps, batches, due)

    def __call__(self, epoch: int, listeners: CallbackList) -> dict[str, Any]:
        """The values after an epoch, none where it is not its turn."""
        if not self._due(epoch + 1):
            return {}
        form = self._batches.sample.form
        step, target = self._steps.for_tests(form), self._steps.target()
        return loop.evaluate(step, target, self._batches, listeners, self._steps.team())


def _weights(groups: Groups) -> list[np.ndarray]:
    return groups.weights or [np.ones(len(t), np.float32) for t in groups.targets]


def due(frequency: int | Sequence[int]) -> Callable[[int], bool]:
    """Whether it is the turn of an epoch, counted from 1: the frequency divides it, or is a list with it."""
    if isinstance(frequency, (list, tuple)):
        return lambda epoch: epoch in frequency
    return lambda epoch: epoch % frequency == 0  # type: ignore[operator]
