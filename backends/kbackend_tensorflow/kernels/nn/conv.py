"""Convolution and pooling kernels.

One spatial axis is computed as two, of which the first has size 1. Three-dimensional pooling is computed as two
poolings, since TensorFlow's own supports one dtype only and aborts the process on an empty batch.
"""

from __future__ import annotations

import math
from typing import Any

import tensorflow as tf

from kbackend_tensorflow import abilities
from kbackend_tensorflow.presumed.empties import by_rows
from kbackend_tensorflow.presumed.finite import repaired

#: how many channels fill a register of AVX2
LANES = 8


def convolution(
    x: Any, kernel: Any, bias: Any = None, *, strides: Any, padding: Any, dilation: Any, groups: int
) -> Any:
    rank = len(strides)
    if rank == 1:
        wide = padding if padding == "same" else ((0, 0), *padding)
        y = convolution(x[:, None], kernel[None], bias, strides=(1, *strides), padding=wide,
                        dilation=(1, *dilation), groups=groups)
        return tf.squeeze(y, 1)

    filters = unpadded(kernel)

    def run(x: Any) -> Any:
        return _convolved(x, filters, strides, padding, dilation, groups)

    # Not probed: of no samples TensorFlow's gradient of a depthwise kernel is uninitialized memory, which may be zeros.
    by_channel = groups > 1 and kernel.shape[-2] == 1
    y = run(x) if abilities.convolves_no_samples(x.dtype) and not by_channel else by_rows(run, x)
    return y if bias is None else tf.nn.bias_add(y, bias)


def _convolved(x: Any, kernel: Any, strides: Any, padding: Any, dilation: Any, groups: int) -> Any:
    rank, apart = len(strides), max(dilation) > 1
    # With strides too oneDNN ends the process where windows see padding alone, which no attempt may find out. Of three
    # dimensions TensorFlow infers a shape with the dilations of the last two exchanged.
    together = max(strides) == 1 and len(set(dilation[1:])) == 1
    if apart and not (together and abilities.convolves(rank, x.dtype, True, groups > 1)):
        return _by_phases(x, kernel, strides, padding, dilation, groups)
    if max(strides) > 1 and is_thin(x.shape[-1], kernel):
        x = x if padding == "same" or _is_valid(padding) else tf.pad(x, _whole(padding))
        x, strides, padding = x[(slice(None), *(slice(None, None, s) for s in strides))], (1,) * rank, ((0, 0),) * rank
    elif strides[-1] > 1 and groups == 1 and x.shape[-1] in (1, None) and _one_position(x, kernel, strides, padding):
        x, kernel = _with_a_channel(x, kernel)
    at_once = groups == 1 or abilities.convolves(rank, x.dtype, apart, True)
    run = _plane if rank == 2 else _space
    return run(x, kernel, strides, padding, dilation, groups, at_once)


def _by_phases(x: Any, kernel: Any, strides: Any, padding: Any, dilation: Any, groups: int) -> Any:
    """A dilated convolution by space-to-batch: elements a multiple of the dilation apart form one sample, which is
    convolved without dilation. Along axes with strides the kernel is dilated by zeros instead."""
    spread = [d if s > 1 else 1 for s, d in zip(strides, dilation)]
    block = [1 if s > 1 else d for s, d in zip(strides, dilation)]
    kernel, ones = dilated(kernel, spread), (1,) * len(strides)
    if max(block) == 1:
        return _convolved(x, kernel, strides, padding, ones, groups)
    pairs = same_pairs(_sizes(x), kernel, strides, block) if padding == "same" else padding
    lengths = [n + before + after for n, (before, after) in zip(_sizes(x), pairs)]
    rest = [-n % b for n, b in zip(lengths, block)]
    phases = tf.space_to_batch(x, block, [[before, after + r] for (before, after), r in zip(pairs, rest)])
    y = _convolved(phases, kernel, strides, ((0, 0),) * len(strides), ones, groups)
    return tf.batch_to_space(y, block, [[0, r] for r in rest])


def dilated(kernel: Any, dilation: Any) -> Any:
    """The kernel with zeros between its taps."""
    for axis, step in enumerate(dilation):
        if step > 1:
            sizes = tf.shape(kernel)
            pairs = [[0, 0]] * (axis + 1) + [[0, step - 1]] + [[0, 0]] * (kernel.shape.rank - axis - 1)
            spread = tf.pad(tf.expand_dims(kernel, axis + 1), pairs)
            spread = tf.reshape(spread, tf.concat([sizes[:axis], [sizes[axis] * step], sizes[axis + 1:]], 0))
            kernel = spread[(slice(None),) * axis + (slice(0, (sizes[axis] - 1) * step + 1),)]
    return kernel


