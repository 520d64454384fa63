"""What ``compile`` fixes: the optimizer, losses, metrics, weights to train and updates."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from kbackend import config, losses, optimizers
from kbackend.graph.redirect import Redirect
from kbackend.graph.tensor import Tensor
from kbackend.graph.variable import Variable
from kbackend.graph.walk import Graph
from kbackend.ground.arguments import is_number
from kbackend.ground.suggest import did_you_mean
from kbackend.ground.tree import tree_leaves, tree_map
from kbackend.ground.warn import warn_caller
from kbackend.layers.base.input import is_held
from kbackend.layers.base.recording import Measured
from kbackend.lowering.rewrite import feeds_of
from kbackend.metrics.base import Metric as Stateful
from kbackend.metrics.base import clone_metric
from kbackend.metrics.resolve import BY_OUTPUT, resolved
from kbackend.ops.collective.part import number_of_batch
from kbackend.ops.control.subgraph import is_formal
from kbackend.ops.core.leaves import constant
from kbackend.ops.core.updates import as_updates
from kbackend.optimizers import LossScaleOptimizer, Optimizer
from kbackend.runtime.function import checked_jit
from kbackend.training.objective import Metric, Objective, Output
from kbackend.training.protocol import Trainable
from kbackend.training.targets import TargetSpec, specs_of, specs_to_try

Specs = tuple[TargetSpec, ...]


@dataclass(frozen=True)
class Settings:
    """The arguments of ``compile``; their names are known.

    Attributes:
        optimizer: the optimizer.
        loss, metrics, loss_weights, sample_weight_mode, weighted_metrics, target_tensors, jit: as they were given.
        trainable: the model and the layers inside it, with their flags.
    """

    optimizer: Optimizer
    loss: Any = None
    metrics: Any = None
    loss_weights: Any = None
    sample_weight_mode: Any = None
    weighted_metrics: Any = None
    target_tensors: Any = None
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
        sample_weight_mode: Any = None,
        weighted_metrics: Any = None,
        target_tensors: Any = None,
        jit: Any = None,
        auto_scale_loss: bool = True,
    ) -> Settings:
        """Check what can be checked without the outputs of the model. The loss is scaled where a layer computes in
        float16.

        Raises:
            ValueError: unknown names, loss weights that are no numbers, or another jit.
        """
        flags = model._trainable_flags()
        chosen = optimizers.get(optimizer)
        if auto_scale_loss:
            chosen = _scaling(chosen, [layer for layer, _ in flags])
        checked_jit(jit)
        _check_factors(loss_weights)
        _check_names(loss, metrics, weighted_metrics)
        given = (loss, metrics, loss_weights, sample_weight_mode, weighted_metrics, target_tensors, jit)
        return cls(chosen, *given, flags)


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
    _others: dict[Any, Objective] = field(default_factory=dict)
    _chosen: dict[Any, Specs] = field(default_factory=dict)

    @classmethod
    def of(cls, model: Trainable, settings: Settings) -> Compiled:
        """Fix what a model is compiled with.

        Raises:
            ValueError: names of no output, lists of another length than the outputs, or no loss at all.
        """
        with trainable_as(settings.trainable):
            trained = tuple(model.trainable_weights)
            redirect = Redirect(model._frozen_results())
        outputs = _redirected(outputs_of(model.output_names, model.outputs, settings), redirect)
        plain = Objective(
            outputs,
            lambda: _all_redirected(model.losses, redirect),
            measured=lambda: _measured(model, redirect),
        )
        return cls(settings.optimizer, outputs, plain, trained, model, settings.trainable)

    @property
    def updates(self) -> list[Any]:
        """The model's own updates, of the layers that were trainable; those added since then too."""
        with trainable_as(self._flags):
            found = _all_redirected(self._model.updates, Redirect(self._model._frozen_results()))
        _check_outside_of_loops(found, self._model)
        return found

    @cached_property
    def always_weighted(self) -> bool:
        """Whether steps without sample weights take weights of 1: an optimizer with ``get_updates`` of its own, as in
        Keras 2, makes its state there, so that one step is to serve both."""
        return not type(self.optimizer).get_updates.__module__.startswith("kbackend.")

    @cached_property
    def held(self) -> int | None:
        """The samples of the variables and constants among inputs and targets; None where there are none."""
        return samples_held([*self._model.inputs, *(term.target for term in self.plain.terms)])

    @cached_property
    def free(self) -> list[bool]:
        """For each output whose targets are fed whether it takes targets of any shape."""
        return [term.output.takes_any_target for term in self.plain.fed_terms]

    @cached_property
    def weighted(self) -> Objective:
        """The objective with sample weights."""
        return self._made(True, [[spec] for spec in self.plain.specs])

    def of_part(self, weighted: bool, specs: Specs | None = None) -> Objective:
        """The objective made anew, for the part of a batch whose step is being built."""
        measured = [
            Measured(m.metric, *tree_map(_number_of_batch, [m.args, dict(m.kwargs)])) for m in self.plain.measured
        ]
        added = [_number_of_batch(loss) for loss in self.plain.added]
        each = [[spec] for spec in specs or self.plain.specs]
        return Objective(self.outputs, lambda: added, weighted, each, lambda: measured)

    def _made(self, weighted: bool, specs: Sequence[Sequence[TargetSpec]]) -> Objective:
        return Objective(self.outputs, lambda: self.plain.added, weighted, specs, lambda: self.plain.measured)

    def specs_of(self, targets: Sequence[np.ndarray]) -> Specs | None:
        """What the objective for targets needs to know of them; None where it is that of :attr:`plain`.

        Raises:
            Exception: a loss of the user's own that does not take them.
        """
        if not any(self.free):
            return None
        arrays = {id(term): array for term, array in zip(self.plain.fed_terms, targets)}
        tried = tuple(
            tuple(specs_of(arrays[id(term)], term.output.tensor))
            if term.output.takes_any_target and id(term) in arrays
            else (term.spec,)
            for term in self.plain.terms
        )
        wanted = tuple(specs[0] for specs in tried)
        if wanted != self.plain.specs and (False, wanted) not in self._others:
            if tried not in self._chosen:
                made = self._made(False, tried)
                self._chosen[tried] = made.specs
                self._others.setdefault((False, made.specs), made)
            wanted = self._chosen[tried]
        return None if wanted == self.plain.specs else wanted

    def objective(self, weighted: bool, specs: Specs | None = None) -> Objective:
        """The objective with or without sample weights, for targets of :meth:`specs_of`."""
        if specs is None:
            return self.weighted if weighted else self.plain
        if (weighted, specs) not in self._others:
            self._others[weighted, specs] = self._made(weighted, [[spec] for spec in specs])
        return self._others[weighted, specs]


