"""Recurrent layers as single ops: LSTM, GRU and the simple RNN over a whole sequence.

The ops are defined by ``rnn`` and elementwise ops; backends have fused kernels for them. They stand for the
usual activations and for no mask. The public functions call them where they can and ``rnn`` where they
cannot.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from kbackend import dtypes
from kbackend.graph.tensor import Tensor, TensorSpec
from kbackend.ops import loops
from kbackend.ops.declare import TensorLike, composite, derived
from kbackend.ops.dispatch import dtype_of
from kbackend.ops.sample import In, Sample, call

Activation = Any


# ------------------------------------------------------------------------------------------------ shape rules


def _check(
    inputs: TensorSpec,
    states: Sequence[Any],
    kernel: TensorSpec,
    recurrent: TensorSpec,
    bias: Any,
    gates: int,
    bias_shape: tuple[int | None, ...] | None = None,
) -> tuple[TensorSpec, TensorSpec]:
    """The specs of all outputs and of one state.

    Raises:
        ValueError: shapes that do not fit each other. TypeError: operands that are not floats.
    """
    if not dtypes.is_float(inputs.dtype):
        raise TypeError(f"a recurrent op needs float operands, they are {inputs.dtype}")
    if inputs.ndim != 3 or kernel.ndim != 2 or recurrent.ndim != 2:
        raise ValueError("inputs must be (batch, time, features), the two kernels must have rank 2")
    units = recurrent.shape[0]
    batch, time, features = inputs.shape
    wide = None if units is None else gates * units
    wanted: list[tuple[str, Any, tuple[int | None, ...]]] = [
        ("kernel", kernel, (features, wide)),
        ("recurrent_kernel", recurrent, (units, wide)),
    ]
    wanted += [("a state", s, (batch, units)) for s in states if s is not None]
    if bias is not None:
        wanted.append(("bias", bias, (wide,) if bias_shape is None else bias_shape))
    for name, spec, shape in wanted:
        if not _fits(spec.shape, shape):
            raise ValueError(
                f"{name} must have the shape {shape}, it has {spec.shape}; inputs are {inputs.shape}"
            )
    return TensorSpec((batch, time, units), inputs.dtype), TensorSpec((batch, units), inputs.dtype)


def _fits(shape: Any, wanted: Any) -> bool:
    return len(shape) == len(wanted) and all(a is None or b is None or a == b for a, b in zip(shape, wanted))


def _two_states(
    inputs: Any,
    h0: Any,
    c0: Any,
    kernel: Any,
    recurrent_kernel: Any,
    bias: Any = None,
    *,
    go_backwards: bool = False,
) -> tuple[TensorSpec, ...]:
    outputs, state = _check(inputs, (h0, c0), kernel, recurrent_kernel, bias, 4)
    return outputs, state, state


def _one_state(
    inputs: Any, h0: Any, kernel: Any, recurrent_kernel: Any, bias: Any = None, *, go_backwards: bool = False
) -> tuple[TensorSpec, ...]:
    return _check(inputs, (h0,), kernel, recurrent_kernel, bias, 1)


def _gru_rule(
    inputs: Any, h0: Any, kernel: Any, recurrent_kernel: Any, bias: Any = None, *, go_backwards: bool = False
) -> tuple[TensorSpec, ...]:
    units = recurrent_kernel.shape[0]
    wide = None if units is None else 3 * units
    return _check(inputs, (h0,), kernel, recurrent_kernel, bias, 3, (2, wide))


# ------------------------------------------------------------------------------------------------- samples


def _weights(gates: int, bias: bool | tuple[int, ...] = True, features: int = 3, units: int = 2) -> list[Any]:
    shape = (gates * units,) if bias is True else bias
    return [
        In((features, gates * units), -1, 1),
        In((units, gates * units), -1, 1),
        In(shape, -1, 1) if shape else None,
    ]


def _samples(states: int, gates: int, bias: bool | tuple[int, ...] = True) -> Callable[[], list[Sample]]:
    def samples() -> list[Sample]:
        given, none = [In((4, 2), -1, 1)] * states, [None] * states
        weights = _weights(gates, bias)
        return [
            call(In((4, 5, 3)), *given, *weights, name="all operands"),
            call(In((4, 5, 3)), *none, *weights, name="states of zeros"),
            call(In((4, 5, 3)), *given, *weights, go_backwards=True, name="backwards"),
            call(In((4, 5, 3)), *none, *weights[:2], None, name="no bias"),
            call(In((4, 1, 3)), *given, *weights, name="one step"),
            call(In((4, 0, 3)), *given, *weights, name="no step"),
            call(In((0, 5, 3)), *none, *weights, name="empty batch", dynamic=False),
            call(
                In((1, 40, 3), -0.5, 0.5), *none, *weights, name="forty steps", dtypes=("float64", "float32")
            ),
            call(
                In((4, 5, 3)), *given, *_weights(gates, bias, features=4), name="features", raises=ValueError
            ),
            call(In((5, 3)), *given, *weights, name="rank", raises=ValueError, dynamic=False),
            call(In((5, 5, 3)), *given, *weights, name="states of another batch", raises=ValueError, dynamic=False),
        ]

    return samples


def _step_samples(
    states: int, gates: int, bias: bool | tuple[int, ...] = True
) -> Callable[[], list[Sample]]:
    """Samples of the functions of K, which run step by step where no fused kernel does."""

    def samples() -> list[Sample]:
        x, weights = In((2, 4, 3)), _weights(gates, bias)
        given, none = [In((2, 2), -1, 1)] * states, [None] * states
        mask = In(values=[[1, 1, 0, 1], [0, 1, 0, 0]], kind="bool")
        return [
            call(x, *given, *weights, name="fused"),
            call(x, *none, *weights, mask=mask, name="mask"),
            call(x, *given, *weights, activation="relu", go_backwards=True, name="relu, backwards"),
            call(x, *given, *weights, mask=mask, unroll=True, name="mask, unrolled"),
        ]

    return samples


def _gru_samples() -> list[Sample]:
    x, h, weights = In((2, 4, 3)), In((2, 2), -1, 1), _weights(3)
    return [
        call(x, h, *weights, reset_after=False, name="reset before"),
        call(x, h, *weights, recurrent_activation="hard_sigmoid", reset_after=False, name="hard_sigmoid"),
    ]


# ------------------------------------------------------------------------------------------------- the ops


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
    """A GRU with sigmoid gates, tanh and ``reset_after``; an absent state is zeros. See :func:`gru`."""
    return _gru_steps(
        inputs, (h0,), kernel, recurrent_kernel, bias, "tanh", "sigmoid", True, go_backwards=go_backwards
    )


# ------------------------------------------------------------------------------------------- public functions


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
        mask: (batch, time), see :func:`kbackend.ops.loops.rnn`.
        activation, recurrent_activation: functions of a tensor, or names of ops. The defaults have fused
            kernels.
        go_backwards: from the last step to the first.
        unroll: see :func:`kbackend.ops.loops.rnn`; without effect where a fused kernel runs.

    Returns:
        [outputs (batch, time, units), last h (batch, units), last c (batch, units)].

    Raises:
        ValueError: shapes that do not fit. TypeError: integers.

    Source: Hochreiter and Schmidhuber, "Long Short-Term Memory", 1997, with the forget gate of Gers et al.,
        2000.
    """
    if mask is None and _is(activation, "tanh") and _is(recurrent_activation, "sigmoid"):
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
    if mask is None and _is(activation, "tanh"):
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

    Args: as :func:`lstm`, with the gates in the order z, r, h and one state.
        bias: (2, 3 units) for inputs and state with ``reset_after``, else (3 units,).
        reset_after: whether the reset gate acts after the product with ``recurrent_kernel`` (cuDNN) or before
            it.

    Returns:
        [outputs (batch, time, units), last h (batch, units)].

    Source: Cho et al., "Learning Phrase Representations using RNN Encoder-Decoder", 2014.
    """
    if mask is None and reset_after and _is(activation, "tanh") and _is(recurrent_activation, "sigmoid"):
        return _gru(inputs, h0, kernel, recurrent_kernel, bias, go_backwards=go_backwards)
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


# ------------------------------------------------------------------------------------------------- steps


def _is(activation: Activation, name: str) -> bool:
    """Whether an activation is the op of that name, given by name, as the op or as a function of ours that
    calls it."""
    if isinstance(activation, str):
        return activation == name
    if hasattr(activation, "op"):
        return activation.op.name == name
    ours = getattr(activation, "__module__", "") == "kbackend.activations"
    return ours and activation.__name__ == name


def _function(activation: Activation) -> Callable[[Any], Any]:
    from kbackend.ops import activation as activations
    from kbackend.ops import elementwise

    if callable(activation):
        return activation
    if activation is None or activation == "linear":
        return lambda x: x
    for family in (elementwise, activations):
        if hasattr(family, str(activation)):
            return getattr(family, activation)
    raise ValueError(f"unknown activation {activation!r}; give the name of an op or a function of a tensor")


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
    from kbackend.ops import elementwise as e
    from kbackend.ops import linear, shaping

    act, gate = _function(activation), _function(recurrent_activation)

    def step(z: Any, carried: list[Any]) -> tuple[Any, list[Any]]:
        h, c = carried
        i, f, g, o = shaping.split(e.add(z, linear.matmul(h, recurrent)), 4, axis=-1)
        c = e.add(e.multiply(gate(f), c), e.multiply(gate(i), act(g)))
        h = e.multiply(gate(o), act(c))
        return h, [h, c]

    return _run(step, inputs, states, kernel, recurrent, bias, **options)


def _simple_steps(
    inputs: Any,
    states: Sequence[Any],
    kernel: Any,
    recurrent: Any,
    bias: Any,
    activation: Activation,
    **options: Any,
) -> list[Any]:
    from kbackend.ops import elementwise as e
    from kbackend.ops import linear

    act = _function(activation)

    def step(z: Any, carried: list[Any]) -> tuple[Any, list[Any]]:
        h = act(e.add(z, linear.matmul(carried[0], recurrent)))
        return h, [h]

    return _run(step, inputs, states, kernel, recurrent, bias, **options)


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
    from kbackend.ops import elementwise as e
    from kbackend.ops import linear, shaping
    from kbackend.ops.indexing import getitem

    act, gate = _function(activation), _function(recurrent_activation)
    units = recurrent.shape[0]
    of_state = None
    if reset_after and bias is not None:
        bias, of_state = getitem(bias, 0), getitem(bias, 1)
    if not reset_after:
        of_gates = getitem(recurrent, (slice(None), slice(None, 2 * units)))
        of_new = getitem(recurrent, (slice(None), slice(2 * units, None)))

    def step(z: Any, carried: list[Any]) -> tuple[Any, list[Any]]:
        (h,) = carried
        zx, rx, gx = shaping.split(z, 3, axis=-1)
        if reset_after:
            s = linear.matmul(h, recurrent)
            zh, rh, gh = shaping.split(s if of_state is None else e.add(s, of_state), 3, axis=-1)
            update, reset = gate(e.add(zx, zh)), gate(e.add(rx, rh))
            new = act(e.add(gx, e.multiply(reset, gh)))
        else:
            zh, rh = shaping.split(linear.matmul(h, of_gates), 2, axis=-1)
            update, reset = gate(e.add(zx, zh)), gate(e.add(rx, rh))
            new = act(e.add(gx, linear.matmul(e.multiply(reset, h), of_new)))
        h = e.add(e.multiply(update, h), e.multiply(e.subtract(1.0, update), new))
        return h, [h]

    return _run(step, inputs, states, kernel, recurrent, bias, **options)


def _run(
    step: loops.StepFunction,
    inputs: Any,
    states: Sequence[Any],
    kernel: Any,
    recurrent: Any,
    bias: Any,
    go_backwards: bool = False,
    mask: Any = None,
    unroll: bool = False,
) -> list[Any]:
    """[outputs, *states] of a step that gets its share of the product of the inputs, made once for all
    steps."""
    from kbackend.ops import elementwise as e
    from kbackend.ops import linear

    z = linear.matmul(inputs, kernel)
    if bias is not None:
        z = e.add(z, bias)
    states = [_zero_state(inputs, recurrent) if s is None else s for s in states]
    outputs, last = loops.steps_of(step, z, states, go_backwards=go_backwards, mask=mask, unroll=unroll)
    return [outputs, *last]


def _zero_state(inputs: Any, recurrent: Any) -> Any:
    """Zeros (batch, units)."""
    from kbackend.ops import creation, shaping, state

    units = recurrent.shape[0]
    if isinstance(inputs, Tensor) and inputs.shape[0] is not None and units is not None:
        return state.constant(0.0, dtype_of(inputs), (inputs.shape[0], units))
    sizes = [shaping.extent(inputs, (0,))] + ([shaping.extent(recurrent, (0,))] if units is None else [])
    return creation.fill(sizes, (None, units), 0.0, dtype_of(inputs))
