"""Kernels that TensorFlow gets wrong where a value is not finite.

A branch takes more time to trace than all else in such a kernel, as each side of it is a graph of its own. So a program
is traced as if the values were finite, with an assertion that they are. A call in which it fails has changed nothing;
it runs again in a program that is traced with the branch, and so do all later calls: after one NaN more are likely.
Programs that would change something, such as variables of modules, have the branch from the first call on; see
:mod:`kbackend_tensorflow.presumed.effects`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import tensorflow as tf

from kbackend_tensorflow import processes
from kbackend_tensorflow.grappler import with_graphs

_NOT_FINITE = "kbackend: a value that is not finite"

_PRESUMED: ContextVar[bool] = ContextVar("kbackend_tensorflow_finite", default=False)


@contextmanager
def presumed(on: bool) -> Iterator[None]:
    """A context for tracing: whether kernels assert that values are finite, in the place of a branch.

    Among several processes none does: one alone would run again, and sum over the processes once more.
    """
    token = _PRESUMED.set(on and processes.joined() is None)
    try:
        yield
    finally:
        _PRESUMED.reset(token)


def met(error: BaseException) -> bool:
    """Whether a translated error is that of the assertion."""
    return _NOT_FINITE in str(error.__cause__)


def repaired(y: Any, total: Any, exactly: Callable[[], Any]) -> Any:
    """``y`` where ``total`` is finite, else ``exactly()``; a gradient passes to ``y`` as it is.

    Args:
        y: the result of a kernel.
        total: the sum of a tensor, which is finite unless an element is not.
        exactly: makes what ``y`` should be.
    """
    if not _PRESUMED.get():
        return branched(y, total, exactly)
    finite = tf.math.is_finite(total)
    with tf.control_dependencies([tf.raw_ops.Assert(condition=finite, data=[tf.constant(_NOT_FINITE)])]):
        return tf.identity(y)


def branched(y: Any, total: Any, exactly: Callable[[], Any]) -> Any:
    """:func:`repaired` with a branch in any case."""

    @tf.custom_gradient
    def repair(y: Any) -> Any:
        result = with_graphs(tf.cond, tf.math.is_finite(total), lambda: tf.identity(y), exactly)
        return result, lambda gradient: gradient

    return repair(y)
