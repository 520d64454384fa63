"""Steps over batches: the loops of fit, evaluate and predict."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from kbackend.callbacks.base import Callback, CallbackList
from kbackend.callbacks.history import History
from kbackend.callbacks.progress import ProgbarLogger
from kbackend.runtime.function import Function
from kbackend.training import data
from kbackend.training.means import Means
from kbackend.training.steps import Step


def fit(
    model: Any,
    step: Step,
    target: Any,
    batches: data.Batches,
    epochs: range,
    order: Callable[[int], np.ndarray | None],
    callbacks: Sequence[Callback] = (),
    verbose: int = 0,
    validate: Callable[[int], dict[str, float]] | None = None,
    finish: Callable[[], None] | None = None,
) -> History:
    """Run a step over the batches for some epochs.

    Args:
        model: what callbacks get as their model. Training ends when its ``stop_training`` becomes true; its
            ``history`` is set.
        step: the step.
        target: where it runs.
        batches: the data.
        epochs: the numbers of the epochs.
        order: gives the order of an epoch for a number of samples, None for that of the data.
        callbacks: told of all that happens.
        verbose: 0 silent, 1 a progress bar, 2 a line an epoch.
        validate: gives the values on held-out data after an epoch, none where it is not its turn.
        finish: called after the last epoch.
    """
    program = step.function.program(target, step.phase, shapes=batches.shapes)
    history = History()
    params = {
        "epochs": epochs.stop,
        "steps": len(batches),
        "samples": batches.samples,
        "verbose": verbose,
        "metrics": list(step.names),
        "engine": target.key,
        "rng": program.rng,
    }
    shown = [ProgbarLogger(verbose)] if verbose else []
    listeners = CallbackList([history, *callbacks, *shown], model, params)
    model.stop_training = False
    model.history = history
    listeners.call("train_begin", None)
    for epoch in epochs:
        listeners.call("epoch_begin", epoch, None)
        step.reset()
        means = step.means(target)
        _epoch(model, program, target, batches.epoch(order(batches.samples)), means, listeners)
        logs = dict(means.logs())
        if validate is not None:
            logs |= {f"val_{name}": value for name, value in validate(epoch).items()}
        listeners.call("epoch_end", epoch, logs)
        if model.stop_training:
            break
    if finish is not None:
        finish()
    listeners.call("train_end", None)
    return history


def _epoch(
    model: Any, program: Any, target: Any, batches: Iterable[Any], means: Means, listeners: CallbackList
) -> None:
    feed, begins, ends = target.feed, listeners.has("train_batch_begin"), listeners.has("train_batch_end")
    for index, (size, arrays) in enumerate(batches):
        if begins:
            listeners.call("train_batch_begin", index, None)
        outputs = program([feed(a) for a in arrays])
        means.add(size, outputs)
        if ends:
            listeners.call("train_batch_end", index, means.logs())
        if model.stop_training:
            break


def evaluate(step: Step, target: Any, batches: data.Batches) -> dict[str, float]:
    """The means of a step's values over the batches."""
    program = step.function.program(target, step.phase)
    step.reset()
    means = step.means(target)
    for size, arrays in batches.epoch():
        means.add(size, program([target.feed(a) for a in arrays]))
    return dict(means.logs())


def once(step: Step, target: Any, arrays: Sequence[np.ndarray], means: Means | None = None) -> dict[str, Any]:
    """The values of one step by name.

    Args:
        means: of the steps before it, which this one is added to; None for this step alone.
    """
    if means is None:
        step.reset()
        means = step.means(target)
    means.add(len(arrays[0]), step.function.program(target, step.phase)([target.feed(a) for a in arrays]))
    return dict(means.logs())


def predict_once(function: Function, target: Any, values: Sequence[Any]) -> list[np.ndarray]:
    """The outputs for one batch; the values are checked as those of ``K.function`` are."""
    return [target.backend.to_numpy(t) for t in function.run(values, target, 0)]


def predict(function: Function, target: Any, batches: data.Batches) -> list[np.ndarray]:
    """The outputs for all batches, joined."""
    program, to_numpy = function.program(target, 0), target.backend.to_numpy
    rows = [[to_numpy(t) for t in program([target.feed(a) for a in arrays])] for _, arrays in batches.epoch()]
    return [parts[0] if len(parts) == 1 else np.concatenate(parts) for parts in zip(*rows)]
