"""Parts that the networks of images share in TensorFlow."""

from __future__ import annotations

from types import ModuleType

import tensorflow as tf

Weights = dict[str, tf.Variable]


def frame(size: int) -> list[list[int]]:
    """Equal padding at both sides, half the size of a kernel."""
    return [[0, 0], [size // 2, size // 2], [size // 2, size // 2], [0, 0]]


def conv(maps: tf.Tensor, kernel: tf.Variable, stride: int) -> tf.Tensor:
    size = kernel.shape[0]
    return tf.nn.conv2d(maps, kernel, stride, "SAME" if stride == 1 or size == 1 else frame(size))


def conv_bias(maps: tf.Tensor, weights: Weights, name: str) -> tf.Tensor:
    return tf.nn.bias_add(conv(maps, weights[f"{name}/kernel"], 1), weights[f"{name}/bias"])


class Norms:
    """Batch normalizations by the fused kernel, with their moving averages."""

    def __init__(self, workload: ModuleType) -> None:
        self.momentum, self.epsilon = workload.MOMENTUM, workload.EPSILON
        self.means: Weights = {}
        self.variances: Weights = {}

    def add(self, weights: dict[str, object]) -> Norms:
        """The averages for all scales among the weights."""
        for name, array in weights.items():
            if name.endswith("/gamma"):
                zeros = tf.zeros_like(array)
                self.means[name] = tf.Variable(zeros, trainable=False)
                self.variances[name] = tf.Variable(zeros + 1, trainable=False)
        return self

    def __call__(self, maps: tf.Tensor, weights: Weights, name: str, training: bool) -> tf.Tensor:
        gamma, beta = weights[f"{name}/gamma"], weights[f"{name}/beta"]
        mean, variance = self.means[f"{name}/gamma"], self.variances[f"{name}/gamma"]
        if not training:
            return tf.compat.v1.nn.fused_batch_norm(
                maps, gamma, beta, mean, variance, self.epsilon, is_training=False
            )[0]
        maps, found, spread = tf.compat.v1.nn.fused_batch_norm(maps, gamma, beta, epsilon=self.epsilon)
        count = tf.cast(tf.size(maps) / tf.size(found), tf.float32)
        spread *= (count - 1) / count  # the kernel gives the unbiased variance, the network keeps the biased one
        for average, value in ((mean, found), (variance, spread)):
            average.assign_sub((average - value) * (1 - self.momentum))
        return maps


def dense(rows: tf.Tensor, weights: Weights, name: str) -> tf.Tensor:
    return tf.nn.bias_add(tf.matmul(rows, weights[f"{name}/kernel"]), weights[f"{name}/bias"])
