"""``K.rnn``: a step function applied along the time axis."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from kbackend.declare.call import dtype_of, to_numpy
from kbackend.declare.decorate import derived
from kbackend.declare.sample import In, Sample, call
from kbackend.graph.tensor import Tensor
from kbackend.ops.arrays.join import stack
from kbackend.ops.arrays.transpose import reverse
from kbackend.ops.control.cond import with_trailing_axes
from kbackend.ops.control.scan import Step, checked_step, scan_steps, time_steps, zeros_of_step
from kbackend.ops.core.cast import cast
from kbackend.ops.core.creation import zeros_like
from kbackend.ops.elementwise.arithmetic import add, multiply
from kbackend.ops.elementwise.comparison import greater
from kbackend.ops.elementwise.hyperbolic import tanh
from kbackend.ops.elementwise.select import select_elements
from kbackend.ops.indexing.getitem import getitem
from kbackend.ops.reduction.cumulative import cumsum
from kbackend.ops.reduction.reductions import any_, sum_

StepFunction = Callable[[Any, list[Any]], tuple[Any, Sequence[Any]]]
TIME = 1


@derived(tolerance="rnn", samples=lambda: _rnn_samples())
def rnn(
    step_function: StepFunction,
    inputs: Any,
    initial_states: Sequence[Any],
    go_backwards: bool = False,
    mask: Any = None,
    constants: Sequence[Any] | None = None,
    unroll: bool = False,
    input_length: int | None = None,
) -> tuple[Any, Any, list[Any]]:
    """Apply a step function along the time axis.

    The step function may capture variables and tensors, take gradients of inner tensors and contain other loops.
    Random draws in it, also those of dropout, differ between steps; a mask drawn outside is shared by all steps.

    Args:
        step_function: ``(input, states) -> (output, new states)``. The input is (samples, ...); ``states`` is a list of
            the states followed by the constants; the new states do not include the constants.
        inputs: (samples, time, features...).
        initial_states: the states before the first step.
        go_backwards: visit the time steps from last to first; outputs are in the order of visits.
        mask: (samples, time) or (samples, time, 1), bool or numbers. Where it is 0, the states of the sample are kept
            and its previous output is repeated, zeros before the first output.
        constants: tensors passed to every step.
        unroll: make a copy of the step for each time step; the number of time steps must be known.
        input_length: the number of time steps, used where the shape of ``inputs`` does not have it.

    Returns:
        The last output (samples, ...), all outputs (samples, time, ...) and a list of the last states. Without
        a time step the last output is zeros, and the states are the initial ones.

    Raises:
        TypeError: the dtype of a state changes.
        ValueError: inputs of rank below 3, a mask of rank below 2 or of another length, another number of states,
            a state whose rank changes, or ``unroll`` without a known number of time steps.

    >>> from kbackend import K
    >>> x = K.constant([[[1.], [2.], [3.]]])
    >>> last, outputs, states = K.rnn(lambda x, s: (x + s[0], [x + s[0]]), x, [K.constant([[0.]])])
    >>> K.eval(outputs)[0, :, 0].tolist()
    [1.0, 3.0, 6.0]
    """
    options = (go_backwards, mask, constants, unroll, input_length)
    outputs, states = steps_of(step_function, inputs, initial_states, *options)
    return _last(outputs), outputs, states


def _last(outputs: Any) -> Any:
    """The output of the last time step, zeros where there is none."""
    if outputs.shape[TIME]:
        return getitem(outputs, (slice(None), -1))
    rows = getitem(outputs, (slice(None), slice(-1, None)))  # one or none
    return (any_ if dtype_of(outputs) == "bool" else sum_)(rows, axis=TIME)


def steps_of(
    step_function: StepFunction, inputs: Any, initial_states: Sequence[Any], go_backwards: bool = False,
    mask: Any = None, constants: Any = None, unroll: bool = False, input_length: int | None = None,
    gives_state: bool = False,
) -> tuple[Any, list[Any]]:  # fmt: skip
    """All outputs of :func:`rnn` and its last states, also where there is no step.

    Where the step's output is its first state (``gives_state``), that is carried once, and outputs before the first
    step that counts are the initial state; see :func:`from_first_step`.
    """
    inputs = inputs if hasattr(inputs, "shape") else to_numpy(inputs)
    if len(inputs.shape) < 3:
        raise ValueError(
            f"rnn needs inputs (samples, time, features...), their shape is {tuple(inputs.shape)}"
        )
    constants, states = list(constants or ()), list(initial_states)
    sequences = [inputs]
    if mask is not None:
        sequences.append(checked_mask(mask))
        _check_rows(sequences[1], inputs)
    time_steps(sequences, TIME)

    def step(slices: list[Any], carried: list[Any]) -> tuple[list[Any], list[Any]]:
        output, new = step_function(slices[0], [*carried, *constants])
        if len(new) != len(carried):
            raise ValueError(f"the step function returned {len(new)} states, it was given {len(carried)}")
        return [output], list(new)

    stepping: Step = step
    if mask is not None and gives_state:
        stepping = _masked_states(step)
    elif mask is not None:
        states.append(_initial_output(step, sequences, states, go_backwards))
        stepping = _masked(step)
    if unroll and inputs.shape[TIME] != 0:
        outputs, states = _unrolled(stepping, sequences, states, go_backwards, input_length)
    else:
        outputs, states = scan_steps(stepping, sequences, states, axis=TIME, reverse=go_backwards)
    return outputs[0], states if mask is None or gives_state else states[:-1]


def checked_mask(mask: Any) -> Any:
    mask = mask if hasattr(mask, "shape") else to_numpy(mask)
    if len(mask.shape) < 2:
        raise ValueError(
            f"a mask is (samples, time) or (samples, time, 1), its shape is {tuple(mask.shape)}"
        )
    return cast(mask, "bool")


def _check_rows(mask: Any, inputs: Any) -> None:
    """Raise a ValueError for a mask of other samples or steps than the inputs have; one of one sample is for all."""
    wanted, found = tuple(inputs.shape)[:2], tuple(mask.shape)[:2]
    if any(None not in (a, b) and a != b and (axis, b) != (0, 1) for axis, (a, b) in enumerate(zip(wanted, found))):
        raise ValueError(f"the mask has the shape {tuple(mask.shape)}, the inputs have the samples and steps {wanted}")


def _masked(step: Step) -> Step:
    """The step with the mask as its second slice and the previous output as an additional last state."""

    def masked(slices: list[Any], carried: list[Any]) -> tuple[list[Any], list[Any]]:
        *states, previous = carried
        (output,), new = step(slices[:1], states)
        kept = _select_rows(slices[1], output, previous)
        return [kept], [*(_select_rows(slices[1], n, s) for n, s in zip(new, states)), kept]

    return masked


def _masked_states(step: Step) -> Step:
    """The step of a function whose output is its first state, with the mask as its second slice."""

    def masked(slices: list[Any], carried: list[Any]) -> tuple[list[Any], list[Any]]:
        _, new = step(slices[:1], carried)
        kept = [_select_rows(slices[1], n, s) for n, s in zip(new, carried)]
        return [kept[0]], kept

    return masked


def from_first_step(outputs: Any, mask: Any, go_backwards: bool) -> Any:
    """Outputs in the order of visits, with zeros before the first step that counts."""
    mask = checked_mask(mask)
    visited = reverse(mask, TIME) if go_backwards else mask
    begun = greater(cumsum(cast(visited, "int32"), axis=TIME), 0)
    begun = with_trailing_axes(begun, len(outputs.shape) - len(begun.shape))
    return select_elements(begun, outputs, zeros_like(outputs))


def _select_rows(mask: Any, new: Any, old: Any) -> Any:
    """``new`` in the samples where a mask holds, else ``old``."""
    missing = len(new.shape) - len(mask.shape)
    if missing < 0:
        raise ValueError(
            f"a mask of rank {len(mask.shape) + 1} does not fit a state or output of shape {new.shape}"
        )
    return select_elements(with_trailing_axes(mask, missing), new, old)


def _initial_output(step: Step, sequences: list[Any], states: list[Any], go_backwards: bool) -> Any:
    """Zeros of the shape and dtype of an output.

    They are made from a state of the same spec if there is one, so that the program does not compute a step for them.
    """
    inputs = sequences[0]
    place = (slice(None), -1 if go_backwards else 0)
    (output,), _ = step([getitem(inputs, place) if inputs.shape[TIME] else zeros_of_step(inputs, TIME)], list(states))
    for state in states:
        if isinstance(output, Tensor) and isinstance(state, Tensor) and state.spec == output.spec:
            return zeros_like(state)
    return zeros_like(output)


def _unrolled(
    step: Step, sequences: list[Any], states: list[Any], reverse: bool, input_length: int | None
) -> tuple[list[Any], list[Any]]:
    length = time_steps(sequences, TIME)
    length = input_length if length is None else length
    if length is None:
        raise ValueError(
            "unroll=True needs a known number of time steps; give the inputs a time dimension or input_length"
        )
    outputs = []
    for t in reversed(range(length)) if reverse else range(length):
        (output,), states = checked_step(step, [getitem(s, (slice(None), t)) for s in sequences], states)
        outputs.append(output)
    return [stack(outputs, axis=TIME)], states


def _rnn_samples() -> list[Sample]:
    def step(x: Any, states: list[Any]) -> tuple[Any, list[Any]]:
        state = tanh(add(x, multiply(states[0], 0.5)))
        return state, [state]

    def with_constant(x: Any, states: list[Any]) -> tuple[Any, list[Any]]:
        state = multiply(add(x, states[0]), states[-1])
        return add(state, 1.0), [state]

    x, state = In((2, 4, 3)), In((2, 3))
    mask = In(values=[[1, 1, 0, 1], [0, 1, 0, 0]], kind="bool")
    return [
        call(step, x, [state], name="forwards"),
        call(step, x, [state], True, name="backwards"),
        call(step, x, [state], mask=mask, name="mask"),
        call(step, In((2, 0, 3)), [state], name="no step"),
        call(step, In((2, 0, 3)), [state], mask=In((2, 0), kind="bool"), unroll=True, name="no step, mask, unrolled"),
        call(step, x, [state], True, In(values=np.reshape(mask.values, (2, 4, 1)), kind="bool"), unroll=True,
             name="mask, backwards, unrolled"),
        call(with_constant, x, [state], constants=[In((3,))], name="constants"),
        call(with_constant, x, [state], constants=[In((3,))], mask=mask, unroll=True, name="constants, unrolled"),
        call(step, In((2,)), [state], name="rank", raises=ValueError),
        call(step, x, [state], mask=In((2, 3), kind="bool"), name="length of the mask", raises=ValueError),
        call(lambda x, s: (x, []), x, [state], name="states", raises=ValueError),
    ]


__all__: list[str] = []
