"""The public function of an op: concrete calls with a known signature run a program that was kept.

The signature of a call is what decides how it runs besides the values of tensors: the target, the settings, the dtypes
and shapes of tensors, all other arguments. The first call with a signature is traced into a program of one call (see
:mod:`kbackend.runtime.eager`); the next one costs a look in a dictionary.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from kbackend import config
from kbackend.graph.tensor import Tensor
from kbackend.ground import hooks
from kbackend.ground.active import active, building, process_target

LIMIT = 512
_NONE: dict[str, Any] = {}
_PLAIN = frozenset((int, bool, str, type(None), type(Ellipsis)))
Run = Callable[..., Any]


def signature(target: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """The signature of a concrete call; None where the call is not kept."""
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
            inner = signature(target, arg, _NONE)
            if inner is None:
                return None
            parts += found, inner
        elif found is slice:
            inner = signature(target, (arg.start, arg.stop, arg.step), _NONE)
            if inner is None:
                return None
            parts += found, inner
        else:
            return None
    return tuple(parts)


def public(op: Any, symbolic: Run) -> Run:
    """The function that users call.

    Args:
        op: the declaration; ``op.traced`` says whether concrete calls become programs.
        symbolic: the function of symbolic operands.
    """
    if not op.traced:
        return lambda *args, **kwargs: symbolic(*args, **kwargs)
    kept: dict[Any, Run | None] = {}

    def call(*args: Any, **kwargs: Any) -> Any:
        if building.get():
            return symbolic(*args, **kwargs)
        target = active.get() or process_target[0]
        key: Any = None
        if target is not None:  # most signatures are made here: calling a function is a tenth of the time
            count = 0 if kwargs else len(args)
            if 0 < count < 3 and type(args[0]) is target.tensor_type:
                key_of, last = target.tensor_key, args[-1]
                found = type(last)
                if count == 1:
                    key = target, config.changes[0], key_of(last)
                elif found is target.tensor_type:
                    key = target, config.changes[0], key_of(args[0]), key_of(last)
                elif found in _PLAIN:
                    key = target, config.changes[0], key_of(args[0]), found, last
                elif found is tuple and _PLAIN.issuperset(types := tuple(map(type, last))):
                    key = target, config.changes[0], key_of(args[0]), types, last
                else:
                    key = signature(target, args, kwargs)
            elif not (args and isinstance(args[0], Tensor)):
                key = signature(target, args, kwargs)
        if key is not None:
            run = kept.get(key)
            if run is not None:
                quiet = target.quiet
                if quiet is None:
                    try:
                        return run(*args, **kwargs) if kwargs else run(*args)
                    except Exception:
                        return hooks.run_concrete(op, symbolic, args, kwargs)  # raises an error that names the op
                enter, leave = quiet
                token = enter()
                try:
                    return run(*args, **kwargs) if kwargs else run(*args)
                except Exception:
                    return hooks.run_concrete(op, symbolic, args, kwargs)  # raises an error that names the op
                finally:
                    leave(token)
        if args and isinstance(args[0], Tensor) or holds_symbolic(args) or kwargs and holds_symbolic(kwargs.values()):
            return built(symbolic, *args, **kwargs)
        if key in kept:
            return symbolic(*args, **kwargs)
        if len(kept) >= LIMIT:
            kept.clear()
        return hooks.run_concrete(op, symbolic, args, kwargs, kept, key)

    return call


def built(function: Run, /, *args: Any, **kwargs: Any) -> Any:
    """The result of a function in which ops of constants make nodes, too, and no engine runs."""
    token = building.set(True)
    try:
        return function(*args, **kwargs)
    finally:
        building.reset(token)


def holds_symbolic(values: Any) -> bool:
    """Whether a symbolic tensor is among the values, or in a list among them."""
    for value in values:
        if isinstance(value, Tensor) or getattr(value, "is_symbolic", False):
            return True
        if isinstance(value, (list, tuple)) and holds_symbolic(value):
            return True
    return False
