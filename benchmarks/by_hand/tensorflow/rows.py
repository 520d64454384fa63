"""Rows of ten numbers in TensorFlow."""

from __future__ import annotations

from types import ModuleType

import tensorflow as tf

from benchmarks.by_hand.tensorflow.loop import TensorflowProgram
from benchmarks.workloads.data import Data


def build(workload: ModuleType, data: Data, batch: int, variant: str) -> TensorflowProgram:
    def network(weights: dict[str, tf.Variable], inputs: list[tf.Tensor], training: bool) -> tf.Tensor:
        hidden = tf.nn.relu(tf.nn.bias_add(tf.matmul(inputs[0], weights["hidden/kernel"]), weights["hidden/bias"]))
        return tf.nn.bias_add(tf.matmul(hidden, weights["score/kernel"]), weights["score/bias"])

    def loss(labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
        return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels, logits))

    return TensorflowProgram(network, loss, tf.sigmoid, workload.initial_weights(), data, batch, variant)