def is_thin(channels: int | None, kernel: Any) -> bool:
    """Whether a window of one sees few channels, or may: then oneDNN's gradient of the kernel with strides writes past
    its memory (AVX2), and the positions that the strides reach are taken out before."""
    return (channels is None or channels < LANES) and all(k == 1 for k in kernel.shape[:-2])


def _one_position(x: Any, kernel: Any, strides: Any, padding: Any) -> bool:
    """Whether the window has one position along the last spatial dimension, or may have."""
    size, taps = x.shape[-2], kernel.shape[-3]
    if size is None or padding != "same" and taps is None:
        return True
    return size <= strides[-1] if padding == "same" else size + sum(padding[-1]) - taps < strides[-1]


def _with_a_channel(x: Any, kernel: Any) -> tuple[Any, Any]:
    """``x`` and kernel with a channel of zeros: of an image of one channel oneDNN (AVX-512) reads past the memory where
    strides leave one position along the last dimension."""
    return tf.concat([x, tf.zeros_like(x)], -1), tf.concat([kernel, tf.zeros_like(kernel)], -2)


def unpadded(kernel: Any) -> Any:
    """A kernel that ``tf.pad`` gave, joined from parts instead: oneDNN's graph pass takes the padding of a kernel for
    one of the image, and ends the process."""
    if tf.executing_eagerly() or kernel.op.type not in ("Pad", "PadV2"):
        return kernel
    inner, pairs, *constant = kernel.op.inputs
    known = tf.get_static_value(pairs)
    if known is None:
        return kernel
    for axis, sides in enumerate(known.tolist()):
        sizes = tf.unstack(tf.shape(inner))
        before, after = (
            tf.fill([*sizes[:axis], count, *sizes[axis + 1 :]], *(constant or [tf.zeros((), kernel.dtype)]))
            for count in sides
        )
        inner = tf.concat([before, inner, after], axis) if max(sides) else inner
    return tf.ensure_shape(inner, kernel.shape)


def _whole(pairs: Any) -> list[list[Any]]:
    """Padding pairs of all axes of a channels-last tensor."""
    return [[0, 0], *map(list, pairs), [0, 0]]


def _is_valid(padding: Any) -> bool:
    return padding != "same" and not any(map(any, padding))


def _plane(x: Any, kernel: Any, strides: Any, padding: Any, dilation: Any, groups: int, at_once: bool) -> Any:
    how: Any = "SAME" if padding == "same" else "VALID" if _is_valid(padding) else _whole(padding)
    # TensorFlow has no gradient for pairs with dilation or groups on the CPU; the one for pairs by channel ends the
    # process in a program whose batch is unknown.
    if isinstance(how, list) and (max(dilation) > 1 or groups > 1):
        x, how = tf.pad(x, how), "VALID"
    if groups > 1 and kernel.shape[-2] == 1 and len(set(strides)) == 1 and max(dilation) == 1:
        sizes = tf.shape(kernel)
        taps = tf.reshape(kernel, tf.stack([sizes[0], sizes[1], groups, -1]))
        return tf.nn.depthwise_conv2d(x, taps, [1, *strides, 1], how)

    def run(x: Any, kernel: Any) -> Any:
        return tf.nn.conv2d(x, kernel, strides, how, dilations=dilation)

    return run(x, kernel) if at_once else _by_groups(run, x, kernel, groups)


def _space(x: Any, kernel: Any, strides: Any, padding: Any, dilation: Any, groups: int, at_once: bool) -> Any:
    how = "SAME" if padding == "same" else "VALID"
    if padding == "same" and past_windows(kernel, strides) and not abilities.strides_past_windows(x.dtype):
        x, how = tf.pad(x, _whole(same_pairs(_sizes(x), kernel, strides, dilation))), "VALID"
    elif padding != "same" and not _is_valid(padding):
        x = tf.pad(x, _whole(padding))

    def run(x: Any, kernel: Any) -> Any:
        return tf.nn.conv3d(x, kernel, [1, *strides, 1], how, dilations=[1, *dilation, 1])

    return run(x, kernel) if at_once else _by_groups(run, x, kernel, groups)


def past_windows(kernel: Any, strides: Any) -> bool:
    """Whether a stride is, or may be, larger than the kernel."""
    return any(w is None or s > w for w, s in zip(kernel.shape, strides))


def _sizes(x: Any) -> list[Any]:
    """The spatial sizes, integers where they are known and else tensors."""
    return [tf.shape(x)[a] if n is None else n for a, n in enumerate(x.shape[1:-1], start=1)]


