"""ResNet-18 in TensorFlow."""

from __future__ import annotations

from types import ModuleType

import tensorflow as tf

from benchmarks.by_hand.tensorflow.images import Norms, Weights, conv, dense, frame
from benchmarks.by_hand.tensorflow.loop import TensorflowProgram, sparse_crossentropy
from benchmarks.workloads.data import Data


def build(workload: ModuleType, data: Data, batch: int, variant: str) -> TensorflowProgram:
    arrays = workload.initial_weights()
    norm, blocks = Norms(workload).add(arrays), list(workload.blocks())

    def network(weights: Weights, inputs: list[tf.Tensor], training: bool) -> tf.Tensor:
        def normed(maps: tf.Tensor, name: str, stride: int) -> tf.Tensor:
            return norm(conv(maps, weights[f"{name}/kernel"], stride), weights, f"{name}_norm", training)

        # The pool comes before relu: the two commute, and relu then sees a quarter of the numbers.
        x = tf.nn.relu(tf.nn.max_pool2d(normed(inputs[0], "stem", 2), 3, 2, frame(3)))
        for block in blocks:
            y = tf.nn.relu(normed(x, f"{block.name}_first", block.stride))
            y = normed(y, f"{block.name}_second", 1)
            x = tf.nn.relu(y + (normed(x, f"{block.name}_short", block.stride) if block.projected else x))
        return dense(tf.reduce_mean(x, (1, 2)), weights, "classes")

    return TensorflowProgram(network, sparse_crossentropy, tf.nn.softmax, arrays, data, batch, variant)
