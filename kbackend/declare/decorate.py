"""How an op is declared: one decorated function holds its name, signature, docstring and shape rule.

A *primitive*'s body is its shape and dtype rule: it gets a TensorSpec for each operand and the attributes, and
returns the TensorSpec (or a tuple of them) of the result. Every backend supplies a kernel for it.

A *composite*'s body is its definition by other ops. A backend may supply a kernel for it; the kit then checks the
kernel against the body.

A *derived* function only arranges arguments and calls ops; it makes no node of its own.

Parameters annotated ``TensorLike`` or ``TensorList`` are operands, all others are attributes.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import update_wrapper
from typing import Any, TypeVar

from kbackend.declare.call import call
from kbackend.declare.kept import public
from kbackend.declare.op import DERIVED, REGISTRY, Op

F = TypeVar("F", bound=Callable[..., Any])

_TO_X = {"x1": "x", "x2": "y"}
_TO_X1 = {"x": "x1", "y": "x2"}


#: other names for parameters of functions that K and kbackend.ops share: K and Keras 3 spell them differently
SPELLINGS: dict[str, dict[str, str]] = {
    **dict.fromkeys("dot equal greater greater_equal less less_equal maximum minimum not_equal".split(), _TO_X),
    **dict.fromkeys("add divide floor_divide logical_and logical_or logical_xor mod multiply subtract".split(), _TO_X1),
    "clip": {"x_min": "min_value", "x_max": "max_value"},
    "reshape": {"newshape": "shape"},
    "stop_gradient": {"variable": "variables"},
    "tile": {"repeats": "n"},
}


def _declare(kind: str, function: F, options: dict[str, Any]) -> F:
    op = Op(function, kind, **options)
    table = DERIVED if kind == "derived" else REGISTRY
    if op.name in table:
        raise ValueError(
            f"{op.name} is declared twice, in {table[op.name].function.__module__} "
            f"and in {function.__module__}"
        )
    table[op.name] = op
    op.public = public(op, _spelled(op.name, function if kind == "derived" else _calling(op)))
    update_wrapper(op.public, function)
    op.public.op = op  # type: ignore[attr-defined]
    return op.public  # type: ignore[return-value]


def _spelled(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """``function``, which takes keywords in both spellings."""
    others = SPELLINGS.get(name)
    if others is None:
        return function

    def respelled(*args: Any, **kwargs: Any) -> Any:
        if kwargs:
            renamed = {others.get(k, k): v for k, v in kwargs.items()}
            if len(renamed) < len(kwargs):
                raise TypeError(f"{name} was given an argument in two spellings: {', '.join(kwargs)}")
            kwargs = renamed
        return function(*args, **kwargs)

    return respelled


def _calling(op: Op) -> Callable[..., Any]:
    bind = op.bind
    return lambda *args, **kwargs: call(op, *bind(*args, **kwargs))


def primitive(function: F | None = None, **options: Any) -> Any:
    """Declare an op that every backend supplies. Options: see :class:`Op`."""
    return _decorator("primitive", function, options)


def composite(function: F | None = None, **options: Any) -> Any:
    """Declare an op defined by other ops. Options: see :class:`Op`; ``rule`` gives the specs of the results
    without running the body, which then runs only where a backend has no kernel."""
    return _decorator("composite", function, options)


def derived(function: F | None = None, **options: Any) -> Any:
    """Declare a public function that only arranges arguments and calls ops."""
    return _decorator("derived", function, options)


def traced(function: F) -> F:
    """A function of tensors that is no op: its body always gets symbolic tensors, and concrete calls run programs that
    are kept, as those of ops do. Parameters annotated ``TensorLike`` are its operands."""
    op = Op(function, "derived")
    op.public = public(op, function)
    return update_wrapper(op.public, function)  # type: ignore[return-value]


def _decorator(kind: str, function: Any, options: dict[str, Any]) -> Any:
    if function is not None:
        return _declare(kind, function, options)
    return lambda body: _declare(kind, body, options)
