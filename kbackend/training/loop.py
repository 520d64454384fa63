"""Steps over batches: the loops of fit, evaluate and predict."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from typing import Any

import numpy as np

from kbackend.callbacks.base import Callback
from kbackend.callbacks.checkpoints import BackupAndRestore
from kbackend.callbacks.history import History
from kbackend.callbacks.listeners import CallbackList
from kbackend.callbacks.progress import ProgbarLogger
from kbackend.callbacks.stopping import TerminateOnNaN
from kbackend.distribution.team import Team, facts_of
from kbackend.ground.warn import warn_caller
from kbackend.plugin.processes.group import DistributedError
from kbackend.runtime.function import Function
from kbackend.training.means import Means
from kbackend.training.resume import Backups, Start
from kbackend.training.sources.base import Source
from kbackend.training.sources.parted import Parted, part_of
from kbackend.training.steps import Step

#: the values on held-out data after an epoch, told to the listeners as well; none where it is not its turn
Validate = Callable[[int, CallbackList], dict[str, Any]]
#: the listeners of calls without callbacks
NOBODY = CallbackList()


def fit(
    model: Any,
    step: Step,
    target: Any,
    batches: Source,
    epochs: range,
    order: Callable[[int | None], np.ndarray | None],
    callbacks: Sequence[Callback] = (),
    verbose: int = 0,
    validate: Validate | None = None,
    finish: Callable[[], None] | None = None,
    resume: Any = None,
    team: Team | None = None,
) -> History:
    """Run a step over the batches for some epochs.

    Args:
        model: what callbacks get as their model. Training ends when its ``stop_training`` becomes true; its
            ``history`` is set. It begins with its ``initial_epoch``, which callbacks may set in ``on_train_begin``.
        step: the step.
        target: where it runs.
        batches: the data.
        epochs: the numbers of the epochs.
        order: gives the order of an epoch for a number of samples or batches, None for that of the data.
        callbacks: told of all that happens; the history comes after them.
        verbose: 0 silent, 1 a progress bar, 2 a line an epoch.
        validate: gives the values on held-out data, None where there is none.
        finish: called after the last epoch.
        resume: a folder for checkpoints, or BackupAndRestore; those among the callbacks when None.
        team: the processes that train together, each on its part of the batches.
    """
    if team is not None:
        batches, callbacks = Parted(batches, team), _of_process(callbacks, team)
        verbose = verbose if team.writes else 0
    history = History()
    bars = [c for c in callbacks if isinstance(c, ProgbarLogger)]
    shown = [ProgbarLogger(verbose)] if verbose and not bars else []
    listeners = CallbackList([*callbacks, *shown, history], model=model)
    bars += shown
    settings = [c for c in callbacks if isinstance(c, BackupAndRestore)] if resume is None else [resume]
    watched = settings or team is not None or listeners.heard("train_batch", ProgbarLogger)
    joined = None if watched else step.joined(target, batches.shapes, batches.held is None)
    program: Any = joined or step.function.program(target, step.phase, shapes=batches.shapes)
    run = program if team is None else team.guarded(program)
    validated = [] if validate is None else [f"val_{name}" for name in step.names]
    params = {
        "epochs": epochs.stop,
        "steps": batches.steps,
        "samples": batches.samples,
        "batch_size": batches.batch_size,
        "verbose": verbose,
        "do_validation": validate is not None,
        "metrics": [*step.names, *validated],
        "engine": target.key,
        "rng": program.rng,
    }
    listeners.set_params(params)
    model.stop_training = False
    model.history = history
    backups = None
    if settings:
        whole = step if team is None else model._steps.train(batches.sample.form)  # whose draws any process has
        backups = Backups(BackupAndRestore.of(settings[-1]), model, whole, batches, epochs.start, team)
    start = Start(epochs.start) if backups is None else backups.start()
    if team is not None:
        team.agree(_facts(model, step, batches, epochs, start))
    for _ in range(epochs.start, start.epoch):
        batches.pass_over(lambda: order(batches.units))
    model.initial_epoch, ended = start.epoch, False
    try:
        listeners.call("train_begin", None)
        if backups is not None:
            backups.tell(listeners)
        warned = any(isinstance(callback, TerminateOnNaN) for callback in callbacks)  # which says so itself
        for epoch in range(model.initial_epoch, start.epoch if start.ended else epochs.stop):
            listeners.call("epoch_begin", epoch, None)
            step.reset()
            means = step.means(target, joined)
            skip = start.batches if epoch == start.epoch else 0
            if backups is not None:
                backups.enter(means)
            with closing(batches.epoch(target.feed, order(batches.units), skip)) as some:
                _epoch(model, run, some, means, listeners, epoch, skip, backups)
            logs = dict(zip(means.names, means.fetch()))
            if means.not_finite is not None and not warned:
                warned = True
                _warn_of_loss(epoch, *means.not_finite)
            if validate is not None:
                logs |= {f"val_{name}": value for name, value in validate(epoch, listeners).items()}
            listeners.call("epoch_end", epoch, logs)
            if team is not None:
                model.stop_training = team.any(model.stop_training)
            if backups is not None:
                backups.after_epoch(epoch, model.stop_training or epoch + 1 == epochs.stop)
            if model.stop_training:
                break
            if batches.steps != params["steps"]:  # a dataset may change its length at the end of an epoch
                params |= {"steps": batches.steps, "samples": batches.samples}
                listeners.set_params(params)
        if finish is not None:
            finish()
        listeners.call("train_end", None)
        ended = True
    finally:
        for bar in bars:
            bar.close()
        if backups is not None:
            backups.close(ended)
    if team is not None:
        team.wait()  # for the last file
    return history


def _of_process(callbacks: Sequence[Callback], team: Team) -> list[Callback]:
    """The callbacks that are told in this process.

    Raises:
        DistributedError: one that is told in the first process alone, and reads weights that are divided.
    """
    for callback in callbacks if team.pieces is not None else ():
        if callback.reads_weights and not callback.in_all_processes:
            raise DistributedError(
                f"{type(callback).__name__} reads weights in the first process alone, as it is set up here; with "
                "DataParallel(shard=True) all processes must read them together"
            )
    return [c for c in callbacks if team.writes or c.in_all_processes]


def _facts(model: Any, step: Step, batches: Source, epochs: range, start: Start) -> dict[str, Any]:
    """What must be the same in all processes before the first step."""
    return {
        **facts_of(step.function.graph),
        "the seed": model.shuffle_seed,
        "the data": [batches.steps, batches.samples, batches.batch_size, *(a.shape[1:] for a in batches.sample.flat)],
        "the epochs": epochs,
        "the place in the training": start,
    }


def _warn_of_loss(epoch: int, batch: int, loss: float) -> None:
    warn_caller(
        f"the loss is {loss} since epoch {epoch + 1}, batch {batch}. Often the learning rate is too high (clipnorm "
        "helps too), or the data holds NaN; callbacks.TerminateOnNaN() ends training there",
        RuntimeWarning,
    )


def _epoch(
    model: Any,
    program: Any,
    batches: Iterable[Any],
    means: Means,
    listeners: CallbackList,
    epoch: int,
    skip: int,
    backups: Backups | None,
) -> None:
    begins, ends = listeners.has("train_batch_begin"), listeners.has("train_batch_end")
    for index, (size, fed) in enumerate(batches, skip):
        if ends:
            means.settle()
        if begins:
            listeners.call("train_batch_begin", index, {"batch": index, "size": size})
        outputs = program(fed)
        means.add(size, outputs)
        if ends:
            listeners.call("train_batch_end", index, means.batch_logs(index, size, outputs))
        if backups is not None and not model.stop_training:
            backups.after_batch(epoch, index + 1, means)
        if model.stop_training:
            break
    means.settle()


def evaluate(
    step: Step, target: Any, batches: Source, listeners: CallbackList | None = None, team: Team | None = None
) -> dict[str, Any]:
    """The means of a step's values over the batches; ``team`` are the processes that compute them together."""
    told = NOBODY if listeners is None else listeners
    if team is not None:
        team.meet(step.function.graph)
        batches = Parted(batches, team)
    watched = team is not None or told.heard("test_batch", ProgbarLogger)
    joined = None if watched else step.joined(target, None, batches.held is None)
    program: Any = joined or step.function.program(target, step.phase)
    if team is not None:
        program = team.guarded(program)
    step.reset()
    means = step.means(target, joined)
    told.call("test_begin", None)
    begins, ends = told.has("test_batch_begin"), told.has("test_batch_end")
    some = batches.epoch(target.feed)
    try:
        for index, (size, fed) in enumerate(some):
            if ends:
                means.settle()
            if begins:
                told.call("test_batch_begin", index, {"batch": index, "size": size})
            outputs = program(fed)
            means.add(size, outputs)
            if ends:
                told.call("test_batch_end", index, means.batch_logs(index, size, outputs))
    finally:
        some.close()
    means.settle()
    logs = dict(zip(means.names, means.fetch()))
    told.call("test_end", logs)
    return logs


