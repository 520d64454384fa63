"""The U-Net in TensorFlow."""

from __future__ import annotations

from types import ModuleType

import tensorflow as tf

from benchmarks.by_hand.tensorflow.images import Weights, conv_bias
from benchmarks.by_hand.tensorflow.loop import TensorflowProgram
from benchmarks.workloads.data import Data


def crossentropy(targets: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(targets, logits))


def twice(maps: tf.Tensor, weights: Weights, name: str) -> tf.Tensor:
    maps = tf.nn.relu(conv_bias(maps, weights, f"{name}_first"))
    return tf.nn.relu(conv_bias(maps, weights, f"{name}_second"))


def widened(maps: tf.Tensor, weights: Weights, name: str) -> tf.Tensor:
    kernel, shape = weights[f"{name}/kernel"], tf.shape(maps)
    sizes = (shape[0], 2 * maps.shape[1], 2 * maps.shape[2], kernel.shape[2])
    wide = tf.nn.conv2d_transpose(maps, kernel, sizes, 2, "VALID")
    return tf.nn.bias_add(wide, weights[f"{name}/bias"])


def build(workload: ModuleType, data: Data, batch: int, variant: str) -> TensorflowProgram:
    levels = range(len(workload.FILTERS))

    def network(weights: Weights, inputs: list[tf.Tensor], training: bool) -> tf.Tensor:
        x, skipped = inputs[0], []
        for level in levels:
            x = twice(x, weights, f"down{level}")
            skipped.append(x)
            x = tf.nn.max_pool2d(x, 2, 2, "VALID")
        x = twice(x, weights, "bottom")
        for level in reversed(levels):
            x = tf.concat((skipped[level], widened(x, weights, f"up{level}_wide")), -1)
            x = twice(x, weights, f"up{level}")
        return conv_bias(x, weights, "pixels")

    return TensorflowProgram(
        network, crossentropy, tf.sigmoid, workload.initial_weights(), data, batch, variant
    )
