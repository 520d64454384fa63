"""The EfficientNet-style blocks in TensorFlow."""

from __future__ import annotations

from types import ModuleType

import tensorflow as tf

from benchmarks.by_hand.tensorflow.images import Norms, Weights, conv, conv_bias, dense, frame
from benchmarks.by_hand.tensorflow.loop import TensorflowProgram, sparse_crossentropy
from benchmarks.workloads.data import Data


def deep(maps: tf.Tensor, kernel: tf.Variable, stride: int) -> tf.Tensor:
    padding = "SAME" if stride == 1 else frame(kernel.shape[0])
    return tf.nn.depthwise_conv2d(maps, kernel, (1, stride, stride, 1), padding)


def build(workload: ModuleType, data: Data, batch: int, variant: str) -> TensorflowProgram:
    arrays = workload.initial_weights()
    norm, blocks = Norms(workload).add(arrays), list(workload.blocks())

    def network(weights: Weights, inputs: list[tf.Tensor], training: bool) -> tf.Tensor:
        def normed(maps: tf.Tensor, name: str) -> tf.Tensor:
            return norm(maps, weights, f"{name}_norm", training)

        def pointwise(maps: tf.Tensor, name: str, stride: int = 1) -> tf.Tensor:
            return normed(conv(maps, weights[f"{name}/kernel"], stride), name)

        x = tf.nn.silu(pointwise(inputs[0], "stem", 2))
        for block in blocks:
            name = block.name
            y = tf.nn.silu(pointwise(x, f"{name}_expand"))
            y = deep(y, weights[f"{name}_depthwise/kernel"], block.stride)
            y = tf.nn.silu(normed(y, f"{name}_depthwise"))
            gate = tf.nn.silu(conv_bias(tf.reduce_mean(y, (1, 2), keepdims=True), weights, f"{name}_squeeze"))
            gate = tf.sigmoid(conv_bias(gate, weights, f"{name}_excite"))
            y = pointwise(y * gate, f"{name}_project")
            x = x + y if block.residual else y
        x = tf.nn.silu(pointwise(x, "head"))
        return dense(tf.reduce_mean(x, (1, 2)), weights, "classes")

    return TensorflowProgram(network, sparse_crossentropy, tf.nn.softmax, arrays, data, batch, variant)
