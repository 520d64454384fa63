"""The convnet in TensorFlow."""

from __future__ import annotations

from types import ModuleType

import tensorflow as tf

from benchmarks.by_hand.tensorflow.loop import TensorflowProgram, sparse_crossentropy
from benchmarks.workloads.data import Data


def conv_pool(maps: tf.Tensor, kernel: tf.Variable, bias: tf.Variable) -> tf.Tensor:
    """The pool comes before relu: the two commute, and relu then sees a quarter of the numbers."""
    maps = tf.nn.bias_add(tf.nn.conv2d(maps, kernel, 1, "VALID"), bias)
    return tf.nn.relu(tf.nn.max_pool2d(maps, 2, 2, "VALID"))


def build(workload: ModuleType, data: Data, batch: int, variant: str) -> TensorflowProgram:
    def network(weights: dict[str, tf.Variable], inputs: list[tf.Tensor], training: bool) -> tf.Tensor:
        (maps,) = inputs
        for name in ("first", "second"):
            maps = conv_pool(maps, weights[f"{name}/kernel"], weights[f"{name}/bias"])
        flat = tf.reshape(maps, (-1, workload.FLAT))
        return tf.nn.bias_add(tf.matmul(flat, weights["classes/kernel"]), weights["classes/bias"])

    return TensorflowProgram(
        network, sparse_crossentropy, tf.nn.softmax, workload.initial_weights(), data, batch, variant
    )
