"""Recurrent kernels: PyTorch's fused ones, which take half the time of a loop of steps on a CPU."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch

from kbackend.plugin.contract import Specialized
from kbackend_torch.recurrence import (
    gru_weights,
    steps_of_gru,
    steps_of_lstm,
    steps_of_simple,
    twice_differentiable,
)

Function = Callable[..., Any]


def zeros(x: Any, recurrent: Any) -> Any:
    return x.new_zeros(x.shape[0], recurrent.shape[0])


def _weights(kernel: Any, recurrent: Any, biases: Sequence[Any]) -> list[Any]:
    """The weights in PyTorch's layout: transposed, and with two biases where Keras has their sum."""
    return [kernel.t().contiguous(), recurrent.t().contiguous(), *biases]


def _check_batch(x: Any, *states: Any) -> None:
    """PyTorch reads past the end of a state of fewer samples than the inputs have.

    Raises:
        ValueError: a state of another number of samples.
    """
    for state in states:
        if state.shape[0] != x.shape[0]:
            raise ValueError(
                f"a state must have the shape {(x.shape[0], *state.shape[1:])}, it has {tuple(state.shape)}; inputs "
                f"are {tuple(x.shape)}"
            )


def _fused_lstm(x: Any, h: Any, c: Any, kernel: Any, recurrent: Any, bias: Any) -> Any:
    _check_batch(x, h, c)
    weights = _weights(kernel, recurrent, () if bias is None else (bias, torch.zeros_like(bias)))
    outputs, h, c = torch._VF.lstm(
        x, (h[None], c[None]), weights, bias is not None, 1, 0.0, torch.is_grad_enabled(), False, True
    )
    return outputs, h[0], c[0]


def _fused_simple(x: Any, h: Any, kernel: Any, recurrent: Any, bias: Any) -> Any:
    _check_batch(x, h)
    weights = _weights(kernel, recurrent, () if bias is None else (bias, torch.zeros_like(bias)))
    outputs, h = torch._VF.rnn_tanh(
        x, h[None], weights, bias is not None, 1, 0.0, torch.is_grad_enabled(), False, True
    )
    return outputs, h[0]


def _fused_gru(x: Any, h: Any, kernel: Any, recurrent: Any, bias: Any) -> Any:
    _check_batch(x, h)
    outputs, h = torch._VF.gru(
        x, h[None], gru_weights(kernel, recurrent, bias), bias is not None, 1, 0.0, torch.is_grad_enabled(), False, True
    )
    return outputs, h[0]


FUSED = {
    "lstm": twice_differentiable(_fused_lstm, steps_of_lstm),
    "simple_rnn": twice_differentiable(_fused_simple, steps_of_simple),
    "gru": twice_differentiable(_fused_gru, steps_of_gru),
}
_called = dict(FUSED)


def leave_uncompiled() -> None:
    """Exclude the fused kernels from torch.compile, since the code that torch 2.13 generates for them fails."""
    for name, kernel in FUSED.items():
        if _called[name] is kernel:
            _called[name] = torch.compiler.disable(kernel)


def check_operands(specs: Sequence[Any], gates: int) -> Function:
    """A check of all operands: PyTorch's kernels read past the memory of shapes that do not fit each other.

    It does nothing where the sizes that they share were known when the program was made.
    """
    x, *rest = specs
    *states, _, _, _ = rest
    sizes = [x.shape[2], *(n for s in rest if s is not None for n in s.shape)]
    if None not in sizes and (x.shape[0] is not None or states == [None] * len(states)):
        return lambda *operands: None

    def check(x: Any, *rest: Any) -> None:
        *states, kernel, recurrent, bias = rest
        units = recurrent.shape[0]
        wide = gates * units
        wanted = [(x.shape[0], units)] * len(states) + [(x.shape[2], wide), (units, wide)]
        wanted.append((2, wide) if gates == 3 else (wide,))
        for operand, shape in zip(rest, wanted):
            if operand is not None and operand.shape != shape:
                raise ValueError(
                    f"inputs of shape {tuple(x.shape)} and {units} units need an operand of shape {shape}, it has "
                    f"{tuple(operand.shape)}"
                )

    return check


def make_lstm(specs: Sequence[Any], *, go_backwards: bool) -> Function:
    run, check = chosen(specs, "lstm", steps_of_lstm), check_operands(specs, 4)

    def lstm(x: Any, h: Any, c: Any, kernel: Any, recurrent: Any, bias: Any) -> Any:
        check(x, h, c, kernel, recurrent, bias)
        h = zeros(x, recurrent) if h is None else h
        c = zeros(x, recurrent) if c is None else c
        return run(x.flip(1) if go_backwards else x, h, c, kernel, recurrent, bias)

    return lstm


def make_simple_rnn(specs: Sequence[Any], *, go_backwards: bool) -> Function:
    return _one_state(specs, 1, chosen(specs, "simple_rnn", steps_of_simple), go_backwards)


def make_gru(specs: Sequence[Any], *, go_backwards: bool) -> Function:
    return _one_state(specs, 3, chosen(specs, "gru", steps_of_gru), go_backwards)


def _one_state(specs: Sequence[Any], gates: int, run: Function, go_backwards: bool) -> Function:
    check = check_operands(specs, gates)

    def layer(x: Any, h: Any, kernel: Any, recurrent: Any, bias: Any) -> Any:
        check(x, h, kernel, recurrent, bias)
        h = zeros(x, recurrent) if h is None else h
        return run(x.flip(1) if go_backwards else x, h, kernel, recurrent, bias)

    return layer


def chosen(specs: Sequence[Any], name: str, steps: Function) -> Function:
    """The fused kernel, or the loop for a sequence without steps, which the fused kernel refuses.

    The kernel is looked up at each call, since programs are compiled after they are emitted.
    """
    length = specs[0].shape[1]
    if length is None:
        return lambda x, *rest: (_called[name] if x.shape[1] else steps)(x, *rest)
    return lambda *operands: _called[name](*operands) if length else steps(*operands)


def _transposed(rank: int) -> tuple[int, ...]:
    return tuple(reversed(range(rank)))


#: how the kernels like to find the two kernels in memory, by the number of states
MEMORY = {states: {1 + states: _transposed, 2 + states: _transposed} for states in (1, 2)}

KERNELS = {
    "gru": Specialized(make_gru, MEMORY[1]),
    "lstm": Specialized(make_lstm, MEMORY[2]),
    "simple_rnn": Specialized(make_simple_rnn, MEMORY[1]),
}
