"""Steps that a model defines itself: ``train_step``, ``test_step`` and ``predict_step``, traced into one program each.

A step is a method of symbolic data. What it assigns (the weights by an optimizer, the states of metrics, variables by
``assign`` and ``K.update``) becomes the updates of the program, as if its lines had run one after the other: what is
computed after an assignment reads the new value.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from kbackend.callbacks.base import Logs
from kbackend.declare.call import lift
from kbackend.declare.kept import built
from kbackend.graph.assignments import Assignments, recording
from kbackend.graph.redirect import Redirect
from kbackend.graph.tensor import Tensor
from kbackend.graph.variable import recorder
from kbackend.ground.tree import tree_flatten, tree_map, tree_unflatten
from kbackend.ground.warn import warn_caller
from kbackend.layers.base.recording import Root, tracing
from kbackend.metrics.base import reset_all
from kbackend.ops.core.updates import as_updates
from kbackend.runtime.function import Function
from kbackend.streams import Stream, call_streams
from kbackend.training.own.layout import Layout, flat_names


class StepRoot(Root):
    """The calls of layers in a step, whose updates and metrics it takes along when each has ended.

    Args:
        model: whose step it is.
        training: whether layers change their moving averages.

    Attributes:
        loss: the loss that the step has computed last and no mean has taken yet, and the number of samples.
    """

    __slots__ = ("training", "loss")
    ends_losses = True

    def __init__(self, model: Any, training: bool) -> None:
        super().__init__(model)
        self.training = training
        self.loss: Any = None

    def take(self, call: Any) -> Any:
        """Take an outermost call that has ended: its updates are made now. Gives its result, in which the results of
        layers that are not trainable are those of inference."""
        self.calls.append(call)
        redirect = Redirect([r.tensor for r in call.frozen if not r.trainable])
        call.losses = [r._replace(tensor=_redirected(r.tensor, redirect)) for r in call.losses]
        taken = recorder.get()
        for record in call.updates:
            if record.layer.stateful or self.training and record.trainable:
                for variable, value in as_updates([record.tensor]):
                    taken.put(variable, _redirected(value, redirect))
        for each in call.metrics:
            args, kwargs = _redirected((each.args, dict(each.kwargs)), redirect)
            built(each.metric.update_state, *args, **kwargs)
        return _redirected(call.structure, redirect)

    def losses_of(self, layer: Any) -> list[Any]:
        """The losses that the last call of a layer in the step has added, and those added to it by the step."""
        added = super().losses_of(layer)
        for call in reversed(self.calls):
            if call.layer is layer:
                return [*added, *(r.tensor for r in call.losses)]
            inner = [r.tensor for r in call.losses if r.layer is layer or any(one is layer for one in r.around)]
            if inner:
                return [*added, *inner]
        return added


def _redirected(tree: Any, redirect: Redirect) -> Any:
    def one(value: Any) -> Any:
        if not isinstance(value, Tensor):
            return value
        (found,) = redirect([value])
        if found is not value:
            found._keras_mask = value._keras_mask
        return found

    return tree_map(one, tree)


class CustomStep:
    """A function of the data of a batch that returns the values which a model's own step gives by name.

    Args:
        model: the model.
        kind: 'train' or 'test'.
        layout: of the data.
        jit: whether the engine compiles it.

    Attributes:
        names: of the values.
        phase: 1 for training, 0 for tests.
        function: the function.
        states: the metrics that begin anew with each epoch.
        draws: the streams of the random draws in the calls of layers, by layer, and in the step itself.

    Raises:
        TypeError: the step returns no dict of names and values.
    """

    def __init__(self, model: Any, kind: str, layout: Layout, jit: Any) -> None:
        self.phase = int(kind == "train")
        where = f"{type(model).__name__}.{kind}_step"
        feeds, logs, made, self.draws = traced(model, kind, layout)
        found = flat_names(logs, where)
        values = [_as_value(made.current(v), name, where) for name, v in found.items()]
        updates = as_updates(made.updates())
        if kind == "train" and not updates:
            warn_caller(
                f"{where} changes nothing: apply gradients (self.optimizer.minimize(loss, self.trainable_weights)) or "
                "assign variables in it"
            )
        self.names = list(found)
        self.function = Function(feeds, values, updates, f"{model.name}_{kind}_step", jit, self.phase)
        self.states = list(model.metrics)

    def reset(self) -> None:
        """Make the states of the metrics zero."""
        reset_all(self.states)

    @property
    def programs(self) -> list[Any]:
        """The cached programs of the step, one for each engine and device."""
        return list(self.function.programs.values())

    def joined(self, target: Any, shapes: Any, copied: bool) -> None:
        """The step takes its metrics itself."""

    def means(self, target: Any, joined: Any = None) -> Latest:
        """The values of the last step, none so far."""
        return Latest(self.names, target.backend)


def traced(
    model: Any, kind: str, layout: Layout
) -> tuple[list[Tensor], Any, Assignments, dict[str, list[Sequence[Stream]]]]:
    """The placeholders of a step, what it returns, what it assigns, and the streams of its draws."""
    feeds, data = layout.placeholders(model.name)
    method, label = getattr(model, f"{kind}_step"), f"{model.name}/{kind}_step"
    with tracing(StepRoot(model, kind == "train")) as root, recording() as made, call_streams(label) as drawn:
        result = method(data)
    draws: dict[str, list[Sequence[Stream]]] = {label: [drawn.made]}
    for call in root.calls:
        draws.setdefault(call.layer.name, []).append(call.draws)
    return feeds, result, made, draws


def prediction(model: Any, layout: Layout, jit: Any) -> tuple[Function, Callable[[Sequence[Any]], Any]]:
    """The function of a model's own ``predict_step``, and what makes its result of the values of the function."""
    feeds, result, made, _ = traced(model, "predict", layout)
    leaves, spec = tree_flatten(result)
    where = f"{type(model).__name__}.predict_step"
    if not leaves:
        raise TypeError(f"{where} must return tensors, it returned {result!r}")
    values = [_as_value(made.current(leaf), "result", where) for leaf in leaves]
    function = Function(feeds, values, as_updates(made.updates()), f"{model.name}_predict_step", jit)
    return function, lambda found: tree_unflatten(spec, found)


