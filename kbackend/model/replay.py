"""A model's graph computed again from other inputs: layers are called again, raw ops are applied again."""

from __future__ import annotations

from collections.abc import Container, Sequence
from typing import Any

import numpy as np

from kbackend.graph.node import Node, Role
from kbackend.graph.tensor import Tensor
from kbackend.graph.walk import copy_tensors, map_args, reapply
from kbackend.ground.tree import tree_leaves, tree_map
from kbackend.layers.base.call import LayerCall
from kbackend.model.topology import Topology
from kbackend.ops.control.phase import learning_phase
from kbackend.ops.core.leaves import constant
from kbackend.streams import drawn_again, draws


class Replay:
    """One run through a topology.

    Args:
        topology: what to compute again.
        inputs: tensors for its inputs.
        changed: ids of the layers that compute otherwise now; only they, and what depends on them, are called again.
            All are, when None.

    While it runs, a fixed learning phase (``K.learning_phase_scope``) takes the place of the symbolic one.
    """

    def __init__(
        self, topology: Topology, inputs: Sequence[Tensor], changed: Container[int] | None = None
    ) -> None:
        self._changed = changed
        self._new: dict[int, Any] = {}
        self._replaced: dict[Tensor, Any] = {}
        self._put(topology.inputs, inputs)
        self._phase = learning_phase()
        for unit in topology.units:
            if isinstance(unit, LayerCall):
                self._call(unit)
            else:
                self._node(unit)

    def __call__(self, tensor: Any) -> Any:
        """What takes the place of a tensor of the topology; other values stay."""
        return self._new.get(id(tensor), tensor) if isinstance(tensor, Tensor) else tensor

    def _put(self, old: Sequence[Tensor], new: Sequence[Any]) -> None:
        for a, b in zip(old, new):
            if b is not a:
                self._new[id(a)] = self._replaced[a] = b

    def follow(self, tensors: Sequence[Tensor]) -> list[Any]:
        """Tensors beside the topology, made again from what took the place of its tensors."""
        return copy_tensors(tensors, self._replaced) if tensors else []

    def _call(self, call: LayerCall) -> None:
        if self._changed is not None and id(call.layer) not in self._changed:
            if all(self(t) is t for t in call.sources):
                return
        made = tree_leaves(call.layer(tree_map(self, call.inputs), **tree_map(self, call.kwargs)))
        if self._changed is not None:
            _take_place(call)
        captured = {t: self(t) for t in call.captured if self(t) is not t}
        if captured:
            masks = [t._keras_mask for t in made]
            made = copy_tensors(made, captured)
            for tensor, mask in zip(made, masks):
                tensor._keras_mask = mask
        self._put(call.outputs, made)

    def _node(self, node: Node) -> None:
        if node.op.role is Role.PHASE_SELECT and not isinstance(self._phase, Tensor):
            self._put(node.outputs, [self(node.args[0 if self._phase else 1])])
        elif node.op.role is Role.PHASE:
            if not isinstance(self._phase, Tensor):
                self._put(node.outputs, [constant(np.asarray(self._phase), "int32")])
        elif draws(node) and self._changed is None:
            self._put(node.outputs, drawn_again(node, map_args(node.args, self)))
        elif any(self(t) is not t for t in node.inputs):
            self._put(node.outputs, reapply(node, map_args(node.args, self)))


def _take_place(old: LayerCall) -> None:
    """Let the last call of a layer be known in place of an old one."""
    calls = old.layer._calls
    new = calls.pop()
    if old in calls:
        new.index = old.index
        calls[calls.index(old)] = new
