"""The learning phase, and what belongs to a session: the phase tensor and counted names."""

from __future__ import annotations

import threading
from collections import Counter
from contextvars import ContextVar, Token
from typing import Any

import numpy as np

from kbackend.graph.tensor import Tensor
from kbackend.ops.declare import REGISTRY, derived
from kbackend.ops.dispatch import make_node, to_numpy
from kbackend.ops.sample import In, Sample, call


class _Session:
    """What ``clear_session`` forgets."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.clear()

    def clear(self) -> None:
        self.phase: Tensor | None = None
        self.fixed: int | None = None
        self.uids: Counter[str] = Counter()


_session = _Session()
_scope: ContextVar[int | None] = ContextVar("kbackend_learning_phase", default=None)


# ------------------------------------------------------------------------------------------------- the phase


def learning_phase() -> Any:
    """The learning phase: 0 (test) or 1 (train).

    Returns:
        A symbolic int32 scalar, the same one at each call, that ``K.function`` can feed and that is 0 where
        nobody does; or the int that ``set_learning_phase`` or ``learning_phase_scope`` has fixed.

    >>> from kbackend import K
    >>> x = K.placeholder((1,))
    >>> f = K.function([x, K.learning_phase()], [K.in_train_phase(x + x, x)])
    >>> f([[3.], 1])[0].tolist(), f([[3.], 0])[0].tolist()
    ([6.0], [3.0])
    """
    fixed = _scope.get()
    if fixed is None:
        fixed = _session.fixed
    if fixed is not None:
        return fixed
    with _session.lock:
        if _session.phase is None:
            _session.phase = make_node(REGISTRY["learning_phase"], (), {"name": "learning_phase"})
        return _session.phase


def set_learning_phase(value: int) -> None:
    """Fix the learning phase for all that is built from here on, until ``clear_session``.

    Raises:
        ValueError: ``value`` is neither 0 nor 1.
    """
    _session.fixed = _phase_value(value)


class learning_phase_scope:
    """A context in which the learning phase is fixed, for this thread or task only.

    >>> from kbackend import K
    >>> with K.learning_phase_scope(1):
    ...     K.learning_phase()
    1
    """

    def __init__(self, value: int) -> None:
        self.value = _phase_value(value)
        self._tokens: list[Token[int | None]] = []

    def __enter__(self) -> None:
        self._tokens.append(_scope.set(self.value))

    def __exit__(self, *exc: Any) -> None:
        _scope.reset(self._tokens.pop())


def _phase_value(value: Any) -> int:
    if value not in (0, 1):
        raise ValueError(f"the learning phase is 0 (test) or 1 (train), not {value!r}")
    return int(value)


# --------------------------------------------------------------------------------------------- choosing by it


def _phase_samples() -> list[Sample]:
    x, alt = In((3, 2)), In((3, 2))
    return [
        call(x, alt, training=1, name="training"),
        call(x, alt, training=False, name="testing"),
        call(x, alt, training=In((), kind="bool", values=True), name="symbolic"),
        call(x, alt, name="the phase of the program", dtypes=("float32",)),
        call(x, In((2,)), name="ranks", raises=ValueError, dynamic=False),
    ]


@derived(samples=_phase_samples)
def in_train_phase(x: Any, alt: Any, training: Any = None) -> Any:
    """``x`` when training, else ``alt``.

    Args:
        x, alt: tensors of one rank, or functions without arguments that give them.
        training: None for :func:`learning_phase`; a bool or int decides at once; a symbolic scalar decides
            when the program runs, and only the chosen one is computed then if ``x`` and ``alt`` are
            functions.

    Returns:
        A tensor. With the symbolic phase, a program holds only what its phase needs.

    Raises:
        ValueError: the ranks of ``x`` and ``alt`` differ.
    """
    phase = learning_phase() if training is None else training
    if not isinstance(phase, Tensor):
        return _value(x if _truth(phase) else alt)
    if phase.node.op.name == "learning_phase":
        return make_node(REGISTRY["phase_select"], (_value(x), _value(alt), phase), {})
    from kbackend.ops.control import switch

    return switch(phase, x, alt)


@derived(samples=_phase_samples)
def in_test_phase(x: Any, alt: Any, training: Any = None) -> Any:
    """``x`` when testing, else ``alt``; see :func:`in_train_phase`."""
    return in_train_phase(alt, x, training)


def _value(x: Any) -> Any:
    return x() if callable(x) else x


def _truth(phase: Any) -> bool:
    if isinstance(phase, (bool, int, float)):
        return bool(phase)
    array = to_numpy(phase)
    if array.size != 1:
        raise ValueError(f"`training` must be one value, it has the shape {array.shape}")
    return bool(np.reshape(array, ()))


# ------------------------------------------------------------------------------------------------ the session


def get_uid(prefix: str = "") -> int:
    """1 at the first call with a prefix, then 2, and so on; ``reset_uids`` and ``clear_session`` start again.

    >>> from kbackend import K
    >>> K.reset_uids()
    >>> K.get_uid("dense"), K.get_uid("dense"), K.get_uid("lstm")
    (1, 2, 1)
    """
    with _session.lock:
        _session.uids[prefix] += 1
        return _session.uids[prefix]


def reset_uids() -> None:
    """Start the counts of :func:`get_uid` anew."""
    with _session.lock:
        _session.uids.clear()


def clear_session() -> None:
    """Start anew: counted names, the phase tensor and a fixed phase. Tensors and variables made before
    stay usable."""
    with _session.lock:
        _session.clear()
