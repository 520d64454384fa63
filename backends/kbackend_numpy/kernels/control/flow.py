"""Control flow kernels: Python branches and loops over values that autograd may trace."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from autograd.extend import defvjp
from autograd.tracer import getval, isbox

from kbackend_numpy.recording import primitive
from kbackend_numpy.slices import join, slices

Body = Callable[..., Any]


@primitive
def _copy(x: Any) -> Any:
    return np.array(x)


defvjp(_copy, lambda ans, x: lambda g: g)


def cond(pred: Any, captures: Any, then_graph: Body, else_graph: Body) -> Any:
    return then_graph(*captures) if _truth(pred) else else_graph(*captures)


def _truth(pred: Any) -> bool:
    """The truth of a scalar that autograd may trace."""
    while isbox(pred):
        pred = getval(pred)
    return bool(pred)


def scan(
    sequences: Any, initial: Any, captures: Any, body: Body, axis: int, reverse: bool, indexed: bool
) -> Any:
    length = sequences[0].shape[axis]
    if length == 0:
        return _no_steps(sequences, initial, captures, body, axis, indexed)
    columns = [slices(s, axis) for s in sequences]
    states, rows = tuple(initial), []
    split = -len(states) or None
    for index, t in enumerate(reversed(range(length)) if reverse else range(length)):
        found = body(*(c[t] for c in columns), *states, *((index,) if indexed else ()), *captures)
        rows.append(found[:split])
        states = found[split:] if split else ()
    return (*(join(column, axis) for column in zip(*rows, strict=True)), *states)


def _no_steps(sequences: Any, initial: Any, captures: Any, body: Body, axis: int, indexed: bool) -> Any:
    """The outputs of zero steps, with the shapes of one step on zeros, and copies of the states."""
    zeros = [np.zeros((*s.shape[:axis], *s.shape[axis + 1 :]), s.dtype) for s in sequences]
    found = body(*zeros, *initial, *((0,) if indexed else ()), *captures)
    outputs = found[: len(found) - len(initial)]
    return (*(np.zeros((*o.shape[:axis], 0, *o.shape[axis:]), o.dtype) for o in outputs), *map(_copy, initial))


def while_loop(
    state: Any, captures: Any, condition: Body, body: Body, indexed: bool, maximum_iterations: int | None
) -> Any:
    index = 0
    while maximum_iterations is None or index < maximum_iterations:
        at = (index,) if indexed else ()
        if not _truth(condition(*state, *at, *captures)[0]):
            break
        state = body(*state, *at, *captures)
        index += 1
    return tuple(state) if index else tuple(map(_copy, state))


def loop_step(step: Any, index: Any) -> Any:
    return (step + index * 0x9E3779B1) % 2**32


def print_tensor(x: Any, message: str) -> Any:
    value = x
    while isbox(value):
        value = getval(value)
    print(message, value)
    return x


KERNELS = {
    "cond": cond,
    "loop_step": loop_step,
    "print_tensor": print_tensor,
    "scan": scan,
    "while_loop": while_loop,
}