def once(
    step: Step,
    target: Any,
    arrays: Sequence[np.ndarray],
    size: int,
    means: Means | None = None,
    team: Team | None = None,
) -> dict[str, Any]:
    """The values of one step by name.

    Args:
        size: the number of samples.
        means: of the steps before it, which this one is added to; None for this step alone.
        team: the processes that make it together.
    """
    if means is None:
        step.reset()
        means = step.means(target)
    program = step.function.program(target, step.phase)
    if team is None:
        means.add(size, program([target.feed(a) for a in arrays]))
    else:
        team.meet(step.function.graph)
        means.add(size, team.guarded(program)(part_of(arrays, size, team, target.feed)))
    return dict(zip(means.names, means.fetch()))


def predict_once(function: Function, target: Any, values: Sequence[Any]) -> list[np.ndarray]:
    """The outputs for one batch; the values are checked as those of ``K.function`` are."""
    return [target.backend.to_numpy(t) for t in function.run(values, target, 0)]


def predict_batch(function: Function, target: Any, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
    """The outputs for arrays that were checked, as one batch."""
    program = function.program(target, 0)
    return [target.backend.to_numpy(t) for t in program([target.feed(a) for a in arrays])]


def predict(
    function: Function, target: Any, batches: Source, listeners: CallbackList | None = None
) -> list[np.ndarray]:
    """The outputs for all batches, joined."""
    told = NOBODY if listeners is None else listeners
    program, to_numpy = function.program(target, 0), target.backend.to_numpy
    rows = []
    told.call("predict_begin", None)
    with closing(batches.epoch(target.feed)) as some:
        for index, (size, fed) in enumerate(some):
            known = {"batch": index, "size": size}
            told.call("predict_batch_begin", index, known)
            rows.append([to_numpy(t) for t in program(fed)])
            told.call("predict_batch_end", index, {**known, "outputs": rows[-1]})
    told.call("predict_end", None)
    return [parts[0] if len(parts) == 1 else np.concatenate(parts) for parts in zip(*rows)]