def samples_held(tensors: Sequence[Tensor]) -> int | None:
    """The samples of the variables and constants among tensors; None where there are none."""
    return next((t.shape[0] for t in tensors if is_held(t) and t.ndim), None)


def _number_of_batch(value: Any) -> Any:
    return number_of_batch(value) if isinstance(value, Tensor) else value


def _check_outside_of_loops(updates: Sequence[Any], model: Trainable) -> None:
    """Refuse updates from values that only the body of a loop has.

    Raises:
        ValueError: there are such.
    """
    updates = as_updates(updates)
    lacking = {id(t) for t in feeds_of(Graph(model.inputs, [value for _, value in updates])) if is_formal(t)}
    if not lacking:
        return
    names = [v.name for v, value in updates if any(id(t) in lacking for t in feeds_of(Graph(model.inputs, [value])))]
    raise ValueError(
        f"model {model.name} cannot be trained: the updates of {', '.join(names)} come from a layer that is called in "
        "the body of a loop (map_fn, rnn, while_loop and the like) and would run an unknown number of times; call the "
        "layer outside of the loop (TimeDistributed does), or freeze it (trainable = False)"
    )


@contextmanager
def trainable_as(flags: Sequence[tuple[Any, bool]]) -> Iterator[None]:
    """A context in which layers are trainable as they were."""
    now = [(layer, layer.trainable) for layer, _ in flags]
    try:
        for layer, flag in flags:
            layer.trainable = flag
        yield
    finally:
        for layer, flag in now:
            layer.trainable = flag


