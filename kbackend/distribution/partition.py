"""The step of one process, made of that of the whole batch.

Losses are written for a part of the batch (:mod:`kbackend.ops.collective.part`); values, metrics and moving statistics
are summed over the processes; draws are replaced by their rows of this part, and the statistics of batch normalization
by those of the whole batch.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

from kbackend import dtypes
from kbackend.declare.call import expansion
from kbackend.distribution.divided import NOTHING, Divisible, in_pieces
from kbackend.distribution.pieces import Pieces
from kbackend.distribution.weights import with_sums
from kbackend.graph.node import Node, Role
from kbackend.graph.tensor import Tensor
from kbackend.graph.variable import Variable
from kbackend.graph.walk import Graph, ancestors, dependents, map_args
from kbackend.ops.collective.part import Part, building, mean_of_batch, over_processes
from kbackend.ops.collective.reduce import all_reduce
from kbackend.ops.core.leaves import _placeholder
from kbackend.ops.elementwise.arithmetic import add, divide_no_nan, subtract
from kbackend.ops.elementwise.precision import as_dtype, wide_dtype
from kbackend.ops.nn.batch_norm import _along_axes, classic_batch_normalization, normalize_batch_in_training
from kbackend.ops.nn.dropout import _dropout, dropout_from_row
from kbackend.ops.random.draws import random_bits, random_unit
from kbackend.ops.random.rows import random_bits_from_row, random_unit_from_row
from kbackend.ops.reduction.reductions import mean, sum_
from kbackend.plugin.processes.group import DistributedError

Updates = Sequence[tuple[Variable, Any]]


class Partition:
    """The step of one process while it is made.

    Args:
        name: of the model, for messages.
        sync_batch_norm: whether the statistics of batch normalization are those of the whole batch.
        overlaps: whether gradients are summed while the backward pass goes on.
        pieces: the home of divided variables, None without.

    Attributes:
        feeds: what the step takes beside the data: the share and the first row of the part.
    """

    def __init__(
        self, name: str, sync_batch_norm: bool, overlaps: bool = False, pieces: Pieces | None = None
    ) -> None:
        self._name, self._sync, self._pieces = name, sync_batch_norm, pieces
        share = _placeholder(shape=(), dtype="float64", name="share")
        row = _placeholder(shape=(), dtype="int64", name="first_row")
        self._part = Part(share, row, of_batch, overlaps or pieces is not None)
        self.feeds = [share, row]

    def building(self) -> AbstractContextManager[None]:
        """The context in which losses and gradients are made."""
        return building(self._part)

    def contribution(self, loss: Any) -> Any:
        """What this process adds to the loss of the batch."""
        return self._part.share_of(loss)

    def check_gradients(self, optimizer: Any) -> None:
        """Refuse an optimizer that takes gradients which nobody has summed.

        Raises:
            DistributedError: its ``get_updates`` calls K.gradients itself.
        """
        if self._part.gradients is None:
            raise DistributedError(
                f"{type(optimizer).__name__}.get_updates computes gradients itself; over several processes it must "
                "take them from self.get_gradients(loss, params)"
            )

    # sums over the processes --------------------------------------------------------------------------------

    def summed(
        self,
        values: Sequence[Any],
        masses: Sequence[Any],
        counted: Updates,
        of_numbers: Collection[Variable],
        moved: Updates,
        feeds: Sequence[Tensor],
    ) -> tuple[list[Any], list[Any], list[tuple[Variable, Any]]]:
        """Values, masses and updates of the whole batch, by one sum over the processes.

        Args:
            values: means over the part.
            masses: for each value what its mean counts, None for the samples.
            counted: updates of the states of metrics, which add sums over samples.
            of_numbers: the variables among them that add numbers of the whole batch, the same in all processes.
            moved: updates of layers, such as moving statistics, which take means.
            feeds: what depends on the part.
        """
        part = self._part
        amounts = [None if mass is None else part.present(mass) for mass in masses]
        sent = [part.share_of(v) if amount is None else v * amount for v, amount in zip(values, amounts)]
        sent += [amount for amount in amounts if amount is not None]
        increments = [
            (part.share_of if variable in of_numbers else part.present)(_increment(variable, value))
            for variable, value in counted
        ]
        own, moving = self._moving(moved, feeds)
        sent += [*increments, *(part.share_of(value) for _, value in moving)]
        found = iter(all_reduce(sent))
        totals = [next(found) for _ in values]
        masses = [None if amount is None else next(found) for amount in amounts]
        values = [v if m is None else divide_no_nan(v, m) for v, m in zip(totals, masses)]
        updates = [(variable, variable + next(found)) for variable, _ in counted]
        return values, masses, [*updates, *own, *((variable, next(found)) for variable, _ in moving)]

    def _moving(self, updates: Updates, feeds: Sequence[Tensor]) -> tuple[list[Any], list[Any]]:
        """The updates that do not depend on the part, and those that do.

        Raises:
            DistributedError: a variable of integers that depends on the part.
        """
        reached = {id(t) for t in dependents([value for _, value in updates], feeds)}
        moving = [(variable, value) for variable, value in updates if id(value) in reached]
        for variable, _ in moving:
            if not dtypes.is_float(variable.dtype):
                raise DistributedError(
                    f"the update of {variable.name} ({variable.dtype}) depends on the samples of a batch; over several "
                    "processes only means of floats can be put together"
                )
        return [pair for pair in updates if id(pair[1]) not in reached], moving

    # the graph ----------------------------------------------------------------------------------------------

    def rewritten(self, graph: Graph, variables: Divisible = NOTHING) -> Graph:
        """The graph with the draws of this part and, if wanted, synchronised batch normalization and pieces.

        Args:
            graph: the step.
            variables: those that may be divided.

        Raises:
            DistributedError: a draw that cannot be divided.
        """
        gradients = self._part.gradients or ()
        if self._pieces is not None:
            graph = in_pieces(graph, gradients, variables, self._pieces)
        elif self._part.overlaps and gradients:
            graph = with_sums(graph, gradients)
        results = rebuilt(graph.results, graph.inputs, self._changed)
        count = len(graph.outputs)
        updates = [(variable, value) for (variable, _), value in zip(graph.updates, results[count:])]
        return Graph(graph.inputs, results[:count], updates, graph.name)

    def _changed(self, node: Node, args: Sequence[Any]) -> Sequence[Any] | None:
        if self._sync and node.op is _NORMALIZE:
            with self.building():
                return _synchronised(*args, **node.attrs)
        if not node.op.random:
            self._check_bodies(node)
            return None
        if node.outputs[0].shape[:1] != (None,):
            return None  # a draw for all samples
        if node.op is _DROPOUT:
            noise = node.attrs["noise_shape"]
            if noise is not None and noise[0] == 1:
                return None  # one mask for all samples
            return [dropout_from_row(*args, self._part.row, **node.attrs)]
        if node.op in _ROWS:
            step, *rest = args
            return [_ROWS[node.op](step, self._part.row, *rest, **node.attrs)]
        if node.op.kind != "composite":
            raise self._undivided(node)
        made = node.op.apply(args, node.attrs)
        try:
            return rebuilt(expansion(made.node), made.node.inputs, self._changed)
        except DistributedError:
            raise self._undivided(node) from None  # which names what the user called

    def _check_bodies(self, node: Node) -> None:
        for body in node.attrs.values():
            if isinstance(body, Graph) and any(inner.op.random for inner in body.nodes()):
                raise self._undivided(node)

    def _undivided(self, node: Node) -> DistributedError:
        return DistributedError(
            f"{self._name}: the random draw of {node.name!r} ({node.op.name}) is made in a loop or by rejection, so "
            "that its numbers for a part of a batch cannot be found without those of the others"
        )


_OVER_SAMPLES: Mapping[Any, Callable[[Any], Any]] = {sum_.op: over_processes, mean.op: mean_of_batch}
_NORMALIZE = normalize_batch_in_training.op
_DROPOUT = _dropout.op
_ROWS: Mapping[Any, Callable[..., Any]] = {
    random_bits.op: random_bits_from_row,
    random_unit.op: random_unit_from_row,
}


def rebuilt(
    tensors: Iterable[Tensor], given: Iterable[Tensor], change: Callable[[Node, Sequence[Any]], Sequence[Any] | None]
) -> list[Tensor]:
    """The tensors computed again, where ``change(node, operands)`` gives other results of a node; None leaves it."""
    new: dict[int, Any] = {}
    tensors = list(tensors)
    for node in ancestors(tensors, given):
        args = map_args(node.args, lambda t: new.get(id(t), t))
        found = change(node, args)
        if found is None:
            if not any(id(t) in new for t in node.inputs):
                continue
            result = node.op.apply(args, node.attrs)
            found = result if isinstance(result, (tuple, list)) else (result,)
        new.update(zip(map(id, node.outputs), found))
    return [new.get(id(t), t) for t in tensors]


def of_batch(number: Tensor) -> Tensor:
    """A number for the whole batch: sums and means over the samples of the part that it is made of are taken over all
    processes. Samples are the first axis, of unknown size, of what depends on placeholders."""
    divided: set[int] = set()

    def change(node: Node, args: Sequence[Any]) -> Sequence[Any] | None:
        result = node.outputs[0]
        samples = [t for t in node.inputs if id(t) in divided and t.shape[:1] == (None,)]
        if samples and result.shape[:1] != (None,):
            if node.op in _OVER_SAMPLES and 0 in node.attrs["axis"]:
                return [_OVER_SAMPLES[node.op](node.op.apply(args, node.attrs))]
            if node.op.kind == "composite" and not node.op.random and len(node.outputs) == 1:
                made = node.op.apply(args, node.attrs).node
                divided.update(id(new) for old, new in zip(node.inputs, made.inputs) if id(old) in divided)
                return rebuilt(expansion(made), made.inputs, change)
        if node.op.role is Role.PLACEHOLDER or any(id(t) in divided for t in node.inputs):
            divided.update(map(id, node.outputs))
        return None

    return rebuilt([number], (), change)[0]


def _increment(variable: Variable, value: Tensor) -> Any:
    """What an update of a metric adds to its state.

    Raises:
        DistributedError: it does something else.
    """
    added: list[Any] = []
    while value is not variable:
        node = value.node
        if node.op is not add.op or not isinstance(node.args[0], Tensor):
            raise DistributedError(
                f"the metric state {variable.name} is not a sum over samples (assign_add); over several processes it "
                "cannot be put together"
            )
        value, more = node.args
        added.append(more)
    total = added[0]
    for more in added[1:]:
        total = add(total, more)
    return total


def _synchronised(x: Any, gamma: Any, beta: Any, *, reduction_axes: Sequence[int], epsilon: float) -> Sequence[Any]:
    """Batch normalization by mean and biased variance of the whole batch, in two passes."""
    axes = list(reduction_axes)
    kept = tuple(a for a in range(len(x.shape)) if a not in axes)
    wide = as_dtype(x, wide_dtype(x.dtype))
    center = mean_of_batch(mean(wide, axis=axes))
    distance = subtract(wide, _along_axes(center, x, kept))
    variance = mean_of_batch(mean(distance * distance, axis=axes))
    parameters = [_along_axes(v, x, kept) for v in (center, variance, beta, gamma)]
    normalized = classic_batch_normalization(wide, *parameters, axis=-1, epsilon=epsilon)
    return [as_dtype(normalized, x.dtype), center, variance]


__all__ = ["Partition", "rebuilt"]
