"""The tagger in TensorFlow."""

from __future__ import annotations

from types import ModuleType

import tensorflow as tf

from benchmarks.by_hand.tensorflow.loop import TensorflowProgram
from benchmarks.by_hand.tensorflow.sequences import Weights, by_step, crossentropy, dense, lstm, marked
from benchmarks.workloads.data import Data


def build(workload: ModuleType, data: Data, batch: int, variant: str) -> TensorflowProgram:
    def network(weights: Weights, inputs: list[tf.Tensor], training: bool) -> tf.Tensor:
        (tokens,) = inputs
        rows, kept = tf.gather(weights["tokens/table"], tokens), by_step(tokens != 0)
        forward = lstm(rows, kept, weights, "both/forward", backwards=False)
        backward = lstm(rows, kept, weights, "both/backward", backwards=True)
        states = tf.concat((tf.stack(forward, 1), tf.stack(backward, 1)), 2)
        return dense(states, weights, "tags")

    return TensorflowProgram(
        network, crossentropy, tf.nn.softmax, workload.initial_weights(), marked(workload, data), batch, variant
    )
