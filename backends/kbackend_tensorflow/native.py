"""Native draws on TensorFlow: ``tf.random.Generator``, and stateless ops for draws with an explicit seed.

The algorithm is the one that TensorFlow selects for the device.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from kbackend.plugin.native import Generators
from kbackend.plugin.select import active_target
from kbackend.streams import has_own_seed
from kbackend_tensorflow.kernels.random.draws import shape_vector

_ODD = 0x9E3779B97F4A7C15


def _made(seed: int, device: str) -> tf.random.Generator:
    return tf.random.Generator.from_seed(_signed(seed))


def _reseed(generator: tf.random.Generator, seed: int) -> None:
    generator.reset_from_seed(_signed(seed))


class _Generators(Generators[tf.random.Generator]):
    def hold(self, variables: Any) -> bool:
        """Whether the state of a generator is among the variables."""
        states = {id(generator.state) for generator in self._made.values()}
        return any(id(variable) in states for variable in variables)


GENERATORS = _Generators(_made, _reseed, lambda g: g.state.numpy(), lambda g, state: g.reset(state))


def generator() -> tf.random.Generator:
    """The generator of the active device, whose state traced programs read at run time."""
    device = active_target().device
    with tf.init_scope(), tf.device("CPU:0" if device == "cpu" else f"GPU:{device.partition(':')[2] or 0}"):
        return GENERATORS(device)


def _signed(number: int) -> int:
    return (number + (1 << 63)) % (1 << 64) - (1 << 63)


def own_seed(step: Any, trial: Any, key: int, op_id: int) -> Any:
    """The seed of a stateless op, two int64 numbers."""
    first, second = tf.constant(_signed(key), tf.int64), tf.constant(op_id << 32, tf.int64)
    if trial is not None:
        first += tf.cast(trial, tf.int64) * tf.constant(_signed(_ODD), tf.int64)
    return tf.stack([first, second + tf.cast(step, tf.int64)])


def draw(
    stateful: Callable[..., Any], stateless: Callable[..., Any], step: Any, trial: Any, shape: Any, key: int,
    op_id: int, **options: Any,
) -> Any:  # fmt: skip
    """A draw by a method of the generator, or by the equivalent stateless op for a draw with an explicit seed."""
    if has_own_seed(op_id):
        return stateless(shape, own_seed(step, trial, key, op_id), **options)
    return stateful(generator(), shape, **options)


def random_bits(step: Any, sizes: Any = (), trial: Any = None, *, shape: Any, key: int, op_id: int) -> Any:
    words = draw(
        lambda g, shape: g.uniform_full_int(shape, tf.uint32),
        lambda shape, seed: tf.random.stateless_uniform(shape, seed, minval=None, maxval=None, dtype=tf.uint32),
        step, trial, shape_vector(shape, sizes), key, op_id,
    )  # fmt: skip
    return tf.ensure_shape(tf.cast(words, tf.int64), shape)


def random_unit(
    step: Any, sizes: Any = (), trial: Any = None, *, shape: Any, key: int, op_id: int, dtype: str
) -> Any:
    return tf.ensure_shape(unit(step, trial, shape_vector(shape, sizes), key, op_id, dtype), shape)


def unit(step: Any, trial: Any, shape: Any, key: int, op_id: int, dtype: str) -> Any:
    methods = tf.random.Generator.uniform, tf.random.stateless_uniform
    return draw(*methods, step, trial, shape, key, op_id, dtype=tf.as_dtype(dtype))


def standard_normal(
    step: Any, sizes: Any = (), trial: Any = None, *, shape: Any, key: int, op_id: int, dtype: str
) -> Any:
    methods = tf.random.Generator.normal, tf.random.stateless_normal
    drawn = draw(*methods, step, trial, shape_vector(shape, sizes), key, op_id, dtype=tf.as_dtype(dtype))
    return tf.ensure_shape(drawn, shape)


def dropout(x: Any, rate: Any, step: Any, *, noise_shape: Any = None, key: int, op_id: int) -> Any:
    shape = tf.shape(x)
    if noise_shape is not None:
        shape = tf.stack([shape[i] if n is None else n for i, n in enumerate(noise_shape)])
    rate = tf.stop_gradient(rate)
    rest = 1.0 - tf.cast(rate, tf.float64 if x.dtype == tf.float64 else tf.float32)
    scale = tf.cast(1.0 / tf.where(rest > 0, rest, tf.ones_like(rest)), x.dtype)
    kept = unit(step, None, shape, key, op_id, "float32") >= tf.cast(rate, tf.float32)
    return tf.ensure_shape(x * (tf.cast(kept, x.dtype) * scale), x.shape)


NATIVE_KERNELS = {
    "random_bits": random_bits,
    "random_unit": random_unit,
    "standard_normal": standard_normal,
    "dropout": dropout,
}
