"""The LSTM over a sequence (Hochreiter and Schmidhuber, 1997)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from kbackend.declare.decorate import composite, derived
from kbackend.declare.op import TensorLike
from kbackend.ops.arrays.split import split_sizes
from kbackend.ops.elementwise.hyperbolic import tanh
from kbackend.ops.linalg.matmul import matrix_multiply
from kbackend.ops.nn.sigmoid import sigmoid
from kbackend.ops.rnn.rnn import StepFunction
from kbackend.ops.rnn.steps import (
    Activation,
    _function,
    _is,
    _masked,
    _masked_samples,
    _row_mask,
    _run,
    _samples,
    _step_samples,
    _two_states,
)


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
    """An LSTM with sigmoid gates and tanh; missing states are zeros. See :func:`lstm`."""
    return _lstm_steps(
        inputs, (h0, c0), kernel, recurrent_kernel, bias, "tanh", "sigmoid", go_backwards=go_backwards
    )


@composite(
    name="masked_lstm",
    promote="same",
    promoted=("inputs", "h0", "c0", "kernel", "recurrent_kernel", "bias"),
    rule=_masked(_two_states),
    tolerance="rnn",
    samples=_masked_samples(2, 4),
)
def _masked_lstm(
    inputs: TensorLike,
    h0: TensorLike | None,
    c0: TensorLike | None,
    kernel: TensorLike,
    recurrent_kernel: TensorLike,
    bias: TensorLike | None,
    mask: TensorLike,
    *,
    go_backwards: bool = False,
    unroll: bool = False,
) -> Any:
    """The LSTM of steps that a bool mask (samples, time) holds. See :func:`lstm`."""
    return _lstm_steps(
        inputs, (h0, c0), kernel, recurrent_kernel, bias, "tanh", "sigmoid", go_backwards=go_backwards, mask=mask,
        unroll=unroll,
    )  # fmt: skip


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
        inputs: floats (batch, time, features).
        h0, c0: the initial states (batch, units); None for zeros.
        kernel, recurrent_kernel: (features, 4 units) and (units, 4 units), with the gates in the order input, forget,
            cell, output.
        bias: (4 units,); None for none.
        mask: (batch, time), see :func:`kbackend.ops.rnn.rnn.rnn`; None for none.
        activation, recurrent_activation: functions of a tensor, or names of ops. The defaults have fused kernels.
        go_backwards: visit the time steps from last to first.
        unroll: see :func:`kbackend.ops.rnn.rnn.rnn`; ignored where a fused kernel runs.

    Returns:
        [outputs (batch, time, units), last h (batch, units), last c (batch, units)].

    Raises:
        ValueError: shapes that do not fit, or an unknown activation.
        TypeError: operands that are not floats.

    Source: Hochreiter and Schmidhuber, "Long Short-Term Memory", 1997, with the forget gate of Gers et al., 2000.

    >>> from kbackend import K
    >>> outputs, h, c = K.lstm(K.ones((2, 5, 3)), None, None, K.zeros((3, 16)), K.zeros((4, 16)))
    >>> K.int_shape(outputs), K.int_shape(h), K.int_shape(c)
    ((2, 5, 4), (2, 4), (2, 4))
    """
    if _is(activation, tanh) and _is(recurrent_activation, sigmoid):
        operands = (inputs, h0, c0, kernel, recurrent_kernel, bias)
        if mask is None:
            return _lstm(*operands, go_backwards=go_backwards)
        rows = _row_mask(inputs, mask)
        if rows is not None:
            return _masked_lstm(*operands, rows, go_backwards=go_backwards, unroll=unroll)
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
    step = lstm_step(recurrent, activation, recurrent_activation)
    return _run(step, inputs, states, kernel, recurrent, bias, **options)


def lstm_step(
    recurrent: Any,
    activation: Activation,
    recurrent_activation: Activation,
    noise: Any = None,
    product: Callable[[Any, Any], Any] = matrix_multiply,
) -> StepFunction:
    """The step of an LSTM from ``inputs kernel + bias``; the state is multiplied by ``noise`` before its ``product``
    with the recurrent kernel."""
    act, gate = _function(activation), _function(recurrent_activation)

    def step(z: Any, carried: list[Any]) -> tuple[Any, list[Any]]:
        h, c = carried
        h = h if noise is None else h * noise
        i, f, g, o = split_sizes(z + product(h, recurrent), 4, axis=-1)
        c = gate(f) * c + gate(i) * act(g)
        h = gate(o) * act(c)
        return h, [h, c]

    return step


__all__: list[str] = []
