"""The kernel of transposed convolution, by TensorFlow's gradient of convolution.

One spatial axis is computed as two, of which the first has size 1; explicit padding is cropped from the result of an
unpadded transposed convolution.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from kbackend.plugin.geometry import Axis, axes_of
from kbackend_tensorflow import abilities
from kbackend_tensorflow.kernels.nn.conv import dilated, is_thin, past_windows, same_pairs
from kbackend_tensorflow.presumed.empties import by_rows


def convolution_transpose(
    x: Any,
    kernel: Any,
    sizes: Any = (),
    *,
    size: Any,
    batch: int | None,
    strides: Any,
    padding: Any,
    dilation: Any,
) -> Any:
    rest = iter(sizes)
    wanted = [tf.cast(next(rest), tf.int32) if n is None else n for n in size]
    axes = axes_of(kernel.shape[:-2], strides, padding, dilation)
    positions = [tf.shape(x)[1 + a] if n is None else n for a, n in enumerate(x.shape[1:-1])]
    wanted = [_checked(*parts) for parts in zip(axes, positions, wanted)]
    if batch is not None and x.shape[0] is None:
        x = tf.ensure_shape(x, [batch, *x.shape[1:]])
    if max(dilation) > 1:
        kernel = dilated(kernel, dilation)

    def run(x: Any) -> Any:
        return (_by_planes if len(strides) == 1 else _transpose)(x, kernel, wanted, strides, padding)

    y = run(x) if abilities.convolves_no_samples(x.dtype) else by_rows(run, x)  # its gradient is the convolution
    return tf.ensure_shape(y, [batch or x.shape[0], *size, kernel.shape[-2]])


def _checked(axis: Axis, positions: Any, size: Any) -> Any:
    """The output size, checked to be one that the convolution maps to this number of positions."""
    if isinstance(positions, int) and isinstance(size, int):
        axis.pads(positions, size)
        return size
    if axis.pair is None:
        fits = tf.equal(-(-size // axis.stride), positions)
    else:
        over = size + sum(axis.pair) - ((positions - 1) * axis.stride + axis.reach)
        fits = (over >= 0) & (over < axis.stride)
    message = tf.strings.format("an output size of {} does not fit {} positions", (size, positions))
    with tf.control_dependencies([tf.debugging.Assert(fits & (size > 0), [message])]):
        return tf.identity(size)


def _by_planes(x: Any, kernel: Any, wanted: Any, strides: Any, padding: Any) -> Any:
    wide = padding if padding == "same" else ((0, 0), *padding)
    return tf.squeeze(_transpose(x[:, None], kernel[None], [1, *wanted], (1, *strides), wide), 1)


def _transpose(x: Any, kernel: Any, wanted: Any, strides: Any, padding: Any) -> Any:
    rank = len(strides)
    plain = tf.nn.conv2d_transpose if rank == 2 else tf.nn.conv3d_transpose
    filters = kernel.shape[-2]
    if padding == "same" and rank == 3 and past_windows(kernel, strides):
        if not abilities.strides_past_windows(x.dtype):
            padding = same_pairs(wanted, kernel, strides, (1, 1, 1))
    alone = strides[-1] > 1 and filters in (1, None) and x.shape[-2] in (1, None)
    if alone:  # see _with_a_channel in kernels/nn/conv.py, for the gradient
        kernel = tf.concat([kernel, tf.zeros_like(kernel)], -2)

    def run(sizes: Any, how: str) -> Any:
        batch = tf.shape(x)[0] if x.shape[0] is None else x.shape[0]
        if max(strides) > 1 and is_thin(filters, kernel):
            ones = (1,) * rank
            y = plain(x, kernel, tf.concat([tf.shape(x)[:-1], tf.shape(kernel)[-2:-1]], 0), ones, "VALID")
            y = _spread(y, strides, sizes)
        else:
            last = tf.shape(kernel)[-2] if kernel.shape[-2] is None else kernel.shape[-2]
            y = plain(x, kernel, tf.stack([batch, *sizes, last]), strides, how)
        return y[..., :-1] if alone else y

    if padding == "same":
        return run(wanted, "SAME")
    y = run([n + before + after for n, (before, after) in zip(wanted, padding)], "VALID")
    if padding == ((0, 0),) * rank:
        return y
    return y[(slice(None), *(slice(before, before + n) for n, (before, _) in zip(wanted, padding)))]


def _spread(y: Any, strides: Any, sizes: Any) -> Any:
    """``y`` with zeros behind each element, so that the next one follows after a stride, cut to spatial sizes."""
    for axis, stride in enumerate(strides, 1):
        if stride > 1:
            shape = tf.shape(y)
            pairs = [[0, 0]] * (axis + 1) + [[0, stride - 1]] + [[0, 0]] * (y.shape.rank - axis - 1)
            wide = tf.concat([shape[:axis], [shape[axis] * stride], shape[axis + 1 :]], 0)
            y = tf.reshape(tf.pad(tf.expand_dims(y, axis + 1), pairs), wide)
    return y[(slice(None), *(slice(0, n) for n in sizes))]


KERNELS = {"convolution_transpose": convolution_transpose}
