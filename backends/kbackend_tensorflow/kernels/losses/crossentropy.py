"""Crossentropy kernels."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from kbackend.plugin.modes import is_deterministic


def checked_labels(labels: Any, logits: Any) -> Any:
    count = tf.cast(tf.shape(logits)[-1], labels.dtype)
    outside = (labels < 0) | (labels >= count)
    wrong = tf.boolean_mask(labels, outside)
    message = tf.strings.format("the label {} is not in [0, {})", (tf.reshape(wrong, [-1])[:1], count))
    with tf.control_dependencies([tf.debugging.Assert(~tf.reduce_any(outside), [message])]):
        return tf.identity(labels)


def label_crossentropy(labels: Any, logits: Any) -> Any:
    if is_deterministic():  # TensorFlow then gathers by the labels, and its message names indices
        labels = checked_labels(labels, logits)
    return tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)


def sigmoid_crossentropy(target: Any, logits: Any, limit: float | None = None) -> Any:
    @tf.custom_gradient
    def loss(target: Any, logits: Any) -> Any:
        clipped = logits
        if limit is not None:  # one operation; tf.clip_by_value makes two
            clipped = tf.raw_ops.ClipByValue(t=logits, clip_value_min=-limit, clip_value_max=limit)

        def gradients(g: Any) -> Any:
            slope = tf.sigmoid(clipped) - target
            if limit is not None:
                slope *= tf.cast(clipped == logits, slope.dtype)
            return -g * clipped, g * slope

        remainder = tf.math.log1p(tf.exp(-tf.abs(clipped)))
        return tf.nn.relu(clipped) - clipped * target + remainder, gradients

    return loss(target, logits)


KERNELS: dict[str, Any] = {
    "checked_labels": checked_labels,
    "label_crossentropy": label_crossentropy,
    "sigmoid_crossentropy": sigmoid_crossentropy,
}
