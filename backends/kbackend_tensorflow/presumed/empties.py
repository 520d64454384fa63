"""Kernels that TensorFlow gets wrong, or ends the process in, where a batch has no samples.

Where the size of the batch is known nothing has to be found out. Where it is not, a branch would stand between
operations that TensorFlow fuses, and makes a training step of convolutions a twentieth longer. So a program is traced
as if its batches had samples, with an assertion that they have, which costs a microsecond or two; a call in which it
fails has changed nothing, and runs again in a program that is traced with the branch. Programs that would change
something have the branch from the first call on; see :mod:`kbackend_tensorflow.presumed.effects`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any
from weakref import WeakKeyDictionary

import tensorflow as tf

from kbackend_tensorflow.grappler import with_graphs

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
        y = function(x if _is_checked(x) else _asserted(x))
        _CHECKED.setdefault(y.graph, set()).add(y.name)
        return y
    if rows:
        return function(x)

    def none() -> Any:
        one = tf.zeros(tf.concat([[1], tf.shape(x)[1:]], 0), x.dtype)
        return function(tf.ensure_shape(one, [1, *x.shape[1:]]))[:0]

    return none() if rows == 0 else with_graphs(tf.cond, tf.shape(x)[0] > 0, lambda: function(x), none)


#: graph being traced -> names of tensors whose rows an assertion before them has checked
_CHECKED: WeakKeyDictionary[Any, set[str]] = WeakKeyDictionary()
#: operations of which each result has the rows of the operand in its place, and those that may broadcast two
_OF_ONE = frozenset(
    ("AvgPool", "BiasAdd", "Cast", "Conv2D", "Conv3D", "Elu", "Identity", "IdentityN", "LeakyRelu", "Relu", "Selu",
     "Sigmoid", "Softplus", "Tanh")
)  # fmt: skip
_OF_TWO = frozenset(("AddV2", "Mul", "RealDiv", "Sub"))


def _asserted(x: Any) -> Any:
    rows = tf.unstack(tf.shape(x))[0]  # one operation; brackets would take four
    with tf.control_dependencies([tf.raw_ops.Assert(condition=rows > 0, data=[tf.constant(_NONE)])]):
        return tf.identity(x)


def _is_checked(x: Any) -> bool:
    """Whether ``x`` has the rows of a tensor that was checked: one assertion is enough for a chain of layers."""
    checked = _CHECKED.get(x.graph, ())
    while x is not None and x.name not in checked:
        x = _of_the_same_rows(x)
    return x is not None


def _of_the_same_rows(y: Any) -> Any:
    """An operand that ``y`` was made of row by row, or None."""
    op = y.op
    if op.type in _OF_ONE:
        return op.inputs[y.value_index]
    ranks = [t.shape.rank for t in op.inputs] if op.type in _OF_TWO else []
    return op.inputs[ranks.index(max(ranks))] if len(set(ranks)) == 2 and None not in ranks else None
