"""Shape rules, samples and the loop over time that the fused recurrent ops share.

The ops are composites of ``rnn`` and elementwise ops, for which backends have fused kernels. They have the default
activations, and are declared without a mask and with one, since a backend may have a kernel for one of the two only;
the public functions call ``rnn`` for other activations and for masks of other shapes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from kbackend import dtypes
from kbackend.declare.call import dtype_of
from kbackend.declare.op import REGISTRY
from kbackend.declare.sample import In, Sample, call
from kbackend.graph.tensor import Tensor, TensorSpec
from kbackend.ops.arrays.reshape import extent
from kbackend.ops.core.creation import fill
from kbackend.ops.core.leaves import constant
from kbackend.ops.linalg.dense import dense
from kbackend.ops.linalg.matmul import matrix_multiply
from kbackend.ops.rnn.rnn import StepFunction, checked_mask, from_first_step, steps_of

Activation = Any


def _check(
    inputs: TensorSpec,
    states: Sequence[Any],
    kernel: TensorSpec,
    recurrent: TensorSpec,
    bias: Any,
    gates: int,
    bias_shape: tuple[int | None, ...] | None = None,
) -> tuple[TensorSpec, TensorSpec]:
    """The specs of the outputs and of a state.

    Raises:
        TypeError: operands that are not floats.
        ValueError: shapes that do not fit each other.
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


def _check_mask(inputs: TensorSpec, mask: TensorSpec) -> None:
    """Check that a mask is of the samples and steps of the inputs.

    Raises:
        TypeError: a mask that is not bool.
        ValueError: a mask of another shape.
    """
    if mask.dtype != dtypes.BOOL:
        raise TypeError(f"the mask of a recurrent op must be bool, it is {mask.dtype}")
    if not _fits(mask.shape, inputs.shape[:2]):
        raise ValueError(f"mask must have the shape {inputs.shape[:2]}, it has {mask.shape}; inputs are {inputs.shape}")


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


def _masked(rule: Callable[..., tuple[TensorSpec, ...]]) -> Callable[..., tuple[TensorSpec, ...]]:
    """The rule of an op with a mask as its last operand, from that of the op without one."""

    def masked(*operands: Any, go_backwards: bool = False, unroll: bool = False) -> tuple[TensorSpec, ...]:
        *others, mask = operands
        _check_mask(operands[0], mask)
        return rule(*others)

    return masked


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


def _masked_samples(
    states: int, gates: int, bias: bool | tuple[int, ...] = True
) -> Callable[[], list[Sample]]:
    """Samples of the fused ops with a mask: filling at the end and at the beginning, holes, samples without a step."""

    def samples() -> list[Sample]:
        x, weights = In((4, 4, 3)), _weights(gates, bias)
        given, none = [In((4, 2), -1, 1)] * states, [None] * states
        ends = In(values=[[1, 1, 1, 0], [1, 0, 0, 0], [0, 0, 0, 0], [1, 1, 0, 0]], kind="bool")
        begins = In(values=[[0, 1, 1, 1], [0, 0, 0, 0], [0, 0, 1, 1], [1, 1, 1, 1]], kind="bool")
        holes = In(values=[[1, 0, 1, 0], [0, 1, 0, 1], [1, 1, 1, 1], [0, 0, 1, 0]], kind="bool")
        full = In(values=np.ones((4, 4)), kind="bool")
        none_at_all = In(values=np.zeros((4, 4)), kind="bool")
        return [
            call(x, *given, *weights, ends, name="filling at the end"),
            call(x, *none, *weights, ends, go_backwards=True, name="filling at the end, backwards"),
            call(x, *given, *weights, begins, name="filling at the beginning"),
            call(x, *none, *weights[:2], None, holes, name="holes, no bias"),
            call(x, *given, *weights, holes, go_backwards=True, unroll=True, name="holes, backwards, unrolled"),
            call(x, *given, *weights, full, go_backwards=True, name="all steps", dynamic=False),
            call(x, *given, *weights, none_at_all, name="none of the steps", dynamic=False),
            call(In((4, 0, 3)), *given, *weights, In((4, 0), kind="bool"), name="no step", dynamic=False),
            call(x, *given, *weights, In((4, 3), kind="bool"), name="length of the mask", raises=ValueError),
        ]

    return samples


def _step_samples(
    states: int, gates: int, bias: bool | tuple[int, ...] = True
) -> Callable[[], list[Sample]]:
    """Samples of the functions of K, which run ``rnn`` where the fused op does not apply."""

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


def _is(activation: Activation, wanted: Any) -> bool:
    """Whether an activation, by name or as a function, is a declared op."""
    found = REGISTRY.get(activation) if isinstance(activation, str) else getattr(activation, "op", None)
    return found is wanted.op


def _row_mask(inputs: Any, mask: Any) -> Any:
    """The mask as bool (samples, time), or None where it may not be of these samples and steps, such as one sample's
    for a batch of unknown size."""
    mask = checked_mask(mask)
    shape = tuple(mask.shape)
    if len(shape) == 3 and shape[2] == 1:
        mask, shape = mask[:, :, 0], shape[:2]
    return mask if shape[:1] == inputs.shape[:1] and _fits(shape, tuple(inputs.shape)[:2]) else None


def _function(activation: Activation) -> Callable[[Any], Any]:
    if callable(activation):
        return activation
    if activation is None or activation == "linear":
        return lambda x: x
    if activation in REGISTRY:
        return REGISTRY[activation].public
    raise ValueError(f"unknown activation {activation!r}; give the name of an op or a function of a tensor")


def _run(
    step: StepFunction,
    inputs: Any,
    states: Sequence[Any],
    kernel: Any,
    recurrent: Any,
    bias: Any,
    go_backwards: bool = False,
    mask: Any = None,
    unroll: bool = False,
) -> list[Any]:
    """[outputs, *last states] of a step of ``inputs kernel + bias``, which is computed once for all time steps; the
    step's output is its first state."""
    z = matrix_multiply(inputs, kernel) if bias is None else dense(inputs, kernel, bias)
    from_zeros = states[0] is None
    states = [_zero_state(inputs, recurrent) if s is None else s for s in states]
    outputs, last = steps_of(
        step, z, states, go_backwards=go_backwards, mask=mask, unroll=unroll, gives_state=True
    )
    if mask is not None and not from_zeros:
        outputs = from_first_step(outputs, mask, go_backwards)
    return [outputs, *last]


def _zero_state(inputs: Any, recurrent: Any) -> Any:
    """Zeros (batch, units)."""
    units = recurrent.shape[0]
    if isinstance(inputs, Tensor) and inputs.shape[0] is not None and units is not None:
        return constant(0.0, dtype_of(inputs), (inputs.shape[0], units))
    sizes = [extent(inputs, (0,))] + ([extent(recurrent, (0,))] if units is None else [])
    return fill(sizes, (None, units), 0.0, dtype_of(inputs))
