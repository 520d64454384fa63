"""Sums over the workers of a TensorFlow cluster."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from kbackend_tensorflow import processes

#: bytes of tensors that travel together
BUCKET = 25 << 20


def all_reduce(tensors: Sequence[Any]) -> tuple[Any, ...]:
    group = processes.joined()
    if group is None:
        return tuple(tensors)
    found: list[Any] = [None] * len(tensors)
    for places in _buckets(tensors):
        some = [tensors[p] for p in places]
        total = _sum(tf.concat([tf.reshape(t, [-1]) for t in some], 0))
        parts = tf.split(total, [tf.size(t) for t in some])
        for place, part, tensor in zip(places, parts, some):
            found[place] = tf.ensure_shape(tf.reshape(part, tf.shape(tensor)), tensor.shape)
    return tuple(found)


def _buckets(tensors: Sequence[Any]) -> list[list[int]]:
    """The places of the tensors that travel together: neighbours of one dtype. TensorFlow runs the sum of a bucket as
    soon as its tensors are there: of gradients, while the backward pass computes those of the first weights."""
    found: list[list[int]] = []
    filling: dict[Any, tuple[list[int], int]] = {}
    for place, tensor in enumerate(tensors):
        size = (tensor.shape.num_elements() or 0) * tensor.dtype.size
        places, filled = filling.get(tensor.dtype, ([], BUCKET))
        if filled + size > BUCKET:
            places, filled = [], 0
            found.append(places)
        places.append(place)
        filling[tensor.dtype] = places, filled + size
    return found


@tf.custom_gradient
def _sum(flat: Any) -> Any:
    group = processes.joined()
    assert group is not None
    return group.sum(flat), _sum


KERNELS = {"all_reduce": all_reduce}
