"""Kernels that TensorFlow gets wrong, or ends the process in, where a batch has no samples.

Where the size of the batch is known nothing has to be found out. Where it is not, a branch would stand between
operations that TensorFlow fuses, and makes a training step of convolutions a twentieth longer. So a program is traced
as if its batches had samples, with an assertion that they have, which costs a microsecond or two; a call in which it
fails has changed nothing, and runs again in a program that is traced with the branch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import tensorflow as tf

_NONE = "kbackend: a batch without samples"

_EXPECTED: ContextVar[bool] = ContextVar("kbackend_tensorflow_empty_batches", default=True)


@contextmanager
def expected(on: bool) -> Iterator[None]:
    """A context for tracing: whether batches of unknown size get a branch or an assertion."""
    token = _EXPECTED.set(on)
    try:
        yield
    finally:
        _EXPECTED.reset(token)


def met(error: BaseException) -> bool:
    """Whether a translated error is that of the assertion."""
    return _NONE in str(error.__cause__)


def by_rows(function: Callable[[Any], Any], x: Any) -> Any:
    """``function(x)``, of which each row depends on the same row of ``x`` alone, for any number of rows."""
    rows = x.shape[0]
    if rows is None and not _EXPECTED.get():
        return function(_asserted(x))
    if rows:
        return function(x)

    def none() -> Any:
        one = tf.zeros(tf.concat([[1], tf.shape(x)[1:]], 0), x.dtype)
        return function(tf.ensure_shape(one, [1, *x.shape[1:]]))[:0]

    return none() if rows == 0 else tf.cond(tf.shape(x)[0] > 0, lambda: function(x), none)


def _asserted(x: Any) -> Any:
    with tf.control_dependencies([tf.debugging.Assert(tf.shape(x)[0] > 0, [_NONE])]):
        return tf.identity(x)