def same_pairs(sizes: Any, kernel: Any, strides: Any, dilation: Any) -> list[tuple[Any, Any]]:
    """The padding pairs of "same"; sizes may be tensors."""
    window = [tf.shape(kernel)[a] if n is None else n for a, n in enumerate(kernel.shape[:-2])]
    return [_same_pair(*parts) for parts in zip(sizes, window, strides, dilation)]


def _same_pair(size: Any, window: Any, stride: int, dilation: int) -> tuple[Any, Any]:
    total = (-(-size // stride) - 1) * stride + (window - 1) * dilation + 1 - size
    total = max(total, 0) if isinstance(total, int) else tf.maximum(total, 0)
    return total // 2, total - total // 2


def _by_groups(run: Any, x: Any, kernel: Any, groups: int) -> Any:
    """The concatenation of a convolution of each group."""
    parts = zip(tf.split(x, groups, -1), tf.split(kernel, groups, -1), strict=True)
    return tf.concat([run(*part) for part in parts], -1)


# ------------------------------------------------------------------------------------------------- pooling


def _by_planes(pool: Any, x: Any, window: Any, strides: Any, padding: Any) -> Any:
    """Pooling over one to three spatial axes by poolings over two."""
    same = padding == "same"
    if len(window) == 2:
        return pool(x, window, strides, padding)
    if len(window) == 1:
        wide = padding if same else ((0, 0), *padding)
        return tf.squeeze(pool(x[:, None], (1, *window), (1, *strides), wide), 1)
    sizes = tf.shape(x)
    y = pool(tf.reshape(x, tf.concat([[sizes[0] * sizes[1]], sizes[2:]], 0)), window[1:], strides[1:],
             padding if same else padding[1:])
    inner = tf.shape(y)
    y = tf.reshape(y, [sizes[0], sizes[1], inner[1] * inner[2], sizes[4]])
    y = pool(y, (window[0], 1), (strides[0], 1), padding if same else (padding[0], (0, 0)))
    return tf.reshape(y, tf.concat([tf.shape(y)[:2], inner[1:]], 0))


def max_pool(x: Any, *, window: Any, strides: Any, padding: Any) -> Any:
    # Not probed as an ability: where oneDNN computes the gradient of an empty batch, the probe aborts the process.
    return by_rows(lambda x: _by_planes(_max_pool, x, window, strides, padding), x)


def _max_pool(x: Any, window: Any, strides: Any, padding: Any) -> Any:
    def pool(values: Any) -> Any:
        if padding == "same" or _is_valid(padding):
            return tf.nn.max_pool2d(values, window, strides, "SAME" if padding == "same" else "VALID")
        # TensorFlow has no second derivative for explicit padding.
        values = tf.pad(values, _whole(padding), constant_values=-math.inf)
        return tf.nn.max_pool2d(values, window, strides, "VALID")

    return pool(x) if abilities.pools_nan(x.dtype) else _repaired(pool(x), x, pool)


def _repaired(y: Any, x: Any, pool: Any) -> Any:
    """Max pooling of NaN and -inf, for kernels that ignore NaN and return the lowest finite number for -inf.

    Only inputs with a sum that is not finite are repaired; the sum costs a tenth of the pooling.
    """

    def exactly() -> Any:
        above = pool(tf.cast((x > -math.inf) | tf.math.is_nan(x), x.dtype))
        missing = pool(tf.cast(tf.math.is_nan(x), x.dtype))
        nan, lowest = (tf.constant(v, x.dtype) for v in (math.nan, -math.inf))
        return tf.where(missing > 0, nan, tf.where(above > 0, y, lowest))

    total = tf.reduce_sum(tf.cast(x, tf.float32) if x.dtype.size < 4 else x)
    return repaired(y, total, exactly)


def avg_pool(x: Any, *, window: Any, strides: Any, padding: Any) -> Any:
    return _by_planes(_avg_pool, x, window, strides, padding)


def _avg_pool(x: Any, window: Any, strides: Any, padding: Any) -> Any:
    if padding == "same":
        return tf.nn.avg_pool2d(x, window, strides, "SAME")
    if _is_valid(padding):
        return tf.nn.avg_pool2d(x, window, strides, "VALID")
    ones = tf.ones(tf.concat([[1], tf.shape(x)[1:3], [1]], 0), x.dtype)
    share = tf.nn.avg_pool2d(tf.pad(ones, _whole(padding)), window, strides, "VALID")
    return tf.nn.avg_pool2d(tf.pad(x, _whole(padding)), window, strides, "VALID") / share


KERNELS = {"convolution": convolution, "max_pool": max_pool, "avg_pool": avg_pool}
