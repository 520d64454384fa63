"""Models whose list of layers and outputs programs change in place, as Keras 2 let them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kbackend.graph.tensor import Tensor
from kbackend.layers.base.layer import Layer
from kbackend.model.functional import Model
from kbackend.model.network import Network
from kbackend.model.topology import Topology

_plain_layers: Any = next(vars(c)["layers"] for c in Model.__mro__ if "layers" in vars(c))
_KEPT = "_kept_layers"


def _layers(self: Any) -> list[Layer]:
    found = _plain_layers.__get__(self)
    if self.has_own_call:
        return found
    topology = self._topology
    held = vars(self).get(_KEPT)
    if held is None or held[0] is not topology:
        held = vars(self)[_KEPT] = (topology, found)
    return held[1]


def _outputs(self: Any) -> list[Tensor]:
    return list(self._topology.outputs)


def _set_outputs(self: Any, outputs: Sequence[Tensor]) -> None:
    self._found = Topology(self._topology.inputs, list(outputs), self.name)
    self._single_output = len(self._found.outputs) == 1
    self._steps = self._steps.of_changed_model()


#: the list itself, so that ``model.layers.pop()`` takes a layer out of it; the graph stays
layers = property(_layers, doc="The layers in order of traversal.")
#: ``model.outputs = [tensor]`` makes the model end there
outputs = property(_outputs, _set_outputs, doc=Network.outputs.__doc__)

__all__ = ["layers", "outputs"]
