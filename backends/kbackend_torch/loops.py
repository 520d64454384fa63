"""Loops over a number of steps that a traced program leaves open, as ``scan`` of torch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from kbackend_torch.kernels.control import flow
from kbackend_torch.kernels.rnn import recurrent as fused

try:  # private; another release may have none
    from torch._higher_order_ops import scan
except ImportError:  # pragma: no cover
    scan = None  # type: ignore[assignment]

Function = Callable[..., Any]


def _scan(
    sequences: Any, initial: Any, captures: Any, body: Function, axis: int, reverse: bool, indexed: bool
) -> Any:
    """The kernel ``scan``; torch.export keeps the number of steps open, and takes one step or more."""
    length = sequences[0].shape[axis]
    if isinstance(length, int):
        return flow.unrolled(sequences, initial, captures, body, axis, reverse, indexed)
    columns = [s.flip(axis).movedim(axis, 0) if reverse else s.movedim(axis, 0) for s in sequences]
    count = len(columns)
    if indexed:
        columns.append(torch.arange(length, device=sequences[0].device))
    captures = [t.clone() for t in captures]  # two may be parts of one weight
    states = [s.clone() for s in initial] or [sequences[0].new_zeros(1)]

    def step(carried: Any, rows: Any) -> Any:
        given = carried if initial else ()
        found = body(*rows[:count], *given, *rows[count:], *captures)
        made = [t.clone() for t in found]  # a step may return what it got, or one tensor twice
        split = len(made) - len(initial)
        return made[split:] if initial else [c.clone() for c in carried], made[:split]

    last, outputs = scan(step, states, columns)
    return *(o.movedim(0, axis) for o in outputs), *(last if initial else ())


def _over_steps(step: Function, z: Any, states: Any) -> Any:
    """Outputs (batch, steps, units) and last states of ``step(row, *states)``, whose first state is the output."""

    def combined(carried: Any, row: Any) -> Any:
        new = step(row, *carried)
        return list(new), new[0].clone()

    last, outputs = scan(combined, [s.clone() for s in states], z.transpose(0, 1))
    return outputs.transpose(0, 1), *last


def _lstm(x: Any, h: Any, c: Any, kernel: Any, recurrent: Any, bias: Any) -> Any:
    if isinstance(x.shape[1], int):
        return fused._fused_lstm(x, h, c, kernel, recurrent, bias)
    z = x @ kernel if bias is None else x @ kernel + bias

    def step(row: Any, h: Any, c: Any) -> Any:
        i, f, g, o = (row + h @ recurrent).chunk(4, 1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        return torch.sigmoid(o) * torch.tanh(c), c

    return _over_steps(step, z, (h, c))


def _simple_rnn(x: Any, h: Any, kernel: Any, recurrent: Any, bias: Any) -> Any:
    if isinstance(x.shape[1], int):
        return fused._fused_simple(x, h, kernel, recurrent, bias)
    z = x @ kernel if bias is None else x @ kernel + bias
    return _over_steps(lambda row, h: (torch.tanh(row + h @ recurrent),), z, (h,))


def _gru(x: Any, h: Any, kernel: Any, recurrent: Any, bias: Any) -> Any:
    if isinstance(x.shape[1], int):
        return fused._fused_gru(x, h, kernel, recurrent, bias)
    z = x @ kernel if bias is None else x @ kernel + bias[0]

    def step(row: Any, h: Any) -> Any:
        s = h @ recurrent if bias is None else h @ recurrent + bias[1]
        zx, rx, gx = row.chunk(3, 1)
        zh, rh, gh = s.chunk(3, 1)
        update = torch.sigmoid(zx + zh)
        return (update * h + (1 - update) * torch.tanh(gx + torch.sigmoid(rx + rh) * gh),)

    return _over_steps(step, z, (h,))


#: kernel -> what stands for it where the number of steps may be open; none where torch has no such loop
OPEN: dict[Any, Any] = {} if scan is None else {
    flow.scan: _scan,
    fused.FUSED["lstm"]: _lstm,
    fused.FUSED["simple_rnn"]: _simple_rnn,
    fused.FUSED["gru"]: _gru,
}
