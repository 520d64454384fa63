"""What a compiled model computes beside its outputs: targets, weights, losses and metrics, as tensors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kbackend import config, losses, metrics
from kbackend.classic.state import placeholder
from kbackend.graph.tensor import Tensor
from kbackend.ops.arrays.reshape import expand_dims
from kbackend.ops.core.cast import cast
from kbackend.ops.core.creation import zeros_like
from kbackend.ops.elementwise.arithmetic import add, divide, multiply
from kbackend.ops.elementwise.select import maximum
from kbackend.ops.reduction.reductions import mean, sum_


class Objective:
    """Losses and metrics of a model, for steps with or without sample weights.

    Attributes:
        targets: one placeholder for each output that has a loss.
        weights: one placeholder for each target, empty when not ``weighted``.
        total: the loss that is minimised.
        names: names of the values of a step, 'loss' first.
        values: their tensors, each a mean over the batch.
        masses: for each value None (its weight in an epoch's mean is the batch size) or a tensor with its weight.
    """

    def __init__(self, model: Any, spec: Spec, weighted: bool) -> None:
        self.targets: list[Tensor] = []
        self.weights: list[Tensor] = []
        self.names: list[str] = ["loss"]
        self.values: list[Any] = [None]
        self.masses: list[Any] = [None]
        parts, metric_rows = [], []
        for name, output, loss, factor in zip(model.output_names, model.outputs, spec.losses, spec.factors):
            if loss is None:
                continue
            target, weight = self._placeholders(name, output, loss, weighted)
            mask = getattr(output, "_keras_mask", None)
            value = _weighted_mean(loss(target, output), weight, mask)
            parts.append(value if factor is None else multiply(value, factor))
            if len([x for x in spec.losses if x is not None]) > 1:
                self._add(f"{name}_loss", value)
            metric_rows.append((name, output, loss, target, weight, mask))
        parts += model.losses
        total = parts[0]
        for part in parts[1:]:
            total = add(total, part)
        self.total = self.values[0] = total
        for row in metric_rows:
            self._metrics(spec, *row)

    def _add(self, name: str, value: Tensor, mass: Any = None) -> None:
        self.names.append(name)
        self.values.append(value)
        self.masses.append(mass)

    def _placeholders(self, name: str, output: Tensor, loss: Any, weighted: bool) -> tuple[Tensor, Any]:
        if losses.takes_labels(loss):
            target = placeholder((*output.shape[:-1], 1), dtype="int32", name=f"{name}_target")
        else:
            target = placeholder(output.shape, dtype=output.dtype, name=f"{name}_target")
        self.targets.append(target)
        if not weighted:
            return target, None
        weight = placeholder((None,), dtype=config.floatx(), name=f"{name}_sample_weight")
        self.weights.append(weight)
        return target, weight

    def _metrics(
        self, spec: Spec, name: str, output: Tensor, loss: Any, target: Tensor, weight: Any, mask: Any
    ) -> None:
        several = len([x for x in spec.losses if x is not None]) > 1
        for identifier, use_weight in spec.metrics_of(name):
            label, function = metrics.get(identifier, output, loss)
            score = function(target, output)
            label = f"{name}_{label}" if several else label
            if label in self.names:
                label = f"{label}_{self.names.count(label)}"
            chosen = weight if use_weight else None
            if chosen is None and mask is None:
                self._add(label, mean(score))
                continue
            mass = _broadcast_weight(score, chosen, mask)
            amount = sum_(mass)
            value = divide(
                sum_(multiply(score, mass)),
                maximum(amount, config.epsilon()),
            )
            self._add(label, value, amount)


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


class Spec:
    """The arguments of ``compile``, checked against the model's outputs.

    Raises:
        ValueError: unknown names, or lists of another length than the outputs.
    """

    def __init__(
        self, model: Any, loss: Any, metric_list: Any, loss_weights: Any, weighted_metrics: Any
    ) -> None:
        names = list(model.output_names)
        self.names = names
        self.losses = [
            None if x is None else losses.get(x) for x in _for_each(loss, names, "loss", alone=True)
        ]
        if all(x is None for x in self.losses) and not model.losses:
            raise ValueError("compile needs a loss for at least one output, or add_loss before it")
        self.factors = _for_each(loss_weights, names, "loss_weights")
        self._metrics = _metric_lists(metric_list, names, "metrics")
        self._weighted = _metric_lists(weighted_metrics, names, "weighted_metrics")
        for name, output, found in zip(names, model.outputs, self.losses):
            for identifier, _ in self.metrics_of(name):
                metrics.get(identifier, output, found)

    def metrics_of(self, name: str) -> list[tuple[Any, bool]]:
        """(metric, whether sample weights apply) for an output."""
        return [(m, False) for m in self._metrics[name]] + [(m, True) for m in self._weighted[name]]


def _for_each(value: Any, names: Sequence[str], label: str, alone: bool = False) -> list[Any]:
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


def _metric_lists(value: Any, names: Sequence[str], label: str) -> dict[str, list[Any]]:
    if value is None:
        return {n: [] for n in names}
    if isinstance(value, Mapping):
        per_output = _for_each(value, names, label)
    elif isinstance(value, (list, tuple)) and any(isinstance(v, (list, tuple)) for v in value):
        per_output = _for_each(value, names, label)
    elif isinstance(value, (list, tuple)):
        per_output = [list(value)] * len(names)
    else:
        raise ValueError(f"{label} must be a list or dict, it is {value!r}")
    return {
        n: [] if v is None else list(v) if isinstance(v, (list, tuple)) else [v]
        for n, v in zip(names, per_output)
    }