def warn_of_flags(settings: Settings | None) -> None:
    """Warn of layers with weights that became trainable, or no longer are, since ``compile``."""
    flags = () if settings is None else settings.trainable
    changed = [layer.name for layer, flag in flags if bool(layer.trainable) is not bool(flag) and layer.weights]
    if changed:
        warn_caller(
            f"`trainable` of {', '.join(changed)} was changed after compile; training goes by its former values until "
            "compile is called again"
        )


def _all_redirected(values: Sequence[Any], redirect: Redirect) -> list[Any]:
    """The values, which may be pairs (variable, new value), with the results of frozen layers replaced."""
    tensors = iter(redirect([t for t in tree_leaves(values) if isinstance(t, Tensor)]))
    return tree_map(lambda v: next(tensors) if isinstance(v, Tensor) else v, list(values))


def _measured(model: Trainable, redirect: Redirect) -> list[Any]:
    """What the metrics of the model take, with the results of frozen layers replaced."""
    found = [(m.metric, m.args, dict(m.kwargs)) for m in model.measured]
    args = _all_redirected([each[1:] for each in found], redirect)
    return [Measured(metric, *given) for (metric, *_), given in zip(found, args)]


def _redirected(outputs: Sequence[Output], redirect: Redirect) -> tuple[Output, ...]:
    """The outputs with the results of frozen layers replaced, and their masks too."""
    found = []
    for output, tensor in zip(outputs, redirect([output.tensor for output in outputs])):
        mask = output.tensor._keras_mask
        if tensor is not output.tensor and mask is not None:
            tensor._keras_mask = redirect([mask])[0]
        found.append(replace(output, tensor=tensor))
    return tuple(found)


def _scaling(optimizer: Any, layers: Sequence[Any]) -> Any:
    """The optimizer, with a loss scale where a layer has the policy mixed_float16. One that makes its updates itself,
    as in Keras 2, takes the gradients itself too, and stays."""
    own = not type(optimizer).get_updates.__module__.startswith("kbackend.")
    if own or isinstance(optimizer, LossScaleOptimizer):
        return optimizer
    mixed = any(layer.dtype_policy.name == "mixed_float16" for layer in layers)
    return LossScaleOptimizer(optimizer) if mixed else optimizer


def _check_factors(loss_weights: Any) -> None:
    for leaf in tree_leaves(loss_weights):
        scalar = leaf.shape == () if isinstance(leaf, Tensor) else leaf is None or is_number(leaf)
        if not scalar:
            raise ValueError(f"compile: loss_weights must be numbers or scalar variables, one of them is {leaf!r}")


def _check_names(loss: Any, *metric_lists: Any) -> None:
    for leaf in tree_leaves(loss):
        if leaf is not None:
            losses.get(leaf)
    for leaf in tree_leaves(metric_lists):
        if leaf is not None:
            resolved(leaf)


def outputs_of(names: Sequence[str], tensors: Sequence[Tensor], settings: Settings) -> tuple[Output, ...]:
    """The outputs of a model with their losses and metrics.

    Raises:
        ValueError: names of no output, or lists of another length than the outputs.
    """
    names = list(names)
    found = [None if x is None else losses.get(x) for x in each_of(settings.loss, names, "loss", alone=True)]
    factors = each_of(settings.loss_weights, names, "loss_weights")
    plain = _listseach_of(settings.metrics, names, "metrics")
    weighted = _listseach_of(settings.weighted_metrics, names, "weighted_metrics")
    modes = each_of(settings.sample_weight_mode, names, "sample_weight_mode", alone=True)
    targets = each_of(settings.target_tensors, names, "target_tensors")
    made: list[Output] = []
    used: list[Any] = []
    for place, (name, tensor) in enumerate(zip(names, tensors)):
        chosen = [(m, False) for m in plain[place]] + [(m, True) for m in weighted[place]]
        wanted = tuple(Metric(*_one_each(m, used), use) for m, use in chosen)
        temporal, target = _is_temporal(modes[place], name, tensor), _checked_target(targets[place], name)
        made.append(Output(name, tensor, found[place], factors[place], wanted, temporal, target))
        _check_target_shape(made[-1])
    return tuple(made)


