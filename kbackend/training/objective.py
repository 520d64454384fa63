"""What a compiled model computes beside its outputs: losses and metrics, as tensors."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from kbackend import config, losses
from kbackend.classic.state import placeholder
from kbackend.declare.kept import built
from kbackend.graph.assignments import recording
from kbackend.graph.node import Role
from kbackend.graph.tensor import Tensor
from kbackend.graph.variable import Variable
from kbackend.ground.tree import tree_leaves
from kbackend.losses.base import masked_weight
from kbackend.metrics.base import Metric as Stateful
from kbackend.metrics.reduction import Reduce, is_of_samples
from kbackend.metrics.resolve import resolved
from kbackend.ops.arrays.reshape import expand_dims
from kbackend.ops.collective.part import number_of_batch
from kbackend.ops.core.cast import cast
from kbackend.ops.core.creation import zeros_like
from kbackend.ops.core.updates import as_updates
from kbackend.ops.elementwise.arithmetic import add, divide_no_nan, multiply
from kbackend.ops.elementwise.precision import as_dtype
from kbackend.ops.reduction.reductions import mean, sum_
from kbackend.training.targets import TargetSpec, computed_dtype, specs_to_try


class Metric(NamedTuple):
    """A metric of an output: its name; its function ``(y_true, y_pred)``, a stateful metric, or a name whose meaning
    depends on the targets; and whether sample weights apply."""

    name: str
    function: Any
    weighted: bool


@dataclass(frozen=True)
class Output:
    """An output of a model, with its loss and metrics.

    Attributes:
        name: for targets, losses and metrics.
        tensor: the prediction.
        loss: a function ``(y_true, y_pred)``; None where the output has neither loss nor metrics.
        factor: of the loss in the total: a number or a scalar variable, None for 1.
        metrics: computed beside the loss.
        temporal: whether there is a sample weight for each step of a sample.
        target: its targets: the placeholder that they are fed to, or any other tensor, which takes none; None to make a
            placeholder.
        weight: the sample weights in such a step; None to make a placeholder where there are some.
    """

    name: str
    tensor: Tensor
    loss: Callable[[Any, Any], Any] | None = None
    factor: Any = None
    metrics: tuple[Metric, ...] = ()
    temporal: bool = False
    target: Tensor | None = None
    weight: Tensor | None = None

    @property
    def takes_any_target(self) -> bool:
        """Whether the shape of the targets is that of the data, whatever it is."""
        return self.target is None and losses.is_own(self.loss)


class Objective:
    """Losses and metrics, for steps with or without sample weights.

    Args:
        outputs: those without a loss are passed over.
        added: gives further scalars of the total; called after the losses of the outputs are made.
        weighted: whether each target has sample weights.
        measured: gives what metrics take beside the outputs.
        specs: what the targets of each output with a loss may look like, in the order in which they are tried; None
            before there is data.

    Attributes:
        terms: the losses of the outputs.
        targets: one placeholder for each output that has a loss and is given its targets as data.
        target_names: the names of these outputs.
        weights: one placeholder for each output that has a loss, empty when not ``weighted``.
        added, measured: what the functions gave.
        total: the loss that is minimised.
        names: names of the values and of the results, 'loss' first.
        values: tensors, each a mean over the batch.
        masses: for each value None (its weight in an epoch's mean is the batch size) or a tensor with its weight.
        totals: by their places the sums of values that are means over samples, whatever the others of the batch are,
            and how many numbers of a sample they sum where there is no mass.
        results: what stateful metrics give, by the place of their names.
        updates: of the states of these metrics.
        of_numbers: variables of the metrics that take numbers of the batch, and none for each sample.
        states: these metrics.
        shown: the place of the first name of each, what begins its names, and the metric.

    Raises:
        ValueError: there is no loss.
    """

    def __init__(
        self,
        outputs: Sequence[Output],
        added: Callable[[], Sequence[Any]] = tuple,
        weighted: bool = False,
        specs: Sequence[Sequence[TargetSpec]] | None = None,
        measured: Callable[[], Sequence[Any]] = tuple,
    ) -> None:
        self.targets: list[Tensor] = []
        self.target_names: list[str] = []
        self.weights: list[Tensor] = []
        used = [o for o in outputs if o.loss is not None or o.target is not None and o.metrics]
        each = [specs_to_try(o.loss, o.tensor) for o in used] if specs is None else specs
        self.terms = terms = [_Term(output, weighted, tried) for output, tried in zip(used, each)]
        for term in terms:
            if not term.is_held:
                self.targets.append(term.target)
                self.target_names.append(term.output.name)
            if weighted:
                self.weights.append(term.weight)
        self.added = list(added())
        self.total = _sum([*(term.share for term in terms if term.loss is not None), *self.added])
        self.names: list[str] = ["loss"]
        self.values: list[Any] = [self.total]
        self.masses: list[Any] = [None]
        self.totals: dict[int, tuple[Tensor, int]] = {}
        self.results: dict[int, Any] = {}
        self.updates: list[tuple[Variable, Any]] = []
        self.of_numbers: set[Variable] = set()
        self.states: list[Stateful] = []
        self.shown: list[tuple[int, str, Stateful]] = []
        several = len(outputs) > 1
        if several:
            for term in terms:
                if term.loss is not None:
                    self._add(f"{term.output.name}_loss", term.loss)
        for term in terms:
            self._add_metrics(term, f"{term.output.name}_" if several else "")
        self.measured = list(measured())
        self._add_measured()

    @property
    def fed_terms(self) -> list[_Term]:
        """The losses of the outputs that are given their targets as data."""
        return [term for term in self.terms if not term.is_held]

    @property
    def specs(self) -> tuple[TargetSpec, ...]:
        """Of the targets."""
        return tuple(term.spec for term in self.terms)

    def _add(self, name: str, value: Tensor, mass: Any = None) -> None:
        self.names.append(name)
        self.values.append(value)
        self.masses.append(mass)

    def _add_metrics(self, term: _Term, prefix: str) -> None:
        for metric in term.output.metrics:
            name = self._free(f"{prefix}{metric.name}")
            metric = term.resolved(metric)
            if isinstance(metric.function, Stateful):
                self._add_state(name, prefix, term, metric)
            else:
                value, mass, total = term.measured(metric)
                if total is not None:
                    self.totals[len(self.values)] = total
                self._add(name, value, mass)

    def _free(self, name: str) -> str:
        """The name, with a number where it is taken."""
        numbered = (f"{name}_{count}" for count in itertools.count(1))
        return name if name not in self.names else next(n for n in numbered if n not in self.names)

    def _add_state(self, name: str, prefix: str, term: _Term, metric: Metric) -> None:
        state = metric.function
        if type(state).update_state is Reduce.update_state:
            raise ValueError(
                f"the metric {name!r} takes values, not targets and predictions; give compile a function "
                "(y_true, y_pred) that returns them, or metrics.MeanMetricWrapper"
            )
        weight = masked_weight(term.weight if metric.weighted else None, term.mask, term.output.tensor.dtype)
        options = {} if weight is None else {"sample_weight": weight}
        self.updates += state.updates_for(term.target, term.prediction, **options)
        self._add_result(state, name, prefix)

    def _add_measured(self) -> None:
        """The metrics of layers and of the model; several calls of one are taken one after the other."""
        with recording() as made:
            for each in self.measured:
                built(each.metric.update_state, *each.args, **each.kwargs)
        self.updates += as_updates(made.updates())
        for each in self.measured:
            if all(x.shape == () for x in tree_leaves([each.args, dict(each.kwargs)]) if isinstance(x, Tensor)):
                self.of_numbers.update(each.metric.variables)
        for metric in {id(m.metric): m.metric for m in self.measured}.values():
            self._add_result(metric, self._free(metric.name), "")

    def _add_result(self, state: Stateful, name: str, prefix: str) -> None:
        self.states.append(state)
        self.shown.append((len(self.names), prefix, state))
        result = state.symbolic_result()
        parts = {f"{prefix}{k}": v for k, v in result.items()} if isinstance(result, dict) else {name: result}
        for label, value in parts.items():
            self.results[len(self.names)] = value
            self.names.append(label)


class _Term:
    """The loss of one output.

    Attributes:
        target, weight: placeholders; the weight is None where there are no sample weights.
        prediction: the output, in the dtype in which losses and metrics are computed.
        loss: the mean over the batch.
        share: the loss times its factor.
        spec: of the targets.
    """

    def __init__(self, output: Output, weighted: bool, specs: Sequence[TargetSpec]) -> None:
        self.output = output
        self.weight: Any = None
        if output.target is not None and output.weight is not None:
            self.weight = output.weight
        elif weighted and output.loss is not None:
            shape = (None, None) if output.temporal else (None,)
            self.weight = placeholder(shape, dtype=config.floatx(), name=f"{output.name}_sample_weight")
        self.mask = output.tensor._keras_mask
        self.prediction = as_dtype(output.tensor, computed_dtype(output.tensor.dtype))
        self.prediction._keras_mask = self.mask
        self.target, self.loss = self._measured_as(specs)
        self.spec = TargetSpec(self.target.shape, self.target.dtype)
        self.share: Any = self.loss
        if self.loss is not None and output.factor is not None:
            self.share = multiply(self.loss, output.factor)

    def _measured_as(self, specs: Sequence[TargetSpec]) -> tuple[Tensor, Any]:
        """The targets and the loss for the first of the specs that the loss takes."""
        output = self.output
        if output.target is not None:
            return output.target, self._loss(output.target)
        first: Exception | None = None
        for shape, dtype in specs:
            target = placeholder(shape, dtype=dtype, name=f"{output.name}_target")
            try:
                return target, self._loss(target)
            except Exception as error:  # whatever a loss of the user's own raises
                first = first or error
        assert first is not None
        raise first

    def _loss(self, target: Tensor) -> Any:
        if self.output.loss is None:
            return None
        loss = losses.as_loss(self.output.loss, self.prediction.dtype)
        return loss.in_training(target, self.prediction, self.weight, self.mask)

    @property
    def is_held(self) -> bool:
        """Whether the targets are a tensor that takes no data."""
        return self.target.node.op.role is not Role.PLACEHOLDER

    def resolved(self, metric: Metric) -> Metric:
        """The metric, with what a name such as 'accuracy' means for these targets."""
        if not isinstance(metric.function, str):
            return metric
        function = resolved(metric.function, self.output.tensor, self.output.loss, self.target)[1]
        return metric._replace(function=function)

    def measured(self, metric: Metric) -> tuple[Tensor, Any, tuple[Tensor, int] | None]:
        """The mean of a metric over the batch, its weight in an epoch's mean, and its sum; see Objective.totals."""
        score = number_of_batch(metric.function(self.target, self.prediction))
        of_samples = is_of_samples(metric.function)
        weight = self.weight if metric.weighted else None
        if weight is None and self.mask is None:
            known = of_samples and score.ndim and None not in score.shape[1:]
            return mean(score), None, (sum_(score), math.prod(score.shape[1:])) if known else None
        mass = _broadcast_weight(score, weight, self.mask)
        amount, total = sum_(mass), sum_(multiply(score, mass))
        return divide_no_nan(total, amount), amount, (total, 1) if of_samples else None


def _sum(parts: Sequence[Any]) -> Any:
    if not parts:
        raise ValueError("compile needs a loss for at least one output, or add_loss before it")
    total = parts[0]
    for part in parts[1:]:
        total = add(total, part)
    return total


def _broadcast_weight(score: Tensor, weight: Any, mask: Any) -> Any:
    result: Any = None
    for part in (weight, mask):
        if part is None:
            continue
        part = cast(part, score.dtype)
        while part.ndim < score.ndim:
            part = expand_dims(part, -1)
        result = part if result is None else multiply(result, part)
    return add(result, zeros_like(score)) if result.ndim == score.ndim else result
