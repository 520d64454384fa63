"""The losses, updates and metrics that a layer adds to training."""

from __future__ import annotations

from typing import Any

from kbackend.graph.tensor import Tensor
from kbackend.graph.variable import Variable
from kbackend.graph.walk import dependents
from kbackend.ground.tree import tree_leaves
from kbackend.layers.base.history import HasCalls
from kbackend.layers.base.inside import Inside
from kbackend.layers.base.naming import described
from kbackend.layers.base.recording import Measured, Record, current, root
from kbackend.layers.base.structures import as_list, distinct, flat_tensors
from kbackend.metrics.base import Metric, value_with
from kbackend.metrics.reduction import Mean
from kbackend.ops.core.updates import update


def _each_update(updates: Any) -> list[Any]:
    """A list of updates, with pairs (variable, new value) as updates."""
    found = [updates] if _is_pair(updates) else as_list(updates)
    return [update(*each) if _is_pair(each) else each for each in found]


def _is_pair(value: Any) -> bool:
    return isinstance(value, tuple) and len(value) == 2 and isinstance(value[0], Variable)


class HasLosses(HasCalls, inner=True):
    """The part of a layer that holds losses, updates and metrics: *standing* ones, and those of its calls."""

    def __init__(self, name: Any, dtype: Any, trainable: bool, weights: Any) -> None:
        super().__init__(name, dtype, trainable, weights)
        self._losses: list[Record] = []
        self._updates: list[Record] = []
        self._measured: list[Measured] = []
        self._means: dict[str, Metric] = {}

    def add_loss(self, losses: Any, inputs: Any = None) -> None:
        """Add scalars to what training minimises. Inside ``call`` they belong to that call only.

        Args:
            losses: one or a list.
            inputs: tensors that they depend on, for :meth:`get_losses_for`; found in the graph too.
        """
        frame, given = current(), tuple(flat_tensors(inputs))
        kept = self._losses if frame is None else frame.losses
        kept.extend(Record(self, loss, inputs=given) for loss in as_list(losses) if loss is not None)

    def add_update(self, updates: Any, inputs: Any = None) -> None:
        """Add updates that each training step runs.

        Args:
            updates: one or a list: what ``K.update`` and the like made, or pairs (variable, new value).
            inputs: tensors that they depend on, for :meth:`get_updates_for`; training runs all.
        """
        frame, given = current(), tuple(flat_tensors(inputs))
        kept = self._updates if frame is None else frame.updates
        kept.extend(Record(self, update, inputs=given) for update in _each_update(updates) if update is not None)

    def add_metric(self, value: Any, name: str | None = None, aggregation: str | None = "mean") -> None:
        """Show a value beside the loss: in logs, in ``metrics_names`` and in what ``evaluate`` returns.

        Inside ``call`` it belongs to that call; several calls of the layer are taken together.

        Args:
            value: a tensor, or the result of a :class:`kbackend.metrics.Metric` that was called inside ``call``.
            name: for the logs; that of the metric when None.
            aggregation: 'mean', over all elements and batches since the start of the epoch; None where the value is
                the result of a metric.

        Raises:
            ValueError: a tensor without a name, or another aggregation.
            TypeError: the value is not symbolic.

        >>> from kbackend import Input, K, Model, layers
        >>> class Scale(layers.Layer):
        ...     def call(self, inputs):
        ...         self.add_metric(K.max(inputs), name="largest")
        ...         return inputs * 2.0
        >>> x = Input((1,))
        >>> model = Model(x, Scale()(x))
        >>> model.compile("sgd", "mse")
        >>> model.evaluate([[1.0], [3.0]], [[2.0], [6.0]])
        [0.0, 3.0]
        """
        frame = current()
        held = self._measured if frame is None else frame.metrics
        if any(m.result is value for m in held):
            return
        if not isinstance(value, Tensor):
            raise TypeError(f"{described(self)}: add_metric takes a symbolic tensor, not {value!r}")
        if aggregation != "mean":
            wanted = "'mean' (the value is no result of a metric)" if aggregation is None else "'mean' or None"
            text = f"the aggregation of add_metric must be {wanted}, it is {aggregation!r}"
            raise ValueError(f"{described(self)}: {text}")
        if not name:
            raise ValueError(f"{described(self)}: add_metric needs a name for the value")
        metric = self._means.setdefault(name, Mean(name))
        held.append(Measured(metric, (value,), {}))

    @property
    def metrics(self) -> list[Any]:
        """The metrics that the layer and the layers inside it hold, in attributes or by ``add_metric``."""
        return distinct([metric for layer in Inside(self).layers for metric in layer._own_metrics()])

    def _own_metrics(self) -> list[Any]:
        shown = [v for k, v in vars(self).items() if k not in self._untracked and v is not self._means]
        held = [v for v in tree_leaves(shown) if isinstance(v, Metric)]
        added = [*self._measured, *(m for call in self._calls for m in call.metrics)]
        return distinct([*held, *(m.metric for m in added), *self._means.values()])

    def _when_frozen(self, result: Any, instead: Any) -> None:
        """Inside ``call``: replace a result in the steps of models that are compiled while the layer is not trainable.

        Args:
            result: a tensor that the call makes.
            instead: what replaces it, made before it.
        """
        frame = current()
        if frame is not None:
            frame.frozen.append(Record(self, (result, instead)))

    def _standing_losses(self) -> list[Any]:
        """Losses of no call: regularizers of weights, and what ``add_loss`` got outside of calls."""
        inside = Inside(self)
        found: list[Any] = []
        for layer in inside.layers:
            found += [v.regularizer(v) for v in inside.weights_of(layer) if v.regularizer is not None]
            found += layer._given_losses()
        return found

    def _given_losses(self) -> list[Any]:
        return [record.tensor for record in self._losses]

    def _standing_updates(self) -> list[Any]:
        """Updates of no call, of layers that are trainable."""
        return [record.tensor for layer in Inside(self).free_layers for record in layer._updates]

    @property
    def losses(self) -> list[Any]:
        """Scalars that are added to the loss: of the weights, and of all calls; in a step of one's own those of the
        last call in it."""
        step = root()
        if step is not None and step.ends_losses:
            return self._standing_losses() + step.losses_of(self)
        return self._standing_losses() + [r.tensor for call in self._calls for r in call.losses]

    @property
    def updates(self) -> list[Any]:
        """Updates that training runs; those of layers that are not trainable are left out."""
        return self._standing_updates() + [
            r.tensor for call in self._calls for r in call.updates if r.trainable
        ]

    def get_losses_for(self, inputs: Any) -> list[Any]:
        """The losses that depend on the inputs; for None those that depend on no call and were added for no inputs."""
        said = [record for layer in Inside(self).layers for record in layer._losses if record.inputs]
        return _those_for(inputs, self._standing_losses() if inputs is None else self.losses, said)

    def get_updates_for(self, inputs: Any) -> list[Any]:
        """The updates that depend on the inputs; for None those that depend on no call and were added for no inputs."""
        said = [record for layer in Inside(self).free_layers for record in layer._updates if record.inputs]
        return _those_for(inputs, self._standing_updates() if inputs is None else self.updates, said)


