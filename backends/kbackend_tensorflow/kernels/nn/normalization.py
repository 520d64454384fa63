"""Normalization kernels.

TensorFlow's fused kernel returns an unbiased variance and has no gradient through its statistics. Here the gradient is
in closed form, with its terms collected in tensors of the size of the statistics to save passes over x.
"""

from __future__ import annotations

import math
from typing import Any

import tensorflow as tf


def normalize_batch_in_training(
    x: Any, gamma: Any, beta: Any, *, reduction_axes: tuple[int, ...], epsilon: float
) -> Any:
    wide = tf.cast(x, tf.float32) if x.dtype.size < 4 else x
    kept = _sizes([1 if a in reduction_axes else n for a, n in enumerate(x.shape)], tf.shape(x))
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
        places = {a: i for i, a in enumerate(left[len(left) - value.shape.rank:])}
        known = [value.shape[places[a]] if a in places else 1 for a in range(x.shape.rank)]
        value = tf.reshape(value, _sizes(known, {a: own[i] for a, i in places.items()}))
    return value if value.shape.as_list() == kept else tf.broadcast_to(value, kept)


def _sizes(known: list[int | None], sizes: Any) -> Any:
    """A shape, as a list where all of it is known, else as a tensor with what ``sizes`` has for the axes of None."""
    return known if None not in known else tf.stack([sizes[a] if n is None else n for a, n in enumerate(known)])


def _normalized(x: Any, gamma: Any, beta: Any, axes: tuple[int, ...], epsilon: float) -> Any:
    summed = [x.shape[a] for a in axes]
    if None not in summed:
        count: Any = tf.constant(math.prod(summed), x.dtype)
    else:
        sizes = tf.shape(x)
        count = tf.cast(tf.reduce_prod([sizes[a] for a in axes]), x.dtype)
    divisor = tf.maximum(count, 1)

    def average(values: Any) -> Any:
        """0 of an empty batch."""
        return tf.reduce_sum(values, axes, keepdims=True) / divisor

    @tf.custom_gradient
    def run(x: Any, gamma: Any, beta: Any) -> Any:
        mean = average(x)
        centered = x - mean
        var = average(tf.square(centered))
        inverse = tf.math.rsqrt(var + epsilon)
        factor = inverse * gamma

        def gradients(of_y: Any, of_mean: Any, of_var: Any) -> Any:
            first, second = average(of_y), average(of_y * centered)
            slope = 2.0 * of_var / divisor - factor * tf.square(inverse) * second
            of_x = factor * of_y + centered * slope + (of_mean / divisor - factor * first)
            return of_x, inverse * second * count, first * count

        return (centered * factor + beta, mean, var), gradients

    return run(x, gamma, beta)


KERNELS: dict[str, Any] = {"normalize_batch_in_training": normalize_batch_in_training}
