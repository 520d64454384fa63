"""The losses and updates that a layer adds to training."""

from __future__ import annotations

from typing import Any

from kbackend.graph.walk import dependents
from kbackend.layers.base.history import HasCalls
from kbackend.layers.base.inside import Inside
from kbackend.layers.base.recording import Record, current
from kbackend.layers.base.structures import as_list, flat_tensors


class HasLosses(HasCalls):
    """The part of a layer that holds losses and updates: *standing* ones, and those of its calls."""

    def __init__(self, name: Any, dtype: Any, trainable: bool, weights: Any) -> None:
        super().__init__(name, dtype, trainable, weights)
        self._losses: list[Record] = []
        self._updates: list[Record] = []

    def add_loss(self, losses: Any, inputs: Any = None) -> None:
        """Add scalars to what training minimises. Inside ``call`` they belong to that call only."""
        frame = current()
        kept = self._losses if frame is None else frame.losses
        kept.extend(Record(self, loss) for loss in as_list(losses) if loss is not None)

    def add_update(self, updates: Any, inputs: Any = None) -> None:
        """Add updates, made by ``K.update`` and the like, that each training step runs."""
        frame = current()
        kept = self._updates if frame is None else frame.updates
        kept.extend(Record(self, update) for update in as_list(updates) if update is not None)

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
        """Scalars that are added to the loss: of the weights, and of all calls."""
        return self._standing_losses() + [r.tensor for call in self._calls for r in call.losses]

    @property
    def updates(self) -> list[Any]:
        """Updates that training runs; those of layers that are not trainable are left out."""
        return self._standing_updates() + [
            r.tensor for call in self._calls for r in call.updates if r.trainable
        ]

    def get_losses_for(self, inputs: Any) -> list[Any]:
        """The losses that depend on the inputs; for None those that depend on no call."""
        if inputs is None:
            return self._standing_losses()
        return dependents(self.losses, flat_tensors(inputs))

    def get_updates_for(self, inputs: Any) -> list[Any]:
        """The updates that depend on the inputs; for None those that depend on no call."""
        if inputs is None:
            return self._standing_updates()
        return dependents(self.updates, flat_tensors(inputs))
