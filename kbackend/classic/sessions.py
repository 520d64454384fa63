"""Functions of K about the sessions of TensorFlow 1 and the two modes of TensorFlow 2."""

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
    """Refused, because kbackend has no sessions.

    Raises:
        NotImplementedError: always; the message names the alternatives.

    >>> from kbackend import K
    >>> K.get_session()
    Traceback (most recent call last):
    NotImplementedError: kbackend has no sessions: ...
    """
    raise NotImplementedError(
        _INSTEAD + "Use K.function(inputs, outputs)(values) for session.run, K.get_value(x) to read a variable"
    )


@derived
def set_session(session: Any) -> None:
    """Refused, because kbackend has no sessions.

    Args:
        session: ignored.

    Raises:
        NotImplementedError: always; the message names the alternatives.

    >>> from kbackend import K
    >>> K.set_session(None)
    Traceback (most recent call last):
    NotImplementedError: kbackend has no sessions: ...
    """
    raise NotImplementedError(
        _INSTEAD + "Choose engine and device with kbackend.set_backend, kbackend.set_device and "
        "'with kbackend.use_backend(...)'; threads with the engine's own settings"
    )


@derived
def manual_variable_initialization(value: bool) -> None:
    """Check that variables are not to be initialized by the user; they initialize themselves when first needed.

    Args:
        value: False.

    Raises:
        NotImplementedError: ``value`` is true.

    >>> from kbackend import K
    >>> K.manual_variable_initialization(False)
    """
    if value:
        raise NotImplementedError(
            "variables initialize themselves and cannot be left uninitialized; give values with K.set_value, "
            "K.batch_set_value or set_weights"
        )


@derived
def symbolic(func: F) -> F:
    """``func`` itself: calls on symbolic tensors always build a graph, which TensorFlow needed a decorator for.

    Args:
        func: any function.

    Returns:
        ``func``.

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
    """``func`` itself: calls on concrete tensors always run immediately, which TensorFlow needed a decorator for.

    Args:
        func: any function.

    Returns:
        ``func``.

    >>> from kbackend import K
    >>> @K.eager
    ... def double(x):
    ...     return 2 * x
    >>> double(3)
    6
    """
    return func


def clear_session() -> None:
    """Reset the counters of generated names, the phase tensor and the fixed learning phase.

    Existing tensors, variables and models remain usable.

    >>> from kbackend import K
    >>> K.clear_session()
    """
    reset_uids()
    forget_phase()
