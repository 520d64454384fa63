"""The translator in TensorFlow."""

from __future__ import annotations

from types import ModuleType

import tensorflow as tf

from benchmarks.by_hand.tensorflow.loop import TensorflowProgram
from benchmarks.by_hand.tensorflow.sequences import Weights, by_step, crossentropy, dense, gru, marked
from benchmarks.workloads.data import Data


def build(workload: ModuleType, data: Data, batch: int, variant: str) -> TensorflowProgram:
    def network(weights: Weights, inputs: list[tf.Tensor], training: bool) -> tf.Tensor:
        columns, given = inputs
        rows, filled = tf.gather(weights["columns/table"], columns), columns == 0
        start = tf.zeros((tf.shape(columns)[0], workload.UNITS))
        states = gru(rows, by_step(~filled), start, weights, "encoder")
        read = tf.stack(states, 1)
        written = tf.stack(gru(tf.gather(weights["given/table"], given), None, states[-1], weights, "decoder"), 1)
        scores = tf.matmul(written, read, transpose_b=True)
        scores = tf.where(filled[:, None], tf.constant(-1e9), scores)
        mixed = tf.matmul(tf.nn.softmax(scores), read)
        return dense(tf.concat((written, mixed), 2), weights, "letters")

    return TensorflowProgram(
        network, crossentropy, tf.nn.softmax, workload.initial_weights(), marked(workload, data), batch, variant
    )
