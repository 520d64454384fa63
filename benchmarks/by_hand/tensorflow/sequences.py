"""Parts that the networks of sequences of unequal lengths share in TensorFlow: steps are unrolled."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import tensorflow as tf

from benchmarks.workloads.data import Data

Weights = dict[str, tf.Variable]
IGNORED = -1


def marked(workload: ModuleType, data: Data) -> Data:
    """The data with targets of -1 where the mask leaves them out."""
    return Data(data.inputs, np.where(workload.counted(data.inputs), data.targets, np.int32(IGNORED)))


def crossentropy(targets: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """The mean over all steps that count."""
    kept = tf.cast(targets != IGNORED, logits.dtype)
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(tf.maximum(targets, 0), logits)
    return tf.reduce_sum(losses * kept) / tf.reduce_sum(kept)


def projected(rows: tf.Tensor, kernel: tf.Variable, bias: tf.Tensor) -> list[tf.Tensor]:
    """The product of the inputs, made once for all steps, by step."""
    steps, features = rows.shape[1], rows.shape[2]
    flat = tf.reshape(tf.transpose(rows, (1, 0, 2)), (-1, features))
    return tf.split(tf.nn.bias_add(tf.matmul(flat, kernel), bias), steps)


def by_step(kept: tf.Tensor) -> list[tf.Tensor]:
    return tf.unstack(kept[..., None], axis=1)


def lstm(rows: tf.Tensor, kept: list[tf.Tensor], weights: Weights, name: str, backwards: bool) -> list[tf.Tensor]:
    """The state after each step; steps that are not kept leave it as it was."""
    recurrent = weights[f"{name}/recurrent"]
    hidden = cell = tf.zeros((tf.shape(rows)[0], recurrent.shape[0]))
    inputs = projected(rows, weights[f"{name}/kernel"], weights[f"{name}/bias"])
    states = []
    for gates, there in reversed(list(zip(inputs, kept))) if backwards else zip(inputs, kept):
        enter, forget, new, out = tf.split(gates + tf.matmul(hidden, recurrent), 4, 1)
        cell = tf.where(there, tf.sigmoid(forget) * cell + tf.sigmoid(enter) * tf.tanh(new), cell)
        hidden = tf.where(there, tf.sigmoid(out) * tf.tanh(cell), hidden)
        states.append(hidden)
    return states[::-1] if backwards else states


def gru(
    rows: tf.Tensor, kept: list[tf.Tensor] | None, hidden: tf.Tensor, weights: Weights, name: str
) -> list[tf.Tensor]:
    """The state after each step; steps that are not kept leave it as it was."""
    recurrent, bias = weights[f"{name}/recurrent"], weights[f"{name}/bias"]
    states = []
    for place, gates in enumerate(projected(rows, weights[f"{name}/kernel"], bias[0])):
        update, reset, new = tf.split(gates, 3, 1)
        own_update, own_reset, own_new = tf.split(tf.nn.bias_add(tf.matmul(hidden, recurrent), bias[1]), 3, 1)
        update = tf.sigmoid(update + own_update)
        new = tf.tanh(new + tf.sigmoid(reset + own_reset) * own_new)
        fresh = new + update * (hidden - new)
        hidden = fresh if kept is None else tf.where(kept[place], fresh, hidden)
        states.append(hidden)
    return states


def dense(rows: tf.Tensor, weights: Weights, name: str) -> tf.Tensor:
    """Of rows (batch, steps, features); a rank-3 product would run batch by batch."""
    flat = tf.reshape(rows, (-1, rows.shape[-1]))
    found = tf.nn.bias_add(tf.matmul(flat, weights[f"{name}/kernel"]), weights[f"{name}/bias"])
    return tf.reshape(found, (-1, rows.shape[1], found.shape[-1]))
