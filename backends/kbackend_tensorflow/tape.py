"""Differentiation through tf.gradients: programs are traced into a graph that keeps all inner tensors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from kbackend.plugin.contract import Tape


class TensorFlowTape(Tape):
    """The traced graph is the tape, for every level."""

    def enter(self, tensor: Any) -> Any:
        return tf.identity(tensor)

    def gradients(
        self, level: int, loss: Any, tensors: Sequence[Any], nested: bool, last: bool
    ) -> Sequence[Any]:
        found = tf.gradients(loss, list(tensors), unconnected_gradients="zero")
        return tuple(tf.convert_to_tensor(g) for g in found)
