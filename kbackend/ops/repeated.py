"""Concrete calls that were made before go straight to the engine's kernel.

The first call with some dtypes, shapes and attributes converts, checks and chooses the kernel (see
:mod:`kbackend.ops.dispatch`); what it found is kept, and the next call like it costs a look in a dictionary. Kept are
calls of pure ops on tensors of the active engine that took no conversion; all others go the long way each time, and so
does a call that fails, since the long way finds the words for the error.

A derived function that turned out to be one call of an op on its own tensors is kept like that op. One that looks at
values would not be: the tensors that it looks at must all be operands of the one op.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

from kbackend import config
from kbackend.plugin.state import active, process_target

_LIMIT = 512
_PLAIN = frozenset((int, bool, str, type(None)))
Run = Callable[..., Any]


class _Log(threading.local):
    """The op calls made inside a derived function that is being looked at; None outside."""

    calls: list[tuple[Run | None, Sequence[Any], Any]] | None = None


_log = _Log()


def signature(target: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """What decides how a concrete call runs, besides the values of tensors; None for calls that are not kept."""
    kind, key_of = target.tensor_type, target.tensor_key
    parts: list[Any] = [target, config.changes[0]]
    if kwargs:
        parts += kwargs
        args = (*args, *kwargs.values())
    for arg in args:
        found = type(arg)
        if found is kind:
            parts.append(key_of(arg))
        elif found in _PLAIN:
            parts += found, arg
        elif found is float:
            parts += found, arg or str(arg)  # two zeros
        elif found is tuple or found is list:
            inner = signature(target, arg, {})
            if inner is None:
                return None
            parts += found, inner
        else:
            return None
    return tuple(parts)


def repeating(slow: Run) -> Run:
    """``slow``, the public function of an op, with calls kept."""
    kept: dict[Any, Run | None] = {}

    def public(*args: Any, **kwargs: Any) -> Any:
        target = active.get() or process_target[0]
        if target is None or _log.calls is not None:
            return slow(*args, **kwargs)
        key = signature(target, args, kwargs)
        if key is None:
            return slow(*args, **kwargs)
        run = kept.get(key)
        if run is None:
            if key in kept:
                return slow(*args, **kwargs)
            if len(kept) >= _LIMIT:
                kept.clear()
            result, kept[key] = _observed(slow, args, kwargs, target)
            return result
        try:
            return run(*args, **kwargs)
        except Exception:  # the long way tells what is wrong
            return slow(*args, **kwargs)

    return public


def note(run: Run | None, operands: Sequence[Any], result: Any) -> None:
    """Tell the function that is being looked at of an op call: how it runs again, None when it cannot be kept."""
    if _log.calls is not None:
        _log.calls.append((run, operands, result))


def observed() -> bool:
    """Whether somebody wants to hear of op calls."""
    return _log.calls is not None


def _observed(slow: Run, args: Any, kwargs: Any, target: Any) -> tuple[Any, Run | None]:
    """The result of a call, and how one like it runs."""
    calls: list[tuple[Run | None, Sequence[Any], Any]] = []
    args, kwargs = _told_apart(args, kwargs, target)
    _log.calls = calls
    try:
        result = slow(*args, **kwargs)
    finally:
        _log.calls = None
    if len(calls) != 1:
        return result, None
    run, operands, made = calls[0]
    if run is None or made is not result:
        return result, None
    return result, _arranged(run, operands, args, kwargs, target.tensor_type)


def _told_apart(args: Any, kwargs: dict[str, Any], target: Any) -> tuple[Any, dict[str, Any]]:
    """The arguments with copies of tensors that are given twice, so that each operand is known by its place."""
    seen: set[int] = set()

    def own(value: Any) -> Any:
        if type(value) in (list, tuple):
            return type(value)([own(v) for v in value])
        if type(value) is not target.tensor_type or id(value) not in seen:
            seen.add(id(value))
            return value
        return target.backend.copy(value)

    return tuple(own(a) for a in args), {k: own(v) for k, v in kwargs.items()}


def _arranged(run: Run, operands: Sequence[Any], args: Any, kwargs: Any, kind: type) -> Run | None:
    """``run`` on the arguments of a call like this; None where an operand is not among them, or a tensor among them
    is no operand."""
    given = flat((*args, *kwargs.values()))
    places = [next((i for i, a in enumerate(given) if a is o), -1) for o in operands]
    if -1 in places or any(type(a) is not kind and _holds(a, kind) for a in given):
        return None
    if any(type(a) is kind and i not in places for i, a in enumerate(given)):
        return None
    count = len(places)
    if len(args) == 1 and type(args[0]) in (list, tuple) and not kwargs and places == list(range(count)):
        return lambda tensors: run(*tensors)
    listed = any(type(a) is not kind and _holds(a, kind) for a in args)  # a list of one is as long as its tensor
    if kwargs or listed or len(given) != len(args) or places != list(range(count)):
        return _picking(run, places)
    if count == len(args):
        return run
    if count == 1:
        return lambda x, *rest: run(x)
    return lambda *args: run(*args[:count])


def _picking(run: Run, places: list[int]) -> Run:
    def call(*args: Any, **kwargs: Any) -> Any:
        given = flat((*args, *kwargs.values()))
        return run(*[given[p] for p in places])

    return call


def flat(values: Sequence[Any]) -> list[Any]:
    """Values with those in lists among them; lists in lists stay."""
    return [v for value in values for v in (value if type(value) in (list, tuple) else (value,))]


def _holds(value: Any, kind: type) -> bool:
    return type(value) is kind or type(value) in (tuple, list) and any(_holds(v, kind) for v in value)
