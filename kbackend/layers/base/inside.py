"""One walk over a layer and all layers inside it."""

from __future__ import annotations

from typing import Any

from kbackend.graph.variable import Variable

#: the number of the last change of what a layer computes
_revisions = [0]


def revise(layer: Any) -> None:
    """Note that a layer computes otherwise from now on: models compute what they took from it again."""
    _revisions[0] += 1
    layer._revision = _revisions[0]


def last_revision() -> int:
    """The number of the last change of any layer."""
    return _revisions[0]


class Inside:
    """A layer and the layers inside it, with their weights.

    Each layer is visited once; one that is both in a trainable layer and in one that is not, twice.

    Args:
        root: the layer.

    Attributes:
        layers: the layer first, then those inside it, in their order, each before those inside it.
        weights: of all these layers; those of a layer come before those of the layers inside it, or after them where
            the layer says so (``_weights_last``). A layer inside whose class defines ``trainable_weights`` has what
            that gives, and no others.
    """

    def __init__(self, root: Any) -> None:
        self._layers: dict[int, Any] = {}
        self._free: set[int] = set()
        self._held: dict[int, list[Variable]] = {}
        self._first: dict[int, list[Variable]] = {}
        self._found: dict[int, Variable] = {}
        self._trained: set[int] = set()
        self._walk(root)

    def _walk(self, root: Any) -> None:
        stack = [(root, True, False, True)]
        while stack:
            layer, free, leaving, counts = stack.pop()
            if leaving:
                self._take_weights(layer, free)
                continue
            free = free and layer.trainable
            if id(layer) in self._layers and (not free or id(layer) in self._free):
                continue
            self._layers[id(layer)] = layer
            if free:
                self._free.add(id(layer))
            if not counts:
                self._first.setdefault(id(layer), [])
            elif layer is not root and layer._lists_weights:
                counts = False
                self._take_listed(layer, free)
            elif layer._weights_last:
                stack.append((layer, free, True, True))
            else:
                self._take_weights(layer, free)
            stack.extend((inner, free, False, counts) for inner in reversed(layer._sublayers()))

    def _take_listed(self, layer: Any, free: bool) -> None:
        """Take the weights that a layer of a user's class lists itself, in place of those that it holds."""
        trained = list(layer.trainable_weights)
        held = {id(v): v for v in (*trained, *layer.non_trainable_weights)}
        self._first[id(layer)] = [v for key, v in held.items() if key not in self._found]
        self._found.update((id(v), v) for v in self._first[id(layer)])
        if free:
            self._trained.update(id(v) for v in trained)

    def _take_weights(self, layer: Any, free: bool) -> None:
        held = self._held.get(id(layer))
        if held is None:
            held = self._held[id(layer)] = layer._own_weights(self._found)
            self._first[id(layer)] = [v for v in held if id(v) not in self._found]
            self._found.update((id(v), v) for v in self._first[id(layer)])
        if free:
            self._trained.update(id(v) for v in held if v.trainable)

    @property
    def layers(self) -> list[Any]:
        return list(self._layers.values())

    @property
    def free_layers(self) -> list[Any]:
        """The layers that are trainable, as are all layers around them."""
        return [layer for layer in self.layers if id(layer) in self._free]

    @property
    def weights(self) -> list[Variable]:
        return list(self._found.values())

    @property
    def trained_weights(self) -> list[Variable]:
        """The weights that training changes."""
        return [v for v in self.weights if id(v) in self._trained]

    @property
    def other_weights(self) -> list[Variable]:
        """The weights that training does not change."""
        return [v for v in self.weights if id(v) not in self._trained]

    def weights_of(self, layer: Any) -> list[Variable]:
        """The weights of one of the layers alone, without those that another one before it holds."""
        return self._first[id(layer)]
