"""Normalization kernels.

TensorFlow's fused kernel returns an unbiased variance and has no gradient through its statistics. Here the gradient is
in closed form, with its terms collected in tensors of the size of the statistics to save passes over x.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf


def normalize_batch_in_training(
    x: Any, gamma: Any, beta: Any, *, reduction_axes: tuple[int, ...], epsilon: float
) -> Any:
    wide = tf.cast(x, tf.float32) if x.dtype.size < 4 else x
    sizes = tf.shape(x)
    kept = tf.stack([1 if a in reduction_axes else sizes[a] for a in range(x.shape.rank)])
    factor = tf.ones(kept, wide.dtype) if gamma is None else _spread(gamma, wide, reduction_axes, kept)
    offset = tf.zeros(kept, wide.dtype) if beta is None else _spread(beta, wide, reduction_axes, kept)
    y, mean, var = _normalized(wide, factor, offset, reduction_axes, epsilon)
    return tf.cast(y, x.dtype), tf.squeeze(mean, reduction_axes), tf.squeeze(var, reduction_axes)


def _spread(value: Any, x: Any, axes: tuple[int, ...], kept: Any) -> Any:
    """gamma or beta, whose axes are the ones that are not reduced, in the shape of the statistics."""
    value = tf.cast(value, x.dtype)
    if value.shape.rank != x.shape.rank:
        own = tf.shape(value)
        left = [a for a in range(x.shape.rank) if a not in axes]
        place = {a: own[i] for i, a in enumerate(left[len(left) - value.shape.rank:])}
        value = tf.reshape(value, tf.stack([place.get(a, 1) for a in range(x.shape.rank)]))
    return tf.broadcast_to(value, kept)


def _normalized(x: Any, gamma: Any, beta: Any, axes: tuple[int, ...], epsilon: float) -> Any:
    some = True if x.shape.num_elements() else tf.size(x) > 0

    def average(values: Any) -> Any:
        """0 of an empty batch."""
        found = tf.reduce_mean(values, axes, keepdims=True)
        return found if some is True else tf.where(some, found, tf.zeros_like(found))

    @tf.custom_gradient
    def run(x: Any, gamma: Any, beta: Any) -> Any:
        mean = average(x)
        centered = x - mean
        var = average(tf.square(centered))
        inverse = tf.math.rsqrt(var + epsilon)
        factor = inverse * gamma

        def gradients(of_y: Any, of_mean: Any, of_var: Any) -> Any:
            count = tf.cast(tf.size(x) // tf.maximum(tf.size(mean), 1), x.dtype)
            first, second = average(of_y), average(of_y * centered)
            slope = 2.0 * of_var / count - factor * tf.square(inverse) * second
            of_x = factor * of_y + centered * slope + (of_mean / count - factor * first)
            return of_x, inverse * second * count, first * count

        return (centered * factor + beta, mean, var), gradients

    return run(x, gamma, beta)


KERNELS: dict[str, Any] = {"normalize_batch_in_training": normalize_batch_in_training}
