"""The two LSTM branches in TensorFlow: the product of the inputs hoisted, the ten steps unrolled."""

from __future__ import annotations

from types import ModuleType

import tensorflow as tf

from benchmarks.by_hand.tensorflow.loop import TensorflowProgram, sparse_crossentropy
from benchmarks.workloads.data import Data


def last_state(rows: tf.Tensor, kernel: tf.Variable, recurrent: tf.Variable, bias: tf.Variable) -> tf.Tensor:
    """Hidden state (batch, units) after all steps of rows (batch, steps, features)."""
    steps, features = rows.shape[1], rows.shape[2]
    flat = tf.reshape(tf.transpose(rows, (1, 0, 2)), (-1, features))
    projected = tf.split(tf.nn.bias_add(tf.matmul(flat, kernel), bias), steps)
    hidden, cell = None, None
    for gates in projected:
        if hidden is not None:
            gates = gates + tf.matmul(hidden, recurrent)
        enter, forget, new, out = tf.split(gates, 4, 1)
        fresh = tf.sigmoid(enter) * tf.tanh(new)
        cell = fresh if cell is None else tf.sigmoid(forget) * cell + fresh
        hidden = tf.sigmoid(out) * tf.tanh(cell)
    return hidden


def block_state(rows: tf.Tensor, kernel: tf.Variable, recurrent: tf.Variable, bias: tf.Variable) -> tf.Tensor:
    """The same by TensorFlow's CPU kernel for a whole sequence, BlockLSTM, whose gates are i, c, f, o."""
    steps = rows.shape[1]
    units = recurrent.shape[0]

    def reorder(array: tf.Tensor) -> tf.Tensor:
        enter, forget, new, out = tf.split(array, 4, -1)
        return tf.concat((enter, new, forget, out), -1)

    zeros = tf.zeros((tf.shape(rows)[0], units))
    peephole = tf.zeros((units,))
    hidden = tf.raw_ops.BlockLSTM(
        seq_len_max=tf.constant(steps, tf.int64),
        x=tf.transpose(rows, (1, 0, 2)),
        cs_prev=zeros,
        h_prev=zeros,
        w=reorder(tf.concat((kernel, recurrent), 0)),
        wci=peephole,
        wcf=peephole,
        wco=peephole,
        b=reorder(tf.convert_to_tensor(bias)),
        forget_bias=0.0,
        cell_clip=-1.0,
        use_peephole=False,
    ).h
    return hidden[-1]


def build(workload: ModuleType, data: Data, batch: int, variant: str) -> TensorflowProgram:
    branch = block_state if variant == "block" else last_state

    def network(weights: dict[str, tf.Variable], inputs: list[tf.Tensor], training: bool) -> tf.Tensor:
        last = [
            branch(rows, weights[f"{name}/kernel"], weights[f"{name}/recurrent"], weights[f"{name}/bias"])
            for name, rows in zip(("upper", "lower"), inputs, strict=True)
        ]
        return tf.nn.bias_add(
            tf.matmul(tf.concat(last, 1), weights["classes/kernel"]), weights["classes/bias"]
        )

    return TensorflowProgram(
        network, sparse_crossentropy, tf.nn.softmax, workload.initial_weights(), data, batch, variant
    )
