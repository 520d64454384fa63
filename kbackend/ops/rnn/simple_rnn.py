"""The fully connected recurrence over a sequence (Elman, 1990)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kbackend.declare.decorate import composite, derived
from kbackend.declare.op import TensorLike
from kbackend.ops.elementwise.hyperbolic import tanh
from kbackend.ops.linalg.matmul import matrix_multiply
from kbackend.ops.rnn.rnn import StepFunction
from kbackend.ops.rnn.steps import (
    Activation,
    _function,
    _is,
    _masked,
    _masked_samples,
    _one_state,
    _row_mask,
    _run,
    _samples,
    _step_samples,
)


@composite(name="simple_rnn", promote="same", rule=_one_state, tolerance="rnn", samples=_samples(1, 1))
def _simple_rnn(
    inputs: TensorLike,
    h0: TensorLike | None,
    kernel: TensorLike,
    recurrent_kernel: TensorLike,
    bias: TensorLike | None = None,
    *,
    go_backwards: bool = False,
) -> Any:
    """A simple RNN with tanh; a missing state is zeros. See :func:`simple_rnn`."""
    return _simple_steps(inputs, (h0,), kernel, recurrent_kernel, bias, "tanh", go_backwards=go_backwards)


@composite(
    name="masked_simple_rnn",
    promote="same",
    promoted=("inputs", "h0", "kernel", "recurrent_kernel", "bias"),
    rule=_masked(_one_state),
    tolerance="rnn",
    samples=_masked_samples(1, 1),
)
def _masked_simple_rnn(
    inputs: TensorLike,
    h0: TensorLike | None,
    kernel: TensorLike,
    recurrent_kernel: TensorLike,
    bias: TensorLike | None,
    mask: TensorLike,
    *,
    go_backwards: bool = False,
    unroll: bool = False,
) -> Any:
    """The simple RNN of steps that a bool mask (samples, time) holds. See :func:`simple_rnn`."""
    return _simple_steps(
        inputs, (h0,), kernel, recurrent_kernel, bias, "tanh", go_backwards=go_backwards, mask=mask,
        unroll=unroll,
    )  # fmt: skip


@derived(tolerance="rnn", samples=_step_samples(1, 1))
def simple_rnn(
    inputs: TensorLike,
    h0: TensorLike | None,
    kernel: TensorLike,
    recurrent_kernel: TensorLike,
    bias: TensorLike | None = None,
    mask: TensorLike | None = None,
    *,
    activation: Activation = "tanh",
    go_backwards: bool = False,
    unroll: bool = False,
) -> list[Any]:
    """A fully connected recurrence ``h = activation(x kernel + h recurrent_kernel + bias)`` over a sequence.

    Args:
        inputs: floats (batch, time, features).
        h0: the initial state (batch, units); None for zeros.
        kernel, recurrent_kernel: (features, units) and (units, units).
        bias: (units,); None for none.
        mask: (batch, time), see :func:`kbackend.ops.rnn.rnn.rnn`; None for none.
        activation: a function of a tensor, or the name of an op. The default has a fused kernel.
        go_backwards: visit the time steps from last to first.
        unroll: see :func:`kbackend.ops.rnn.rnn.rnn`; ignored where a fused kernel runs.

    Returns:
        [outputs (batch, time, units), last h (batch, units)].

    Raises:
        ValueError: shapes that do not fit, or an unknown activation.
        TypeError: operands that are not floats.

    Source: Elman, "Finding Structure in Time", 1990.

    >>> from kbackend import K
    >>> outputs, last = K.simple_rnn(K.ones((2, 5, 3)), None, K.zeros((3, 4)), K.zeros((4, 4)))
    >>> K.int_shape(outputs), K.int_shape(last)
    ((2, 5, 4), (2, 4))
    """
    if _is(activation, tanh):
        operands = (inputs, h0, kernel, recurrent_kernel, bias)
        if mask is None:
            return _simple_rnn(*operands, go_backwards=go_backwards)
        rows = _row_mask(inputs, mask)
        if rows is not None:
            return _masked_simple_rnn(*operands, rows, go_backwards=go_backwards, unroll=unroll)
    return _simple_steps(
        inputs,
        (h0,),
        kernel,
        recurrent_kernel,
        bias,
        activation,
        go_backwards=go_backwards,
        mask=mask,
        unroll=unroll,
    )


def _simple_steps(
    inputs: Any,
    states: Sequence[Any],
    kernel: Any,
    recurrent: Any,
    bias: Any,
    activation: Activation,
    **options: Any,
) -> list[Any]:
    step = simple_step(recurrent, activation)
    return _run(step, inputs, states, kernel, recurrent, bias, **options)


def simple_step(recurrent: Any, activation: Activation, noise: Any = None) -> StepFunction:
    """The step from ``inputs kernel + bias``; the state is multiplied by ``noise`` before its product."""
    act = _function(activation)

    def step(z: Any, carried: list[Any]) -> tuple[Any, list[Any]]:
        (h,) = carried
        h = act(z + matrix_multiply(h if noise is None else h * noise, recurrent))
        return h, [h]

    return step


__all__: list[str] = []
