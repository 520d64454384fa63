"""What a compiled model computes beside its outputs: losses and metrics, as tensors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from kbackend import config, losses
from kbackend.classic.state import placeholder
from kbackend.graph.tensor import Tensor
from kbackend.ops.arrays.reshape import expand_dims
from kbackend.ops.core.cast import cast
from kbackend.ops.core.creation import zeros_like
from kbackend.ops.elementwise.arithmetic import add, divide, multiply
from kbackend.ops.elementwise.select import maximum
from kbackend.ops.reduction.reductions import mean, sum_


class Metric(NamedTuple):
    """A metric of an output: its name, its function ``(y_true, y_pred)``, and whether sample weights apply."""

    name: str
    function: Callable[[Any, Any], Any]
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
    """

    name: str
    tensor: Tensor
    loss: Callable[[Any, Any], Any] | None = None
    factor: Any = None
    metrics: tuple[Metric, ...] = ()


class Objective:
    """Losses and metrics, for steps with or without sample weights.

    Args:
        outputs: those without a loss are passed over.
        added: gives further scalars of the total; called after the losses of the outputs are made.
        weighted: whether each target has sample weights.

    Attributes:
        targets: one placeholder for each output that has a loss.
        target_names: the names of these outputs.
        weights: one placeholder for each target, empty when not ``weighted``.
        added: what ``added`` gave.
        total: the loss that is minimised.
        names: names of the values of a step, 'loss' first.
        values: their tensors, each a mean over the batch.
        masses: for each value None (its weight in an epoch's mean is the batch size) or a tensor with its weight.

    Raises:
        ValueError: there is no loss.
    """

    def __init__(
        self, outputs: Sequence[Output], added: Callable[[], Sequence[Any]] = tuple, weighted: bool = False
    ) -> None:
        self.targets: list[Tensor] = []
        self.target_names: list[str] = []
        self.weights: list[Tensor] = []
        terms = [_Term(output, weighted) for output in outputs if output.loss is not None]
        for term in terms:
            self.targets.append(term.target)
            self.target_names.append(term.output.name)
            if weighted:
                self.weights.append(term.weight)
        self.added = list(added())
        self.total = _sum([*(term.share for term in terms), *self.added])
        self.names: list[str] = ["loss"]
        self.values: list[Any] = [self.total]
        self.masses: list[Any] = [None]
        several = len(terms) > 1
        if several:
            for term in terms:
                self._add(f"{term.output.name}_loss", term.loss)
        for term in terms:
            self._add_metrics(term, f"{term.output.name}_" if several else "")

    def _add(self, name: str, value: Tensor, mass: Any = None) -> None:
        self.names.append(name)
        self.values.append(value)
        self.masses.append(mass)

    def _add_metrics(self, term: _Term, prefix: str) -> None:
        for metric in term.output.metrics:
            name = f"{prefix}{metric.name}"
            if name in self.names:
                name = f"{name}_{self.names.count(name)}"
            self._add(name, *term.measured(metric))


class _Term:
    """The loss of one output.

    Attributes:
        target, weight: placeholders; the weight is None where there are no sample weights.
        loss: the mean over the batch.
        share: the loss times its factor.
    """

    def __init__(self, output: Output, weighted: bool) -> None:
        assert output.loss is not None
        self.output = output
        self.target = _target(output)
        self.weight: Any = None
        if weighted:
            self.weight = placeholder((None,), dtype=config.floatx(), name=f"{output.name}_sample_weight")
        self.mask = output.tensor._keras_mask
        self.loss = _weighted_mean(output.loss(self.target, output.tensor), self.weight, self.mask)
        self.share = self.loss if output.factor is None else multiply(self.loss, output.factor)

    def measured(self, metric: Metric) -> tuple[Tensor, Any]:
        """The mean of a metric over the batch, and its weight in an epoch's mean."""
        score = metric.function(self.target, self.output.tensor)
        weight = self.weight if metric.weighted else None
        if weight is None and self.mask is None:
            return mean(score), None
        mass = _broadcast_weight(score, weight, self.mask)
        amount = sum_(mass)
        return divide(sum_(multiply(score, mass)), maximum(amount, config.epsilon())), amount


def _target(output: Output) -> Tensor:
    tensor, name = output.tensor, f"{output.name}_target"
    if losses.takes_labels(output.loss):
        return placeholder((*tensor.shape[:-1], 1), dtype="int32", name=name)
    return placeholder(tensor.shape, dtype=tensor.dtype, name=name)


def _sum(parts: Sequence[Any]) -> Any:
    if not parts:
        raise ValueError("compile needs a loss for at least one output, or add_loss before it")
    total = parts[0]
    for part in parts[1:]:
        total = add(total, part)
    return total


def _weighted_mean(score: Tensor, weight: Any, mask: Any) -> Tensor:
    """Keras: the sum of the weighted scores over their number; masked steps count with weight 0."""
    if weight is None and mask is None:
        return mean(score)
    return mean(multiply(score, _broadcast_weight(score, weight, mask)))


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
