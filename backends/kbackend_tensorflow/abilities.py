"""What TensorFlow can do here, found by trying.

TensorFlow computes with oneDNN on some processors and without it on others, and the two differ in which operations and
gradients they have, and in what they give at the edges; XLA and accelerators differ from both. Each function here makes
a tiny call, once for each kind of device, and says whether its value and its gradients are those that the operation is
defined by. A kernel asks when it needs to know, and composes what is not there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache, wraps
from typing import Any

import numpy as np
import tensorflow as tf

from kbackend.plugin.select import active_target

#: of the largest number that is compared; what is wrong here is wrong by a whole number, and bfloat16 has 8 bits
_TOLERANCE = 0.02

_COMPILED: ContextVar[bool] = ContextVar("kbackend_tensorflow_compiled", default=False)


@contextmanager
def compiled_by_xla(on: bool) -> Iterator[None]:
    """A context in which programs are traced for XLA, whose kernels are others than those of the device."""
    token = _COMPILED.set(on)
    try:
        yield
    finally:
        _COMPILED.reset(token)


def _probe(attempt: Callable[..., bool]) -> Callable[..., bool]:
    """``attempt``, made once for its arguments and the kind of device; what TensorFlow refuses it cannot do."""

    def tried(kind: str, compiled: bool, *args: Any) -> bool:
        with tf.device("CPU:0" if kind == "cpu" else "GPU:0"), compiled_by_xla(compiled):
            try:
                return bool(attempt(*args))
            except (tf.errors.OpError, ValueError, LookupError, NotImplementedError):
                return False

    @cache
    def once(*args: Any) -> bool:
        # In a thread of its own no graph is being traced and no tape paused, as tf.init_scope would.
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(tried, *args).result()

    @wraps(attempt)
    def ability(*args: Any) -> bool:
        return once(active_target().device.partition(":")[0], _COMPILED.get(), *args)

    return ability


def _called(function: Callable[..., Any], *args: Any) -> list[np.ndarray]:
    if _COMPILED.get():
        function = tf.function(function, jit_compile=True, autograph=False).get_concrete_function(*args)
    return [t.numpy().astype(np.float64) for t in function(*args)]


def _with_gradients(function: Callable[..., Any], *arrays: Any, dtype: Any) -> list[np.ndarray]:
    """The function's value, and the gradients of half the sum of its squares."""

    def run(*tensors: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(tensors)
            y = function(*tensors)
            loss = tf.reduce_sum(y * y) / 2
        return (y, *tape.gradient(loss, tensors))

    return _called(run, *(tf.constant(a, dtype) for a in arrays))


def _agree(found: list[np.ndarray], wanted: list[np.ndarray]) -> bool:
    return all(
        f.shape == w.shape and bool(np.all(np.abs(f - w) <= _TOLERANCE * np.max(np.abs(w), initial=1.0)))
        for f, w in zip(found, wanted, strict=True)
    )


# ------------------------------------------------------------------------------------- convolution


@_probe
def convolves(rank: int, dtype: Any, dilated: bool, grouped: bool) -> bool:
    """Whether a convolution over two or three dimensions, dilated or in groups, has a value and gradients."""
    dilation, groups = (2 if dilated else 1), (2 if grouped else 1)
    x = np.arange(6.0 * groups).reshape(6, groups) % 4
    kernel = np.arange(1.0, 1 + 4 * groups).reshape(2, 1, 2 * groups) % 3
    run = tf.nn.conv2d if rank == 2 else tf.nn.conv3d
    before = (None,) * (rank - 1)  # the dimensions of size 1 before the one that counts

    def convolution(x: Any, kernel: Any) -> Any:
        y = run(x[(None, *before)], kernel[before], [1] * (rank + 2), "VALID", dilations=[1] * rank + [dilation, 1])
        return tf.reshape(y, y.shape[-2:])

    return _agree(_with_gradients(convolution, x, kernel, dtype=dtype), _convolution(x, kernel, dilation, groups))


def _convolution(x: np.ndarray, kernel: np.ndarray, dilation: int, groups: int) -> list[np.ndarray]:
    """What :func:`_with_gradients` is to give for (steps, channels) and (taps, channels in a group, filters)."""
    taps, _, filters = kernel.shape
    count = len(x) - (taps - 1) * dilation
    y, of_x, of_kernel = np.zeros((count, filters)), np.zeros_like(x), np.zeros_like(kernel)
    ins, outs = (np.split(np.arange(n), groups) for n in (x.shape[1], filters))
    parts = [(np.ix_(np.arange(count) + tap * dilation, i), tap, o) for tap in range(taps) for i, o in zip(ins, outs)]
    for seen, tap, o in parts:
        y[:, o] += x[seen] @ kernel[tap][:, o]
    for seen, tap, o in parts:
        of_x[seen] += y[:, o] @ kernel[tap][:, o].T
        of_kernel[tap][:, o] += x[seen].T @ y[:, o]
    return [y, of_x, of_kernel]


@_probe
def strides_past_windows(dtype: Any) -> bool:
    """Whether padding "same" over three dimensions is right where strides are wider than the window."""
    x = np.arange(1.0, 28.0).reshape(1, 3, 3, 3, 1)
    first = np.zeros_like(x)
    first[0, 0, 0, 0] = 1.0
    one = np.ones((1, 1, 1, 1, 1))

    def convolution(x: Any, kernel: Any) -> Any:
        return tf.nn.conv3d(x, kernel, [1, 3, 3, 3, 1], "SAME")

    return _agree(_with_gradients(convolution, x, one, dtype=dtype), [one, first, one])


@_probe
def convolves_no_samples(dtype: Any) -> bool:
    """Whether convolutions of a batch without samples have the shape that they should."""
    plane, space = tf.zeros((0, 2, 2, 2), dtype), tf.zeros((0, 2, 2, 2, 2), dtype)
    of_plane, of_space = tf.zeros((2, 2, 2, 3), dtype), tf.zeros((2, 2, 2, 2, 3), dtype)

    def convolutions(*tensors: Any) -> Any:
        plane, of_plane, space, of_space = tensors
        return (
            tf.nn.conv2d(plane, of_plane, 1, "VALID"),
            tf.nn.depthwise_conv2d(plane, of_plane, [1, 1, 1, 1], "VALID"),
            tf.nn.conv3d(space, of_space, [1] * 5, "VALID"),
        )

    shapes = [y.shape for y in _called(convolutions, plane, of_plane, space, of_space)]
    return shapes == [(0, 1, 1, 3), (0, 1, 1, 6), (0, 1, 1, 1, 3)]


# ------------------------------------------------------------------------------------- NaN and infinities


@_probe
def pools_nan(dtype: Any) -> bool:
    """Whether the largest element of a window with a NaN is NaN, and that of a window of -inf is -inf."""
    nan, inf = np.nan, np.inf
    x = tf.constant([nan, 1.0, 1.0, nan, -inf, -inf, -inf, 2.0], dtype)
    (y,) = _called(lambda x: (tf.nn.max_pool2d(x, (1, 2), (1, 2), "VALID"),), tf.reshape(x, (1, 1, 8, 1)))
    return np.array_equal(y.ravel(), [nan, nan, -inf, 2.0], equal_nan=True)


@_probe
def softmax_spreads_nan(dtype: Any) -> bool:
    """Whether the softmax of numbers with a NaN or an infinity among them is NaN throughout."""
    (y,) = _called(lambda x: (tf.nn.softmax(x),), tf.constant([[1.0, np.nan, 2.0], [1.0, 2.0, np.inf]], dtype))
    return bool(np.isnan(y).all())
