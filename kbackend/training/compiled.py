"""What ``compile`` fixes: the optimizer, losses, metrics, weights to train and updates."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from kbackend import losses, optimizers
from kbackend.graph.redirect import Redirect
from kbackend.graph.tensor import Tensor
from kbackend.graph.variable import Variable
from kbackend.ground.tree import tree_leaves, tree_map
from kbackend.metrics.base import Metric as Stateful
from kbackend.metrics.base import clone_metric
from kbackend.metrics.resolve import resolved
from kbackend.optimizers import Optimizer
from kbackend.runtime.function import checked_jit
from kbackend.training.objective import Metric, Objective, Output
from kbackend.training.protocol import Trainable


@dataclass(frozen=True)
class Settings:
    """The arguments of ``compile``; their names are known.

    Attributes:
        optimizer: the optimizer.
        loss, metrics, loss_weights, weighted_metrics, jit: as they were given.
        trainable: the model and the layers inside it, with their flags.
    """

    optimizer: Optimizer
    loss: Any = None
    metrics: Any = None
    loss_weights: Any = None
    weighted_metrics: Any = None
    jit: Any = None
    trainable: tuple[tuple[Any, bool], ...] = ()

    @classmethod
    def of(
        cls,
        model: Trainable,
        optimizer: Any,
        loss: Any = None,
        metrics: Any = None,
        loss_weights: Any = None,
        weighted_metrics: Any = None,
        jit: Any = None,
    ) -> Settings:
        """Check what can be checked without the outputs of the model.

        Raises:
            ValueError: unknown names, or another jit.
        """
        chosen = optimizers.get(optimizer)
        checked_jit(jit)
        _check_names(loss, metrics, weighted_metrics)
        return cls(chosen, loss, metrics, loss_weights, weighted_metrics, jit, model._trainable_flags())


@dataclass(frozen=True)
class Compiled:
    """The arguments of ``compile`` for the outputs of a model, and the state of the model that belongs to them.

    Attributes:
        optimizer: the optimizer.
        outputs: the model's outputs, with their losses and metrics.
        plain: the objective without sample weights.
        trained: the weights that are trained.
    """

    optimizer: Optimizer
    outputs: tuple[Output, ...]
    plain: Objective
    trained: tuple[Variable, ...]
    _model: Trainable
    _flags: tuple[tuple[Any, bool], ...]

    @classmethod
    def of(cls, model: Trainable, settings: Settings) -> Compiled:
        """Fix what a model is compiled with.

        Raises:
            ValueError: names of no output, lists of another length than the outputs, or no loss at all.
        """
        with _trainable_as(settings.trainable):
            trained = tuple(model.trainable_weights)
            redirect = Redirect(model._frozen_results())
        outputs = _redirected(_outputs(model, settings), redirect)
        plain = Objective(outputs, lambda: _all_redirected(model.losses, redirect))
        return cls(settings.optimizer, outputs, plain, trained, model, settings.trainable)

    @property
    def updates(self) -> list[Any]:
        """The model's own updates, of the layers that were trainable; those added since then too."""
        with _trainable_as(self._flags):
            return _all_redirected(self._model.updates, Redirect(self._model._frozen_results()))

    @cached_property
    def weighted(self) -> Objective:
        """The objective with sample weights."""
        return Objective(self.outputs, lambda: self.plain.added, weighted=True)

    def objective(self, weighted: bool) -> Objective:
        return self.weighted if weighted else self.plain


@contextmanager
def _trainable_as(flags: Sequence[tuple[Any, bool]]) -> Iterator[None]:
    """A context in which layers are trainable as they were."""
    now = [(layer, layer.trainable) for layer, _ in flags]
    try:
        for layer, flag in flags:
            layer.trainable = flag
        yield
    finally:
        for layer, flag in now:
            layer.trainable = flag


def _all_redirected(values: Sequence[Any], redirect: Redirect) -> list[Any]:
    """The values, which may be pairs (variable, new value), with the results of frozen layers replaced."""
    tensors = iter(redirect([t for t in tree_leaves(values) if isinstance(t, Tensor)]))
    return tree_map(lambda v: next(tensors) if isinstance(v, Tensor) else v, list(values))


def _redirected(outputs: Sequence[Output], redirect: Redirect) -> tuple[Output, ...]:
    """The outputs with the results of frozen layers replaced, and their masks too."""
    found = []
    for output, tensor in zip(outputs, redirect([output.tensor for output in outputs])):
        mask = output.tensor._keras_mask
        if tensor is not output.tensor and mask is not None:
            tensor._keras_mask = redirect([mask])[0]
        found.append(replace(output, tensor=tensor))
    return tuple(found)


def _check_names(loss: Any, *metric_lists: Any) -> None:
    for leaf in tree_leaves(loss):
        if leaf is not None:
            losses.get(leaf)
    for leaf in tree_leaves(metric_lists):
        if leaf is not None:
            resolved(leaf)


def _outputs(model: Trainable, settings: Settings) -> tuple[Output, ...]:
    names = list(model.output_names)
    found = [None if x is None else losses.get(x) for x in _for_each(settings.loss, names, "loss", alone=True)]
    factors = _for_each(settings.loss_weights, names, "loss_weights")
    plain = _lists_for_each(settings.metrics, names, "metrics")
    weighted = _lists_for_each(settings.weighted_metrics, names, "weighted_metrics")
    made: list[Output] = []
    used: list[Any] = []
    for place, (name, tensor) in enumerate(zip(names, model.outputs)):
        chosen = [(m, False) for m in plain[place]] + [(m, True) for m in weighted[place]]
        wanted = tuple(Metric(*_one_each(resolved(m, tensor, found[place]), used), use) for m, use in chosen)
        made.append(Output(name, tensor, found[place], factors[place], wanted))
    return tuple(made)


def _one_each(metric: tuple[str, Any], used: list[Any]) -> tuple[str, Any]:
    """The metric, a copy where it is an object that measures another output already."""
    name, found = metric
    if isinstance(found, Stateful):
        found = clone_metric(found) if any(found is other for other in used) else found
        used.append(found)
    return name, found


def _for_each(value: Any, names: Sequence[str], label: str, alone: bool = False) -> list[Any]:
    """The entry of an argument for each output; one value that is ``alone`` is for all of them."""
    if value is None:
        return [None] * len(names)
    if isinstance(value, Mapping):
        unknown = [n for n in value if n not in names]
        if unknown:
            raise ValueError(f"{label}: unknown outputs {unknown}; the model has {list(names)}")
        return [value.get(n) for n in names]
    if isinstance(value, (list, tuple)):
        if len(value) != len(names):
            raise ValueError(
                f"{label} has {len(value)} entries, the model has {len(names)} outputs ({', '.join(names)})"
            )
        return list(value)
    if alone or len(names) == 1:
        return [value] * len(names)
    raise ValueError(f"{label} must be a list or dict, for the outputs {', '.join(names)}")


def _lists_for_each(value: Any, names: Sequence[str], label: str) -> list[list[Any]]:
    """The list of metrics of each output."""
    if value is None:
        return [[] for _ in names]
    if not isinstance(value, (list, tuple, Mapping)):
        raise ValueError(f"{label} must be a list or dict, it is {value!r}")
    by_output = isinstance(value, Mapping) or any(isinstance(v, (list, tuple)) for v in value)
    found = _for_each(value, names, label) if by_output else [list(value)] * len(names)
    return [[] if v is None else list(v) if isinstance(v, (list, tuple)) else [v] for v in found]
