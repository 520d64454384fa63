"""Contexts of TensorFlow that a user has entered, and that programs must not see; processes that were forked."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from typing import Any, TypeVar

import tensorflow as tf
from tensorflow.python.eager import context

F = TypeVar("F", bound=Callable[..., Any])

_executing_eagerly: Callable[[], bool] = tf.executing_eagerly


class ForkedError(RuntimeError):
    """TensorFlow is used in a process forked from one that had loaded it."""


class _State:
    """Whether this process was forked after TensorFlow was loaded."""

    forked = False


def ordinary() -> bool:
    """Whether ops run at once or are traced into a function, in a process with TensorFlow's threads.

    Raises:
        ForkedError: the threads were lost in a fork, and every op would wait for them for ever.
    """
    if _State.forked:
        raise ForkedError(
            "TensorFlow was loaded before this process was forked, and its threads are lost here. Start the process "
            "with multiprocessing.get_context('spawn'), or import kbackend and TensorFlow in the child alone; the "
            "engines numpy and torch work in forked processes"
        )
    return _executing_eagerly() or tf.compat.v1.get_default_graph().building_function


def outside(function: F) -> F:
    """A function whose ops run at once inside ``tf.Graph().as_default()`` too."""

    @functools.wraps(function)
    def run(*args: Any, **kwargs: Any) -> Any:
        if ordinary():
            return function(*args, **kwargs)
        with context.eager_mode():
            return function(*args, **kwargs)

    return run  # type: ignore[return-value]


def _forked() -> None:
    _State.forked = True


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
