"""The simple recurrent layer over a whole sequence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kbackend.declare.decorate import composite, derived
from kbackend.declare.op import TensorLike
from kbackend.ops.elementwise.hyperbolic import tanh
from kbackend.ops.linalg.matmul import matrix_multiply
from kbackend.ops.rnn.steps import Activation, _function, _is, _one_state, _run, _samples, _step_samples


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
    """A simple RNN with tanh; an absent state is zeros. See :func:`simple_rnn`."""
    return _simple_steps(inputs, (h0,), kernel, recurrent_kernel, bias, "tanh", go_backwards=go_backwards)


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
    """A fully connected recurrence, ``h = activation(x kernel + h recurrent_kernel + bias)``.

    Args: as :func:`lstm`, with kernels of ``units`` columns and one state.

    Returns:
        [outputs (batch, time, units), last h (batch, units)].
    """
    if mask is None and _is(activation, tanh):
        return _simple_rnn(inputs, h0, kernel, recurrent_kernel, bias, go_backwards=go_backwards)
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
    act = _function(activation)

    def step(z: Any, carried: list[Any]) -> tuple[Any, list[Any]]:
        h = act(z + matrix_multiply(carried[0], recurrent))
        return h, [h]

    return _run(step, inputs, states, kernel, recurrent, bias, **options)


__all__: list[str] = []