def _is_temporal(mode: Any, name: str, tensor: Tensor) -> bool:
    if mode not in (None, "temporal"):
        raise ValueError(f"sample_weight_mode must be None or 'temporal', for {name!r} it is {mode!r}")
    if mode and tensor.ndim < 3:
        raise ValueError(
            f"sample_weight_mode='temporal' needs an output with steps, (batch, steps, ...); {name!r} has the shape "
            f"{tensor.shape}"
        )
    return mode is not None


def _checked_target(target: Any, name: str) -> Tensor | None:
    if target is None or isinstance(target, Tensor):
        return target
    if isinstance(target, np.ndarray):
        return constant(target, dtype=config.floatx() if target.dtype.kind == "f" else None)
    raise TypeError(
        "target_tensors must be placeholders that the targets are fed to, or tensors with the targets, for "
        f"{name!r} it is {target!r}"
    )


def _may_be(shape: Sequence[int | None], wanted: Sequence[int | None]) -> bool:
    pairs = zip(shape, wanted)
    return len(shape) == len(wanted) and all(a is None or b is None or a == b for a, b in pairs)


def _check_target_shape(output: Output) -> None:
    """Refuse a given target that the loss of the library would stretch over the output.

    Raises:
        ValueError: another shape than the loss needs; a last dimension of 1 may be missing.
    """
    target, loss = output.target, output.loss
    if target is None or loss is None or losses.is_own(loss) or losses.function_of(loss) is losses.ctc:
        return
    wanted = specs_to_try(loss, output.tensor)[0].shape
    shapes = [wanted, wanted[:-1]] if wanted[-1:] in ((1,), (None,)) else [wanted]
    if not any(_may_be(target.shape, shape) for shape in shapes):
        raise ValueError(
            f"target_tensors: the targets of {output.name!r} have the shape {target.shape}, its loss needs {wanted}; a "
            "loss of one's own, a function (y_true, y_pred), may take any"
        )


def _one_each(identifier: Any, used: list[Any]) -> tuple[str, Any]:
    """The name of a metric, and its function, or a name that depends on the targets; a copy where it is an object that
    measures another output already."""
    if isinstance(identifier, str) and identifier in BY_OUTPUT:
        return identifier, identifier
    name, found = resolved(identifier)
    if isinstance(found, Stateful):
        found = clone_metric(found) if any(found is other for other in used) else found
        used.append(found)
    return name, found


def each_of(value: Any, names: Sequence[str], label: str, alone: bool = False) -> list[Any]:
    """The entry of an argument for each output; one value that is ``alone`` is for all of them."""
    if value is None:
        return [None] * len(names)
    if isinstance(value, Mapping):
        unknown = [n for n in value if n not in names]
        if unknown:
            hint = did_you_mean(unknown[0], names)
            raise ValueError(f"{label}: unknown outputs {unknown}; the model has {list(names)}.{hint}".rstrip("."))
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


def _listseach_of(value: Any, names: Sequence[str], label: str) -> list[list[Any]]:
    """The list of metrics of each output."""
    if value is None:
        return [[] for _ in names]
    if not isinstance(value, (list, tuple, Mapping)):
        raise ValueError(f"{label} must be a list or dict, it is {value!r}")
    by_output = isinstance(value, Mapping) or any(isinstance(v, (list, tuple)) for v in value)
    found = each_of(value, names, label) if by_output else [list(value)] * len(names)
    return [[] if v is None else list(v) if isinstance(v, (list, tuple)) else [v] for v in found]
