"""Differentiation through tf.gradients: programs are traced into a graph that keeps all inner tensors."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

import tensorflow as tf

from kbackend.plugin.contract import Tape
from kbackend_tensorflow.gradients.broadcast import choose_gradients, differentiated_by
from kbackend_tensorflow.grappler import stacks_kept
from kbackend_tensorflow.wrapped import any_wrapped, module_variable


class TensorFlowTape(Tape):
    """The traced graph is the tape, for every level."""

    def enter(self, tensor: Any) -> Any:
        return tf.identity(tensor)

    def gradients(
        self, level: int, loss: Any, tensors: Sequence[Any], nested: bool, last: bool
    ) -> Sequence[Any]:
        inner = choose_gradients(loss.graph)
        with differentiated_by(tensors), stacks_kept() if inner else nullcontext():
            if any_wrapped():
                return self._with_modules(loss, tensors)
            found = tf.gradients(loss, list(tensors), unconnected_gradients="zero")
        return tuple(tf.convert_to_tensor(g) for g in found)

    def _with_modules(self, loss: Any, tensors: Sequence[Any]) -> Sequence[Any]:
        """Gradients where modules may have read their variables themselves, instead of the tensors here.

        The gradient with respect to a variable counts all that was read of it in the graph; where the tensor was read
        in a graph around this one, what is computed here from either counts.
        """
        owners = [module_variable(t) for t in tensors]
        targets = [t if variable is None or not here else variable for t, (variable, here) in zip(tensors, owners)]
        outside = [variable for variable, here in owners if variable is not None and not here]
        found = tf.gradients(loss, [*targets, *outside])
        rest = iter(found[len(targets) :])
        sums = []
        for tensor, gradient, (variable, here) in zip(tensors, found, owners):
            parts = [gradient] if variable is None or here else [gradient, next(rest)]
            known = [tf.convert_to_tensor(part) for part in parts if part is not None]
            sums.append(tf.add_n(known) if known else tf.zeros_like(tensor))
        return tuple(sums)