def _as_value(value: Any, name: str, where: str) -> Tensor:
    try:
        return lift(value)
    except TypeError as error:
        raise TypeError(f"{where}: the value {name!r} cannot become a tensor: {error}") from None


class Latest:
    """The values of the last of some steps, fetched from the engine only when they are read.

    Args:
        names: of the values.
        backend: of the engine.

    Attributes:
        not_finite: the number of the last step and its value 'loss', where that was read and is NaN or infinite.
    """

    def __init__(self, names: Sequence[str], backend: Any) -> None:
        self.names = names
        self._backend = backend
        self._outputs: Sequence[Any] = ()
        self._count = 0
        self.not_finite: tuple[int, float] | None = None

    def add(self, size: int, outputs: Sequence[Any]) -> None:
        """Take the outputs of a step on ``size`` samples."""
        self._outputs = outputs
        self._count += 1

    def fetch(self) -> list[Any]:
        """The values, in the order of the names."""
        found = self._fetched(self._outputs)
        loss = dict(zip(self.names, found)).get("loss")
        if isinstance(loss, float) and not math.isfinite(loss):
            self.not_finite = self._count - 1, loss
        return found

    def _fetched(self, outputs: Sequence[Any]) -> list[Any]:
        arrays = [self._backend.to_numpy(t) for t in outputs]
        return [a.item() if a.ndim == 0 else a for a in arrays]

    def logs(self) -> Logs:
        """The values by name, fetched when they are read."""
        return Logs(self.names, self.fetch)

    def batch_logs(self, index: int, size: int, outputs: Sequence[Any]) -> Logs:
        """The values of one batch by name, fetched when they are read, and its number and size."""
        return Logs(self.names, lambda: self._fetched(outputs), {"batch": index, "size": size}, self.logs)

    def settle(self) -> None:
        """Nothing is read from states that the next step changes."""
