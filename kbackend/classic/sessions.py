"""Names of K about TensorFlow 1's sessions and the two modes of TensorFlow 2."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from kbackend.declare.decorate import derived
from kbackend.ground.names import reset_uids
from kbackend.ops.control.phase import forget_phase

F = TypeVar("F", bound=Callable[..., Any])
_INSTEAD = (
    "kbackend has no sessions: a program runs when K.function's result, K.eval or a model is called; variables hold "
    "their values on the engine that last ran them. "
)


@derived
def get_session() -> Any:
    """There are no sessions.

    Raises:
        NotImplementedError: always; the message says what to use.
    """
    raise NotImplementedError(
        _INSTEAD + "Use K.function(inputs, outputs)(values) for session.run, K.get_value(x) to read a variable"
    )


@derived
def set_session(session: Any) -> None:
    """There are no sessions.

    Raises:
        NotImplementedError: always; the message says what to use.
    """
    raise NotImplementedError(
        _INSTEAD + "Choose engine and device with kbackend.set_backend, kbackend.set_device and "
        "'with kbackend.use_backend(...)'; threads with the engine's own settings"
    )


@derived
def manual_variable_initialization(value: bool) -> None:
    """Variables need no initialization: each has its initial value, computed when it is first needed.

    Args:
        value: False, which is how things are.

    Raises:
        NotImplementedError: True was asked for.
    """
    if value:
        raise NotImplementedError(
            "variables initialize themselves and cannot be left uninitialized; give values with K.set_value, "
            "K.batch_set_value or set_weights"
        )


@derived
def symbolic(func: F) -> F:
    """The function itself. As a decorator it told TensorFlow to build a graph; here calls on symbolic tensors always
    do.

    >>> from kbackend import K
    >>> @K.symbolic
    ... def double(x):
    ...     return 2 * x
    >>> double(3)
    6
    """
    return func


@derived
def eager(func: F) -> F:
    """The function itself. As a decorator it told TensorFlow to run at once; here calls on concrete tensors always
    do."""
    return func


def clear_session() -> None:
    """Start anew: counted names, the phase tensor and a fixed phase. Tensors and variables made before
    stay usable."""
    reset_uids()
    forget_phase()
