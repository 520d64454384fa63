"""Recurrent kernels: PyTorch's own, which beat a loop of steps two to one on a CPU."""

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


def _zeros(x: Any, recurrent: Any) -> Any:
    return x.new_zeros(x.shape[0], recurrent.shape[0])


def _weights(kernel: Any, recurrent: Any, biases: Sequence[Any]) -> list[Any]:
    """PyTorch keeps the transposes, and two biases, of which Keras has the sum."""
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
    kernel, recurrent, bias = gru_weights(kernel, recurrent, bias)
    weights = _weights(kernel, recurrent, () if bias is None else (bias[0], bias[1]))
    outputs, h = torch._VF.gru(
        x, h[None], weights, bias is not None, 1, 0.0, torch.is_grad_enabled(), False, True
    )
    return outputs, h[0]


FUSED = {
    "lstm": twice_differentiable(_fused_lstm, steps_of_lstm),
    "simple_rnn": twice_differentiable(_fused_simple, steps_of_simple),
    "gru": twice_differentiable(_fused_gru, steps_of_gru),
}
_called = dict(FUSED)


def leave_uncompiled() -> None:
    """Let programs of torch.compile call the fused kernels as they are: what torch 2.13 writes for them fails when it
    runs."""
    for name, kernel in FUSED.items():
        if _called[name] is kernel:
            _called[name] = torch.compiler.disable(kernel)


def make_lstm(specs: Sequence[Any], *, go_backwards: bool) -> Function:
    run = _chosen(specs, "lstm", steps_of_lstm)

    def lstm(x: Any, h: Any, c: Any, kernel: Any, recurrent: Any, bias: Any) -> Any:
        h = _zeros(x, recurrent) if h is None else h
        c = _zeros(x, recurrent) if c is None else c
        return run(x.flip(1) if go_backwards else x, h, c, kernel, recurrent, bias)

    return lstm


def make_simple_rnn(specs: Sequence[Any], *, go_backwards: bool) -> Function:
    return _one_state(_chosen(specs, "simple_rnn", steps_of_simple), go_backwards)


def make_gru(specs: Sequence[Any], *, go_backwards: bool) -> Function:
    return _one_state(_chosen(specs, "gru", steps_of_gru), go_backwards)


def _one_state(run: Function, go_backwards: bool) -> Function:
    def layer(x: Any, h: Any, kernel: Any, recurrent: Any, bias: Any) -> Any:
        h = _zeros(x, recurrent) if h is None else h
        return run(x.flip(1) if go_backwards else x, h, kernel, recurrent, bias)

    return layer


def _chosen(specs: Sequence[Any], name: str, steps: Function) -> Function:
    """The fused kernel refuses a sequence without steps. It is looked up in each call: whether a program is compiled is
    known after it is emitted."""
    return steps if specs[0].shape[1] == 0 else lambda *operands: _called[name](*operands)


def _transposed(rank: int) -> tuple[int, ...]:
    return tuple(reversed(range(rank)))


KERNELS = {
    "gru": Specialized(make_gru),  # the gates' order is another, so that the weights are copied at each call anyway
    "lstm": Specialized(make_lstm, memory={3: _transposed, 4: _transposed}),
    "simple_rnn": Specialized(make_simple_rnn, memory={2: _transposed, 3: _transposed}),
}