def _those_for(inputs: Any, values: list[Any], said: list[Record]) -> list[Any]:
    """The losses or updates that depend on inputs, by the graph or as it was said; of no inputs for None."""
    if inputs is None:
        return _without(values, [record.tensor for record in said])
    given = flat_tensors(inputs)
    ids = {id(t) for t in given}
    found = dependents([v for v in values if isinstance(v, Tensor)], given)
    known = {id(t) for t in found}
    more = [r.tensor for r in said if ids & {id(t) for t in r.inputs} and id(r.tensor) not in known]
    return [*found, *more]


def _without(values: list[Any], removed: list[Any]) -> list[Any]:
    """The values without one occurrence of each that is removed; equal numbers may be one object."""
    left = list(values)
    for value in removed:
        place = next((i for i, each in enumerate(left) if each is value), None)
        if place is not None:
            del left[place]
    return left


def take_metric(metric: Metric, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Keep what a metric was called on, where a call of a layer is running.

    Returns:
        The result of the metric with this batch; None where no call is running.
    """
    frame = current()
    if frame is None:
        return None
    before = [m for m in frame.metrics if m.metric is metric]
    result = value_with(metric, [*((m.args, m.kwargs) for m in before), (args, kwargs)])
    frame.metrics.append(Measured(metric, args, kwargs, result))
    return result
