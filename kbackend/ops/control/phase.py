"""The learning phase."""

from __future__ import annotations

import threading
from contextvars import ContextVar, Token
from typing import Any

import numpy as np

from kbackend.declare.call import make_node, to_numpy
from kbackend.declare.decorate import derived
from kbackend.declare.op import REGISTRY
from kbackend.declare.sample import In, Sample, call
from kbackend.graph.node import Role
from kbackend.graph.tensor import Tensor
from kbackend.ops.control.cond import classic_switch


class _Process:
    """The phase of the process: its symbolic tensor, and the fixed value if there is one."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.clear()

    def clear(self) -> None:
        self.phase: Tensor | None = None
        self.fixed: int | None = None


_process = _Process()
_scope: ContextVar[int | None] = ContextVar("kbackend_learning_phase", default=None)


def learning_phase() -> Any:
    """The learning phase: 0 (test) or 1 (train).

    Returns:
        A symbolic int32 scalar, the same object at each call, which ``K.function`` can feed and which is 0 when it is
        not fed; or the int that ``set_learning_phase`` or ``learning_phase_scope`` has fixed.

    >>> from kbackend import K
    >>> x = K.placeholder((1,))
    >>> f = K.function([x, K.learning_phase()], [K.in_train_phase(x + x, x)])
    >>> f([[3.], 1])[0].tolist(), f([[3.], 0])[0].tolist()
    ([6.0], [3.0])
    """
    fixed = _scope.get()
    if fixed is None:
        fixed = _process.fixed
    if fixed is not None:
        return fixed
    with _process.lock:
        if _process.phase is None:
            _process.phase = make_node(REGISTRY["learning_phase"], (), {"name": "learning_phase"})
        return _process.phase


def set_learning_phase(value: int) -> None:
    """Fix the learning phase of all graphs built afterwards, until ``K.clear_session``.

    Args:
        value: 0 (test) or 1 (train).

    Raises:
        ValueError: ``value`` is neither 0 nor 1.

    >>> from kbackend import K
    >>> K.set_learning_phase(1)
    >>> K.learning_phase()
    1
    >>> K.clear_session()
    """
    _process.fixed = _phase_value(value)


def forget_phase() -> None:
    """Forget the fixed phase and the phase tensor; the next ``learning_phase()`` makes a new one."""
    with _process.lock:
        _process.clear()


class learning_phase_scope:
    """A context in which the learning phase is fixed, in this thread or asyncio task only.

    Args:
        value: 0 (test) or 1 (train).

    Raises:
        ValueError: ``value`` is neither 0 nor 1.

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
    """``x`` in the training phase, else ``alt``.

    Args:
        x, alt: tensors of one rank, or functions without arguments that return them.
        training: None for :func:`learning_phase`. A bool or number chooses while the graph is built; a symbolic scalar
            chooses when the program runs, which then computes only the chosen one if ``x`` and ``alt`` are functions.

    Returns:
        A tensor. With the symbolic phase, a program contains only the ops that its phase needs.

    Raises:
        ValueError: the ranks of ``x`` and ``alt`` differ, or ``training`` has more than one element.

    >>> from kbackend import K
    >>> float(K.eval(K.in_train_phase(K.constant(1.0), K.constant(2.0), training=True)))
    1.0
    """
    phase = learning_phase() if training is None else training
    if not isinstance(phase, Tensor):
        return _value(x if _truth(phase) else alt)
    if phase.node.op.role is Role.PHASE:
        return make_node(REGISTRY["phase_select"], (_value(x), _value(alt), phase), {})
    return classic_switch(phase, x, alt)


@derived(samples=_phase_samples)
def in_test_phase(x: Any, alt: Any, training: Any = None) -> Any:
    """``x`` in the test phase, else ``alt``. Arguments, result and errors are those of :func:`in_train_phase`.

    >>> from kbackend import K
    >>> float(K.eval(K.in_test_phase(K.constant(1.0), K.constant(2.0), training=True)))
    2.0
    """
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


__all__: list[str] = []
