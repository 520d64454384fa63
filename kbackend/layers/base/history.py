"""The calls of a layer: what it was called on, and what it returned."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any
from weakref import ref

from kbackend.ground.tree import tree_map
from kbackend.layers.base.call import LayerCall
from kbackend.layers.base.structures import flat_tensors
from kbackend.layers.base.weights import HasWeights


def _shapes_text(structure: Any) -> str:
    return ", ".join(str(t.shape) for t in flat_tensors(structure))


def _hold(consumers: dict[int, ref[LayerCall]], call: LayerCall) -> None:
    """Hold a call for as long as there is another reference to it."""
    consumers[id(call)] = ref(call, partial(consumers.pop, id(call)))


class HasCalls(HasWeights, inner=True):
    """The part of a layer that holds its calls."""

    #: arguments of ``call`` whose tensors are inputs beside the first argument, as in Keras
    _input_arguments: tuple[str, ...] = ()
    #: the calls on results of the layer, by identity, in their order; made with the first
    _consumers: dict[int, ref[LayerCall]] | None = None

    def __init__(self, name: Any, dtype: Any, trainable: bool, weights: Any) -> None:
        super().__init__(name, dtype, trainable, weights)
        self._calls: list[LayerCall] = []

    def __repr__(self) -> str:
        if not self._calls:
            return super().__repr__()
        given, made = (_shapes_text(call) for call in (self._calls[0].inputs, self._calls[0].structure))
        return f"<{type(self).__name__} {self.name!r} {f'{given} -> ' if given else ''}{made}>"

    @property
    def inbound_nodes(self) -> list[LayerCall]:
        """The calls, each with ``input_tensors`` and ``output_tensors``; ``_inbound_nodes`` in Keras 2."""
        return list(self._calls)

    _inbound_nodes = inbound_nodes

    @property
    def outbound_nodes(self) -> list[LayerCall]:
        """The calls of layers on results of this one that there still are; ``_outbound_nodes`` in Keras 2."""
        held = [] if self._consumers is None else [consumer() for consumer in list(self._consumers.values())]
        return [call for call in held if call is not None]

    @outbound_nodes.setter
    def outbound_nodes(self, calls: Sequence[LayerCall]) -> None:
        """Forget the other calls, as programs do with the last layer after ``model.layers.pop()``."""
        self._consumers = {}
        for call in calls:
            _hold(self._consumers, call)

    _outbound_nodes = outbound_nodes

    def _keep_call(self, call: LayerCall) -> None:
        """Keep a call, and tell the layers of its operands."""
        self._calls.append(call)
        for tensor in call.operands:
            if tensor.history is None:
                continue
            layer = tensor.history.layer
            if layer._consumers is None:
                layer._consumers = {}
            _hold(layer._consumers, call)

    def _call_at(self, index: int, what: str) -> LayerCall:
        if not self._calls:
            raise RuntimeError(f"layer {self.name} has never been called; it has no {what}")
        if not -len(self._calls) <= index < len(self._calls):
            raise ValueError(f"layer {self.name} has {len(self._calls)} calls; there is no {what} at {index}")
        return self._calls[index]

    def _only_call(self, what: str) -> LayerCall:
        if len(self._calls) > 1:
            raise AttributeError(
                f"layer {self.name} has been called {len(self._calls)} times; which {what} is meant "
                f"is not clear: use get_{what}_at(index)"
            )
        if not self._calls:
            raise AttributeError(f"layer {self.name} has never been called; it has no {what}")
        return self._calls[0]

    def get_input_at(self, node_index: int) -> Any:
        """The tensor (or list) that the layer was given at a call."""
        return self._inputs_of(self._call_at(node_index, "input"))

    def _inputs_of(self, call: LayerCall) -> Any:
        rest = flat_tensors([call.kwargs.get(name) for name in self._input_arguments])
        return [call.inputs, *rest] if rest else call.inputs

    def get_output_at(self, node_index: int) -> Any:
        """The tensor (or list) that a call of the layer returned."""
        return self._call_at(node_index, "output").structure

    def get_input_shape_at(self, node_index: int) -> Any:
        return tree_map(lambda t: t.shape, self.get_input_at(node_index))

    def get_output_shape_at(self, node_index: int) -> Any:
        return tree_map(lambda t: t.shape, self.get_output_at(node_index))

    def get_input_mask_at(self, node_index: int) -> Any:
        return tree_map(lambda t: t._keras_mask, self.get_input_at(node_index))

    def get_output_mask_at(self, node_index: int) -> Any:
        return tree_map(lambda t: t._keras_mask, self.get_output_at(node_index))

    @property
    def input(self) -> Any:
        """The input of the layer, when it was called once.

        Raises:
            AttributeError: never called, or more than once.
        """
        return self._inputs_of(self._only_call("input"))

    @property
    def output(self) -> Any:
        """The output of the layer, when it was called once. See :attr:`input`."""
        return self._only_call("output").structure

    @property
    def input_mask(self) -> Any:
        self._only_call("input_mask")
        return self.get_input_mask_at(0)

    @property
    def output_mask(self) -> Any:
        self._only_call("output_mask")
        return self.get_output_mask_at(0)

    @property
    def input_shape(self) -> Any:
        """The shape of the input; with several calls, of all of them when it is the same."""
        return self._common_shape("input", [self.get_input_shape_at(i) for i in range(len(self._calls))])

    @property
    def output_shape(self) -> Any:
        """The shape of the output; with several calls, of all of them when it is the same."""
        return self._common_shape("output", [self.get_output_shape_at(i) for i in range(len(self._calls))])

    def _common_shape(self, what: str, shapes: list[Any]) -> Any:
        if not shapes:
            self._only_call(what)
        if any(s != shapes[0] for s in shapes):
            raise AttributeError(
                f"layer {self.name} has different {what} shapes at its {len(shapes)} calls; "
                f"use get_{what}_shape_at(index)"
            )
        return shapes[0]
