"""The transformer encoder in TensorFlow."""

from __future__ import annotations

from types import ModuleType

import tensorflow as tf

from benchmarks.by_hand.tensorflow.loop import TensorflowProgram, sparse_crossentropy
from benchmarks.workloads.data import Data

Weights = dict[str, tf.Variable]


def dense(x: tf.Tensor, weights: Weights, name: str) -> tf.Tensor:
    return tf.nn.bias_add(tf.matmul(x, weights[f"{name}/kernel"]), weights[f"{name}/bias"])


def layer_norm(x: tf.Tensor, weights: Weights, name: str, epsilon: float) -> tf.Tensor:
    centred = x - tf.reduce_mean(x, -1, keepdims=True)
    scale = tf.math.rsqrt(tf.reduce_mean(centred * centred, -1, keepdims=True) + epsilon)
    return centred * scale * weights[f"{name}/gamma"] + weights[f"{name}/beta"]


def attention(flat: tf.Tensor, weights: Weights, name: str, tokens: int, heads: int) -> tf.Tensor:
    """Self-attention over flat (batch * tokens, width), one product for query, key and value."""
    width = flat.shape[-1]
    size = width // heads
    parts = [f"{name}/{part}" for part in ("query", "key", "value")]
    kernel = tf.concat([tf.reshape(weights[f"{part}/kernel"], (width, width)) for part in parts], 1)
    bias = tf.concat([tf.reshape(weights[f"{part}/bias"], (width,)) for part in parts], 0)
    joint = tf.reshape(tf.nn.bias_add(tf.matmul(flat, kernel), bias), (-1, tokens, 3, heads, size))
    query, key, value = tf.unstack(tf.transpose(joint, (2, 0, 3, 1, 4)))
    scores = tf.nn.softmax(tf.matmul(query * size**-0.5, key, transpose_b=True))
    mixed = tf.reshape(tf.transpose(tf.matmul(scores, value), (0, 2, 1, 3)), (-1, width))
    kernel = tf.reshape(weights[f"{name}/output/kernel"], (width, width))
    return tf.nn.bias_add(tf.matmul(mixed, kernel), weights[f"{name}/output/bias"])


def build(workload: ModuleType, data: Data, batch: int, variant: str) -> TensorflowProgram:
    def network(weights: Weights, inputs: list[tf.Tensor], training: bool) -> tf.Tensor:
        # All products are of flat rows: a rank-3 tf.matmul would run batch by batch.
        flat = tf.gather(weights["tokens/table"], tf.reshape(inputs[0], (-1,)))
        for number in range(workload.BLOCKS):
            block = f"block{number}"
            mixed = attention(flat, weights, f"{block}/attention", workload.TOKENS, workload.HEADS)
            flat = layer_norm(flat + mixed, weights, f"{block}/norm1", workload.EPSILON)
            inner = tf.nn.relu(dense(flat, weights, f"{block}/inner"))
            flat = flat + dense(inner, weights, f"{block}/outer")
            flat = layer_norm(flat, weights, f"{block}/norm2", workload.EPSILON)
        pooled = tf.reduce_mean(tf.reshape(flat, (-1, workload.TOKENS, workload.WIDTH)), 1)
        return dense(pooled, weights, "classes")

    return TensorflowProgram(
        network, sparse_crossentropy, tf.nn.softmax, workload.initial_weights(), data, batch, variant
    )
