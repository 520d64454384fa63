"""Control flow kernels: Python branches and loops."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

Body = Callable[..., Any]


def cond(pred: Any, captures: Any, then_graph: Body, else_graph: Body) -> Any:
    return then_graph(*captures) if pred else else_graph(*captures)


def scan(
    sequences: Any, initial: Any, captures: Any, body: Body, axis: int, reverse: bool, indexed: bool
) -> Any:
    if sequences[0].shape[axis] == 0:
        return _no_steps(sequences, initial, captures, body, axis, indexed)
    return unrolled(sequences, initial, captures, body, axis, reverse, indexed)


def unrolled(
    sequences: Any, initial: Any, captures: Any, body: Body, axis: int, reverse: bool, indexed: bool
) -> Any:
    """The scan of one step or more, as a loop of Python."""
    columns = [s.unbind(axis) for s in sequences]
    if reverse:
        columns = [c[::-1] for c in columns]
    states, rows = tuple(initial), []
    split = -len(states) or None
    for index, slices in enumerate(zip(*columns)):
        found = body(*slices, *states, *((index,) if indexed else ()), *captures)
        rows.append(found[:split])
        states = found[split:] if split else ()
    return (*(torch.stack(column, axis) for column in zip(*rows)), *states)


def _no_steps(sequences: Any, initial: Any, captures: Any, body: Body, axis: int, indexed: bool) -> Any:
    """The outputs of zero steps, with the shapes of one step on zeros, and copies of the states."""
    zeros = [s.new_zeros((*s.shape[:axis], *s.shape[axis + 1 :])) for s in sequences]
    found = body(*zeros, *initial, *((0,) if indexed else ()), *captures)
    outputs = found[: len(found) - len(initial)]
    return (*(o.new_zeros((*o.shape[:axis], 0, *o.shape[axis:])) for o in outputs), *(t.clone() for t in initial))


def while_loop(
    state: Any, captures: Any, condition: Body, body: Body, indexed: bool, maximum_iterations: int | None
) -> Any:
    index = 0
    while maximum_iterations is None or index < maximum_iterations:
        at = (index,) if indexed else ()
        if not condition(*state, *at, *captures)[0]:
            break
        state = body(*state, *at, *captures)
        index += 1
    return tuple(state) if index else tuple(t.clone() for t in state)


def loop_step(step: Any, index: Any) -> Any:
    return (step + index * 0x9E3779B1) % 2**32


def print_tensor(x: Any, message: str) -> Any:
    shown = x.detach().cpu()
    print(message, (shown.float() if shown.dtype == torch.bfloat16 else shown).numpy(force=True))
    return x


KERNELS = {
    "cond": cond,
    "loop_step": loop_step,
    "print_tensor": print_tensor,
    "scan": scan,
    "while_loop": while_loop,
}
