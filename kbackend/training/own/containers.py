"""What ``compile`` was given, for the tensors of a step of one's own: the loss of predictions, and metrics of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

from kbackend import losses
from kbackend.graph.tensor import Tensor
from kbackend.graph.variable import Variable, recorder
from kbackend.ground.tree import tree_leaves
from kbackend.layers.base.recording import root
from kbackend.layers.base.structures import flat_tensors
from kbackend.metrics.reduction import Mean
from kbackend.ops.arrays.reshape import expand_dims
from kbackend.ops.arrays.reshape import shape as shape_of
from kbackend.ops.core.cast import cast
from kbackend.training.compiled import Settings, each_of, outputs_of
from kbackend.training.objective import Objective, Output
from kbackend.training.own.step import StepRoot


class Containers:
    """The losses and metrics of a model for one ``compile``.

    Args:
        model: the model.
        settings: the arguments of compile.

    Attributes:
        tracker: the mean of the loss, named 'loss'.
        metrics: of compile, as one.
    """

    def __init__(self, model: Any, settings: Settings) -> None:
        self._model, self._settings = model, settings
        self._templates: dict[tuple[str, ...], tuple[Output, ...]] = {}
        self.tracker = Mean("loss")
        self.metrics = CompiledMetrics(self.objective)

    @cached_property
    def shown(self) -> list[Any]:
        """The metrics of compile: none, or one that stands for all."""
        settings = self._settings
        named = [m for m in tree_leaves((settings.metrics, settings.weighted_metrics)) if m is not None]
        several = len(tree_leaves(settings.loss)) > 1
        return [self.metrics] if named or several else []

    def objective(
        self, y: Any, y_pred: Any, sample_weight: Any = None, added: Callable[[], Sequence[Any]] = tuple
    ) -> Objective:
        """The losses and metrics of predictions.

        Args:
            y, y_pred, sample_weight: tensors, or lists or dicts of tensors by output; y None for no targets.
            added: gives further scalars of the total.

        Raises:
            ValueError: there is no loss, or the structures do not fit the arguments of compile.
        """
        tensors = flat_tensors(y_pred)
        if y is None:
            return Objective((), added)
        names = self._names(y_pred, len(tensors))
        if names not in self._templates:
            self._templates[names] = outputs_of(names, tensors, self._settings)
        targets = each_of(y, names, "y")
        weights = each_of(sample_weight, names, "sample_weight", alone=True)
        outputs = [
            replace(output, tensor=tensor, target=_fitted(target, tensor, output.loss), weight=weight)
            for output, tensor, target, weight in zip(self._templates[names], tensors, targets, weights)
        ]
        return Objective(outputs, added, any(w is not None for w in weights))

    def _names(self, y_pred: Any, count: int) -> tuple[str, ...]:
        if isinstance(y_pred, dict):
            return tuple(map(str, y_pred))
        model = self._model
        known = tuple(model.output_names) if model.built and not model.has_no_call else ()
        return known if len(known) == count else tuple(f"output_{i + 1}" for i in range(count))

    def loss(self, y: Any, y_pred: Any, sample_weight: Any = None, added: Sequence[Any] = ()) -> Tensor:
        """The loss of predictions, with further scalars added. A step that shows metrics shows it too.

        Raises:
            ValueError: there is no loss.
        """
        total = self.objective(y, y_pred, sample_weight, lambda: added).total
        self.note(total, y_pred)
        return total

    def note(self, loss: Any, y_pred: Any) -> None:
        """Let a step show a loss, unless it shows another one."""
        step = root()
        if isinstance(step, StepRoot):
            sized = flat_tensors(y_pred)
            step.loss = loss, batch_size(sized) if sized else 1.0

    def track_loss(self) -> None:
        """Take the loss that the step has computed into its mean, once."""
        step = root()
        if isinstance(step, StepRoot) and step.loss is not None:
            (loss, size), step.loss = step.loss, None
            self.tracker.update_state(loss, sample_weight=size)

    @property
    def variables(self) -> list[Variable]:
        """The states."""
        return [*self.tracker.variables, *self.metrics.variables]


class CompiledLoss:
    """``model.compiled_loss(y, y_pred)``: the loss of compile, as Keras 2 has it; its mean is among the metrics."""

    def __init__(self, containers: Containers) -> None:
        self._containers = containers

    def __call__(
        self, y_true: Any, y_pred: Any, sample_weight: Any = None, regularization_losses: Any = None
    ) -> Tensor:
        """The loss of predictions, and the ``regularization_losses`` added."""
        total = self._containers.loss(y_true, y_pred, sample_weight, list(regularization_losses or ()))
        self._containers.track_loss()
        return total


class CompiledMetrics:
    """The metrics of ``compile`` as one, whose result is a dict.

    Args:
        objective: gives the losses and metrics of targets, predictions and sample weights.
    """

    name = "compile_metrics"

    def __init__(self, objective: Callable[..., Objective]) -> None:
        self._objective = objective
        self._means: dict[str, Mean] = {}
        self._shown: list[tuple[str, str, Any]] = []

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take a batch, in a step.

        Raises:
            RuntimeError: outside of a step.
        """
        taken = recorder.get()
        if taken is None:
            raise RuntimeError("compiled metrics are updated in train_step and test_step only")
        objective = self._objective(y_true, y_pred, sample_weight)
        for variable, value in objective.updates:
            taken.put(variable, value)
        states = {place: (prefix, state) for place, prefix, state in objective.shown}
        values = iter(zip(objective.values, objective.masses))
        self._shown = []
        size = batch_size(y_pred)
        for place, name in enumerate(objective.names):
            if place in states:
                self._shown.append((name, *states[place]))
            elif place not in objective.results:
                value, mass = next(values)
                if place:
                    mean = self._means.setdefault(name, Mean(name))
                    mean.update_state(value, sample_weight=size if mass is None else mass)
                    self._shown.append((name, "", mean))

    def result(self) -> dict[str, Any]:
        """The values by name."""
        found: dict[str, Any] = {}
        for name, prefix, metric in self._shown:
            value = metric.result()
            found |= {f"{prefix}{k}": v for k, v in value.items()} if isinstance(value, dict) else {name: value}
        return found

    def reset_state(self) -> None:
        """Make all states zero."""
        for _, _, metric in self._shown:
            metric.reset_state()

    @property
    def variables(self) -> list[Variable]:
        """The states."""
        return [v for _, _, metric in self._shown for v in metric.variables]


def batch_size(tensors: Any) -> Any:
    """The number of samples of a batch as a float tensor."""
    first = next(iter(flat_tensors(tensors)))
    return cast(shape_of(first)[0], "float32")


def _fitted(target: Any, output: Tensor, loss: Any) -> Any:
    """Targets in the rank and dtype that a loss of the library needs."""
    if target is None:
        return None
    labels = losses.takes_labels(loss)
    if target.ndim == output.ndim - 1 and (labels or output.shape[-1] == 1):
        target = expand_dims(target, -1)
    if labels or target.dtype == output.dtype or losses.is_own(loss):
        return target
    return cast(target, output.dtype)
