"""The GRU over a sequence (Cho et al., 2014), with the reset gate before or after the recurrent product."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kbackend.declare.decorate import composite, derived
from kbackend.declare.op import TensorLike
from kbackend.declare.sample import In, Sample, call
from kbackend.graph.tensor import TensorSpec
from kbackend.ops.arrays.split import split_sizes
from kbackend.ops.elementwise.hyperbolic import tanh
from kbackend.ops.linalg.dense import dense
from kbackend.ops.linalg.matmul import matrix_multiply
from kbackend.ops.nn.sigmoid import sigmoid
from kbackend.ops.rnn.rnn import StepFunction
from kbackend.ops.rnn.steps import (
    Activation,
    _check,
    _function,
    _is,
    _masked,
    _masked_samples,
    _row_mask,
    _run,
    _samples,
    _step_samples,
    _weights,
)


def _gru_rule(
    inputs: Any, h0: Any, kernel: Any, recurrent_kernel: Any, bias: Any = None, *, go_backwards: bool = False
) -> tuple[TensorSpec, ...]:
    units = recurrent_kernel.shape[0]
    wide = None if units is None else 3 * units
    return _check(inputs, (h0,), kernel, recurrent_kernel, bias, 3, (2, wide))


def _gru_samples() -> list[Sample]:
    x, h, weights = In((2, 4, 3)), In((2, 2), -1, 1), _weights(3)
    return [
        call(x, h, *weights, reset_after=False, name="reset before"),
        call(x, h, *weights, recurrent_activation="hard_sigmoid", reset_after=False, name="hard_sigmoid"),
    ]


@composite(name="gru", promote="same", rule=_gru_rule, tolerance="rnn", samples=_samples(1, 3, (2, 6)))
def _gru(
    inputs: TensorLike,
    h0: TensorLike | None,
    kernel: TensorLike,
    recurrent_kernel: TensorLike,
    bias: TensorLike | None = None,
    *,
    go_backwards: bool = False,
) -> Any:
    """A GRU with sigmoid gates, tanh and ``reset_after``; a missing state is zeros. See :func:`gru`."""
    return _gru_steps(
        inputs, (h0,), kernel, recurrent_kernel, bias, "tanh", "sigmoid", True, go_backwards=go_backwards
    )


@composite(
    name="masked_gru",
    promote="same",
    promoted=("inputs", "h0", "kernel", "recurrent_kernel", "bias"),
    rule=_masked(_gru_rule),
    tolerance="rnn",
    samples=_masked_samples(1, 3, (2, 6)),
)
def _masked_gru(
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
    """The GRU of steps that a bool mask (samples, time) holds. See :func:`gru`."""
    return _gru_steps(
        inputs, (h0,), kernel, recurrent_kernel, bias, "tanh", "sigmoid", True, go_backwards=go_backwards, mask=mask,
        unroll=unroll,
    )  # fmt: skip


@derived(tolerance="rnn", samples=lambda: [*_step_samples(1, 3, (2, 6))(), *_gru_samples()])
def gru(
    inputs: TensorLike,
    h0: TensorLike | None,
    kernel: TensorLike,
    recurrent_kernel: TensorLike,
    bias: TensorLike | None = None,
    mask: TensorLike | None = None,
    *,
    activation: Activation = "tanh",
    recurrent_activation: Activation = "sigmoid",
    reset_after: bool = True,
    go_backwards: bool = False,
    unroll: bool = False,
) -> list[Any]:
    """A gated recurrent unit over a sequence.

    Args:
        inputs: floats (batch, time, features).
        h0: the initial state (batch, units); None for zeros.
        kernel, recurrent_kernel: (features, 3 units) and (units, 3 units), with the gates in the order update, reset,
            candidate.
        bias: (2, 3 units) for inputs and state with ``reset_after``, else (3 units,); None for none.
        mask: (batch, time), see :func:`kbackend.ops.rnn.rnn.rnn`; None for none.
        activation, recurrent_activation: functions of a tensor, or names of ops. The defaults have fused kernels.
        reset_after: whether the reset gate is applied after the product with ``recurrent_kernel`` (as in cuDNN) or
            before it.
        go_backwards: visit the time steps from last to first.
        unroll: see :func:`kbackend.ops.rnn.rnn.rnn`; ignored where a fused kernel runs.

    Returns:
        [outputs (batch, time, units), last h (batch, units)].

    Raises:
        ValueError: shapes that do not fit, or an unknown activation.
        TypeError: operands that are not floats.

    Source: Cho et al., "Learning Phrase Representations using RNN Encoder-Decoder", 2014.

    >>> from kbackend import K
    >>> outputs, last = K.gru(K.ones((2, 5, 3)), None, K.zeros((3, 12)), K.zeros((4, 12)))
    >>> K.int_shape(outputs), K.int_shape(last)
    ((2, 5, 4), (2, 4))
    """
    if reset_after and _is(activation, tanh) and _is(recurrent_activation, sigmoid):
        operands = (inputs, h0, kernel, recurrent_kernel, bias)
        if mask is None:
            return _gru(*operands, go_backwards=go_backwards)
        rows = _row_mask(inputs, mask)
        if rows is not None:
            return _masked_gru(*operands, rows, go_backwards=go_backwards, unroll=unroll)
    return _gru_steps(
        inputs,
        (h0,),
        kernel,
        recurrent_kernel,
        bias,
        activation,
        recurrent_activation,
        reset_after,
        go_backwards=go_backwards,
        mask=mask,
        unroll=unroll,
    )


def _gru_steps(
    inputs: Any,
    states: Sequence[Any],
    kernel: Any,
    recurrent: Any,
    bias: Any,
    activation: Activation,
    recurrent_activation: Activation,
    reset_after: bool,
    **options: Any,
) -> list[Any]:
    of_state = None
    if reset_after and bias is not None:
        bias, of_state = bias[0], bias[1]
    step = gru_step(recurrent, of_state, activation, recurrent_activation, reset_after)
    return _run(step, inputs, states, kernel, recurrent, bias, **options)


def gru_step(
    recurrent: Any,
    of_state: Any,
    activation: Activation,
    recurrent_activation: Activation,
    reset_after: bool,
    noise: Any = None,
) -> StepFunction:
    """The step of a GRU from ``inputs kernel + bias``.

    ``of_state`` is the bias of the state with ``reset_after``, or None. The state is multiplied by ``noise`` before its
    products.
    """
    act, gate = _function(activation), _function(recurrent_activation)
    units = recurrent.shape[0]
    if not reset_after:
        of_gates, of_new = recurrent[:, :2 * units], recurrent[:, 2 * units:]

    def step(z: Any, carried: list[Any]) -> tuple[Any, list[Any]]:
        (h,) = carried
        seen = h if noise is None else h * noise
        zx, rx, gx = split_sizes(z, 3, axis=-1)
        if reset_after:
            s = matrix_multiply(seen, recurrent) if of_state is None else dense(seen, recurrent, of_state)
            zh, rh, gh = split_sizes(s, 3, axis=-1)
            update, reset = gate(zx + zh), gate(rx + rh)
            new = act(gx + reset * gh)
        else:
            zh, rh = split_sizes(matrix_multiply(seen, of_gates), 2, axis=-1)
            update, reset = gate(zx + zh), gate(rx + rh)
            new = act(gx + matrix_multiply(reset * seen, of_new))
        h = update * h + (1.0 - update) * new
        return h, [h]

    return step


__all__: list[str] = []
