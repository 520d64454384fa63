"""The LSTM over a whole sequence (Hochreiter and Schmidhuber, 1997)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kbackend.declare.decorate import composite, derived
from kbackend.declare.op import TensorLike
from kbackend.ops.arrays.split import split_sizes
from kbackend.ops.elementwise.arithmetic import multiply
from kbackend.ops.elementwise.hyperbolic import tanh
from kbackend.ops.linalg.matmul import matrix_multiply
from kbackend.ops.nn.sigmoid import sigmoid
from kbackend.ops.rnn.steps import Activation, _function, _is, _run, _samples, _step_samples, _two_states


@composite(name="lstm", promote="same", rule=_two_states, tolerance="rnn", samples=_samples(2, 4))
def _lstm(
    inputs: TensorLike,
    h0: TensorLike | None,
    c0: TensorLike | None,
    kernel: TensorLike,
    recurrent_kernel: TensorLike,
    bias: TensorLike | None = None,
    *,
    go_backwards: bool = False,
) -> Any:
    """An LSTM with sigmoid gates and tanh; absent states are zeros. See :func:`lstm`."""
    return _lstm_steps(
        inputs, (h0, c0), kernel, recurrent_kernel, bias, "tanh", "sigmoid", go_backwards=go_backwards
    )


@derived(tolerance="rnn", samples=_step_samples(2, 4))
def lstm(
    inputs: TensorLike,
    h0: TensorLike | None,
    c0: TensorLike | None,
    kernel: TensorLike,
    recurrent_kernel: TensorLike,
    bias: TensorLike | None = None,
    mask: TensorLike | None = None,
    *,
    activation: Activation = "tanh",
    recurrent_activation: Activation = "sigmoid",
    go_backwards: bool = False,
    unroll: bool = False,
) -> list[Any]:
    """A long short-term memory over a sequence.

    Args:
        inputs: (batch, time, features).
        h0, c0: (batch, units), the states before the first step; None for zeros.
        kernel: (features, 4 units), recurrent_kernel: (units, 4 units), bias: (4 units,) or None; the gates
            are in the order i, f, c, o.
        mask: (batch, time), see :func:`kbackend.ops.rnn.rnn.rnn`.
        activation, recurrent_activation: functions of a tensor, or names of ops. The defaults have fused
            kernels.
        go_backwards: from the last step to the first.
        unroll: see :func:`kbackend.ops.rnn.rnn.rnn`; without effect where a fused kernel runs.

    Returns:
        [outputs (batch, time, units), last h (batch, units), last c (batch, units)].

    Raises:
        ValueError: shapes that do not fit. TypeError: integers.

    Source: Hochreiter and Schmidhuber, "Long Short-Term Memory", 1997, with the forget gate of Gers et al.,
        2000.
    """
    if mask is None and _is(activation, tanh) and _is(recurrent_activation, sigmoid):
        return _lstm(inputs, h0, c0, kernel, recurrent_kernel, bias, go_backwards=go_backwards)
    return _lstm_steps(
        inputs,
        (h0, c0),
        kernel,
        recurrent_kernel,
        bias,
        activation,
        recurrent_activation,
        go_backwards=go_backwards,
        mask=mask,
        unroll=unroll,
    )


def _lstm_steps(
    inputs: Any,
    states: Sequence[Any],
    kernel: Any,
    recurrent: Any,
    bias: Any,
    activation: Activation,
    recurrent_activation: Activation,
    **options: Any,
) -> list[Any]:
    act, gate = _function(activation), _function(recurrent_activation)

    def step(z: Any, carried: list[Any]) -> tuple[Any, list[Any]]:
        h, c = carried
        i, f, g, o = split_sizes(z + matrix_multiply(h, recurrent), 4, axis=-1)
        c = multiply(gate(f), c) + multiply(gate(i), act(g))
        h = multiply(gate(o), act(c))
        return h, [h, c]

    return _run(step, inputs, states, kernel, recurrent, bias, **options)


__all__: list[str] = []
