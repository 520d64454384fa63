"""Loops over time: scan, the maps and folds on top of it, and ``K.rnn``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from kbackend import dtypes
from kbackend.graph.tensor import Tensor, TensorSpec
from kbackend.graph.walk import Graph
from kbackend.ops.declare import REGISTRY, TensorList, derived, primitive
from kbackend.ops.dispatch import dtype_of, lift, make_node, to_numpy
from kbackend.ops.sample import In, Sample, call
from kbackend.ops.subgraph import Loop

#: what one step of a scan returns: outputs to be stacked, and the new states
Step = Callable[[list[Any], list[Any]], tuple[Sequence[Any], Sequence[Any]]]


# ------------------------------------------------------------------------------------------------- scan


@primitive(name="scan", tolerance="rnn")
def _scan(
    sequences: TensorList,
    initial: TensorList,
    captures: TensorList,
    *,
    body: Graph,
    axis: int = 0,
    reverse: bool = False,
    indexed: bool = False,
) -> tuple[TensorSpec, ...]:
    """The outputs of ``body`` for each slice along ``axis``, stacked along the same axis, and the last
    states.

    ``body`` is a graph of (slices, states, [index], captures) that gives (outputs, states). With ``reverse``
    the last slice comes first, and so does its output.
    """
    length = time_steps(sequences, axis)
    states = len(initial)
    outputs = body.outputs[: len(body.outputs) - states]
    for i, t in enumerate(outputs):
        if t.ndim < axis:
            raise ValueError(
                f"output {i} of a step has shape {t.shape}; it cannot be stacked along axis {axis}"
            )
    formals = body.inputs[len(sequences) : len(sequences) + states]
    return (
        *(TensorSpec((*t.shape[:axis], length, *t.shape[axis:]), t.dtype) for t in outputs),
        *(t.spec for t in formals),
    )


def time_steps(sequences: Sequence[Any], axis: int) -> int | None:
    """The common length of sequences along their time axis, None when it is not known.

    Raises:
        ValueError: the lengths differ, or a sequence has no such axis.
    """
    if not sequences:
        raise ValueError("a loop over time needs at least one sequence")
    length: int | None = None
    for s in sequences:
        if len(s.shape) <= axis:
            raise ValueError(f"a sequence needs a time axis {axis}, it has the shape {tuple(s.shape)}")
        found = s.shape[axis]
        if length is not None and found is not None and found != length:
            raise ValueError(f"the sequences have {length} and {found} time steps")
        length = found if length is None else length
    return length


@derived(tolerance="rnn", samples=lambda: _scan_samples())
def scan(
    step: Step, sequences: Sequence[Any], initial: Sequence[Any], axis: int = 0, reverse: bool = False
) -> tuple[list[Any], list[Any]]:
    """Walk along sequences and carry states.

    Args:
        step: a function ``(slices, states) -> (outputs, new states)`` of lists; called once or twice, on
            symbolic tensors. It may use any tensors and variables from outside.
        sequences: at least one tensor; all have the same number of time steps along ``axis``.
        initial: the states at the start; a step keeps their dtypes and ranks.
        axis: the time axis of the sequences and of the stacked outputs.
        reverse: the last slice comes first, and so does its output.

    Returns:
        A list with the outputs of all steps, stacked along ``axis``, and a list with the last states.
        Gradients flow through both. Random draws in ``step``, dropout too, differ from step to step.

    Raises:
        TypeError: the dtype of a state changes. ValueError: its rank or the number of states changes.
    """
    sequences, initial = list(sequences), list(initial)
    if not any(isinstance(t, Tensor) for t in (*sequences, *initial)):
        found = _run_now(step, sequences, initial, axis, reverse)
        if found is not None:
            return found
    sequences, initial = [lift(s) for s in sequences], [lift(t) for t in initial]
    slices = [TensorSpec((*s.shape[:axis], *s.shape[axis + 1 :]), s.dtype) for s in sequences]
    count = len(sequences)

    def flat(*tensors: Tensor) -> list[Any]:
        outputs, states = _checked_step(
            step, list(tensors[:count]), list(tensors[count : count + len(initial)])
        )
        return [*outputs, *states]

    loop = Loop(flat, slices, [t.spec for t in initial])
    captures = loop.body.captures
    attrs = {
        "body": loop.body.graph(captures, "body"),
        "axis": axis,
        "reverse": bool(reverse),
        "indexed": loop.indexed,
    }
    results = make_node(REGISTRY["scan"], (tuple(sequences), tuple(initial), captures), attrs)
    results = results if isinstance(results, list) else [results]
    return results[: len(results) - len(initial)], results[len(results) - len(initial) :]


def _checked_step(step: Step, slices: list[Any], states: list[Any]) -> tuple[list[Any], list[Any]]:
    outputs, new = step(slices, states)
    outputs, new = list(outputs), list(new)
    if len(new) != len(states):
        raise ValueError(f"a step returned {len(new)} states, it was given {len(states)}")
    return outputs, new


def _at(x: Any, index: Any) -> Any:
    """``x[index]`` for tensors of any engine."""
    from kbackend.ops.indexing import getitem

    return getitem(x, index)


def _run_now(
    step: Step, sequences: list[Any], states: list[Any], axis: int, reverse: bool
) -> tuple[list[Any], list[Any]] | None:
    """The loop on concrete tensors; None when the step gives symbolic ones, because it reads a variable."""
    from kbackend.ops import elementwise, shaping

    sequences = [elementwise.identity(s) for s in sequences]  # on the engine, once
    length = time_steps(sequences, axis)
    assert length is not None
    before = (slice(None),) * axis
    if length == 0:
        outputs, _ = _checked_step(step, [_zeros_of_step(s, axis) for s in sequences], states)
        if any(isinstance(v, Tensor) for v in outputs):
            return None
        none = (*before, slice(0, 0))
        return [_at(shaping.stack([o], axis=axis), none) for o in outputs], [elementwise.identity(s) for s in states]
    rows: list[list[Any]] = []
    for t in reversed(range(length)) if reverse else range(length):
        outputs, states = _checked_step(step, [_at(s, (*before, t)) for s in sequences], states)
        if any(isinstance(v, Tensor) for v in (*outputs, *states)):
            return None
        rows.append(outputs)
    return [shaping.stack(list(column), axis=axis) for column in zip(*rows)], states


# --------------------------------------------------------------------------------------------- maps and folds


@derived(tolerance="rnn", samples=lambda: _map_samples())
def map_fn(fn: Callable[[Any], Any], elems: Any, name: str | None = None, dtype: Any = None) -> Any:
    """``fn`` of each element along the first axis, stacked.

    Args:
        fn: a function of one element that returns a tensor or a list of tensors. Given a list of tensors as
            ``elems`` it gets a list.
        elems: a tensor, or a list of tensors with equal first dimensions.
        name: a name for the first result.
        dtype: the dtype of the result (a list of them for several); that of what ``fn`` returns when None.

    >>> from kbackend import K
    >>> K.eval(K.map_fn(lambda row: K.sum(row), K.constant([[1., 2.], [3., 4.]]))).tolist()
    [3.0, 7.0]
    """
    from kbackend.ops import elementwise

    several = isinstance(elems, (list, tuple)) and any(hasattr(e, "shape") for e in elems)
    single: list[bool] = []

    def step(slices: list[Any], states: list[Any]) -> tuple[list[Any], list[Any]]:
        result = fn(slices if several else slices[0])
        single.append(not isinstance(result, (list, tuple)))
        return ([result] if single[-1] else list(result)), []

    outputs, _ = scan(step, list(elems) if several else [_sequence(elems)], [])
    if dtype is not None:
        wanted = dtype if isinstance(dtype, (list, tuple)) else [dtype] * len(outputs)
        outputs = [elementwise.cast(t, d) for t, d in zip(outputs, wanted)]
    return outputs[0] if single[-1] else outputs


@derived(tolerance="rnn", samples=lambda: _fold_samples())
def foldl(fn: Callable[[Any, Any], Any], elems: Any, initializer: Any = None, name: str | None = None) -> Any:
    """``fn(... fn(fn(initializer, elems[0]), elems[1]) ..., elems[-1])``.

    Args:
        fn: a function of the accumulated value and an element.
        elems: a tensor.
        initializer: the first accumulated value; the first element when None.

    >>> from kbackend import K
    >>> float(K.eval(K.foldl(lambda a, x: a * 2 + x, K.constant([1., 0., 1.]))))
    5.0
    """
    return _fold(fn, elems, initializer, reverse=False)


@derived(tolerance="rnn", samples=lambda: _fold_samples())
def foldr(fn: Callable[[Any, Any], Any], elems: Any, initializer: Any = None, name: str | None = None) -> Any:
    """As :func:`foldl`, from the last element to the first."""
    return _fold(fn, elems, initializer, reverse=True)


def _fold(fn: Callable[[Any, Any], Any], elems: Any, initializer: Any, reverse: bool) -> Any:
    elems = _sequence(elems)
    if initializer is None:
        initializer = _at(elems, -1 if reverse else 0)
        elems = _at(elems, slice(None, -1) if reverse else slice(1, None))
        if elems.shape[0] == 0:
            return initializer
    _, states = scan(
        lambda slices, states: ([], [fn(states[0], slices[0])]), [elems], [initializer], reverse=reverse
    )
    return states[0]


def _sequence(elems: Any) -> Any:
    elems = elems if hasattr(elems, "shape") else np.asarray(elems)
    if not len(elems.shape):
        raise ValueError("a map or fold needs a tensor of rank 1 or more")
    return elems


# ------------------------------------------------------------------------------------------------- rnn

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

    Args:
        step_function: ``(input, states) -> (output, new states)``; the input is (samples, ...), the states
            are a list with the constants appended, and the new states come without them.
        inputs: (samples, time, ...).
        initial_states: the states before the first step.
        go_backwards: walk from the last time step to the first; outputs are in the order of walking.
        mask: (samples, time) or (samples, time, 1), bool or numbers. A step that is masked (0) leaves the
            states of that sample as they are and repeats its last output, zeros before the first.
        constants: tensors that every step gets.
        unroll: a copy of the step for each time step; needs a known time dimension.
        input_length: the number of time steps, where the shape of ``inputs`` does not tell it.

    Returns:
        The last output (samples, ...), all outputs (samples, time, ...) and a list of the last states. Without a time
        step the last output is zeros, and the states are the initial ones.

    Raises:
        ValueError: inputs of rank below 3, ``unroll`` without a known time dimension, a mask of another
            length.

    The step function may use variables and tensors from outside, gradients of inner tensors, and other loops.
    Random draws in it, dropout too, differ from step to step; draw a mask outside to share it between steps.

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
    from kbackend.ops import reduction

    if outputs.shape[TIME]:
        return _at(outputs, (slice(None), -1))
    rows = _at(outputs, (slice(None), slice(-1, None)))  # one or none
    return (reduction.any_ if dtype_of(outputs) == "bool" else reduction.sum_)(rows, axis=TIME)


def steps_of(
    step_function: StepFunction, inputs: Any, initial_states: Sequence[Any], go_backwards: bool = False,
    mask: Any = None, constants: Any = None, unroll: bool = False, input_length: int | None = None,
) -> tuple[Any, list[Any]]:  # fmt: skip
    """All outputs of :func:`rnn` and its last states, also where there is no step."""
    inputs = inputs if hasattr(inputs, "shape") else to_numpy(inputs)
    if len(inputs.shape) < 3:
        raise ValueError(
            f"rnn needs inputs (samples, time, features...), they have the shape {tuple(inputs.shape)}"
        )
    constants, states = list(constants or ()), list(initial_states)
    sequences = [inputs]
    if mask is not None:
        sequences.append(_checked_mask(mask))
    time_steps(sequences, TIME)

    def step(slices: list[Any], carried: list[Any]) -> tuple[list[Any], list[Any]]:
        output, new = step_function(slices[0], [*carried, *constants])
        if len(new) != len(carried):
            raise ValueError(f"the step function returned {len(new)} states, it was given {len(carried)}")
        return [output], list(new)

    stepping: Step = step
    if mask is not None:
        states.append(_before_first(step, sequences, states, go_backwards))
        stepping = _masked(step)
    if unroll and inputs.shape[TIME] != 0:
        outputs, states = _unrolled(stepping, sequences, states, go_backwards, input_length)
    else:
        outputs, states = scan(stepping, sequences, states, axis=TIME, reverse=go_backwards)
    if mask is not None:
        states = states[:-1]
    return outputs[0], states


def _checked_mask(mask: Any) -> Any:
    from kbackend.ops import elementwise

    mask = mask if hasattr(mask, "shape") else to_numpy(mask)
    if len(mask.shape) < 2:
        raise ValueError(
            f"a mask is (samples, time) or (samples, time, 1), it has the shape {tuple(mask.shape)}"
        )
    return elementwise.cast(mask, "bool")


def _masked(step: Step) -> Step:
    """The step with the mask as second slice and the previous output as last state."""

    def masked(slices: list[Any], carried: list[Any]) -> tuple[list[Any], list[Any]]:
        *states, previous = carried
        (output,), new = step(slices[:1], states)
        chosen = _where(slices[1], output, previous)
        return [chosen], [*(_where(slices[1], n, s) for n, s in zip(new, states)), chosen]

    return masked


def _where(mask: Any, new: Any, old: Any) -> Any:
    from kbackend.ops import elementwise, shaping

    rank = len(new.shape)
    if len(mask.shape) > rank:
        raise ValueError(
            f"a mask of rank {len(mask.shape) + 1} does not fit a state or output of shape {new.shape}"
        )
    for _ in range(rank - len(mask.shape)):
        mask = shaping.expand_dims(mask, -1)
    return elementwise.where(mask, new, old)


def _before_first(step: Step, sequences: list[Any], states: list[Any], go_backwards: bool) -> Any:
    """Zeros of the shape and dtype of an output.

    A state of the same spec lends its shape; otherwise the shape is that of an output of the first step.
    """
    from kbackend.ops import creation

    inputs = sequences[0]
    place = (slice(None), -1 if go_backwards else 0)
    (output,), _ = step([_at(inputs, place) if inputs.shape[TIME] else _zeros_of_step(inputs, TIME)], list(states))
    for state in states:
        if isinstance(output, Tensor) and isinstance(state, Tensor) and state.spec == output.spec:
            return creation.zeros_like(state)
    return creation.zeros_like(output)


def _zeros_of_step(x: Any, axis: int) -> Any:
    """Zeros of the shape of one slice along an axis, of which there may be none."""
    from kbackend.ops import creation, elementwise, shaping

    axes = [a for a in range(len(x.shape)) if a != axis]
    shape = tuple(x.shape[a] for a in axes)
    if not isinstance(x, Tensor):
        return elementwise.identity(np.zeros(shape, dtypes.numpy_dtype(dtype_of(x))))
    return creation.fill([shaping.extent(x, (a,)) for a in axes if x.shape[a] is None], shape, 0, dtype_of(x))


def _unrolled(
    step: Step, sequences: list[Any], states: list[Any], reverse: bool, input_length: int | None
) -> tuple[list[Any], list[Any]]:
    from kbackend.ops import shaping

    length = time_steps(sequences, TIME)
    length = input_length if length is None else length
    if length is None:
        raise ValueError(
            "unroll=True needs a known number of time steps; give the inputs a time dimension or input_length"
        )
    outputs = []
    for t in reversed(range(length)) if reverse else range(length):
        (output,), states = _checked_step(step, [_at(s, (slice(None), t)) for s in sequences], states)
        outputs.append(output)
    return [shaping.stack(outputs, axis=TIME)], states


# ------------------------------------------------------------------------------------------------- samples


def _decayed_sum(slices: list[Any], states: list[Any]) -> tuple[list[Any], list[Any]]:
    from kbackend.ops import elementwise as e

    total = e.add(e.multiply(states[0], 0.5), slices[0])
    return [e.tanh(total), slices[0]], [total]


def _scan_samples() -> list[Sample]:
    return [
        call(_decayed_sum, [In((4, 3))], [In((3,))], name="over rows"),
        call(_decayed_sum, [In((3, 4, 2))], [In((3, 2))], axis=1, reverse=True, name="backwards over columns"),
        call(_decayed_sum, [In((4, 3)), In((5, 3))], [In((3,))], name="lengths", raises=ValueError),
        call(lambda x, s: ([], []), [In((4, 3))], [In((3,))], name="states", raises=ValueError),
    ]


def _map_samples() -> list[Sample]:
    from kbackend.ops import elementwise as e
    from kbackend.ops import random, reduction

    return [
        call(lambda row: reduction.sum_(e.square(row)), In((4, 3))),
        call(lambda rows: [e.multiply(*rows), rows[0]], [In((4, 3)), In((4, 1))], name="lists"),
        call(lambda row: e.greater(row, 0.0), In((4, 3)), dtype="int32", name="dtype", gradient=False),
        call(lambda row: e.square(row), In((0, 3)), name="no row", dynamic=False),
        call(lambda row: e.multiply(row, random.random_uniform((3,), seed=5)), In((4, 3)), name="a draw for each row",
             dtypes=("float32",)),
        call(lambda x: x, In(()), name="rank", raises=ValueError),
    ]


def _fold_samples() -> list[Sample]:
    from kbackend.ops import elementwise as e

    def fold(total: Any, x: Any) -> Any:
        return e.add(e.multiply(total, 0.5), x)

    return [
        call(fold, In((4, 3)), name="rows"),
        call(fold, In((4, 3)), In((3,)), name="initializer"),
        call(fold, In((1, 3)), name="one row", dynamic=False),
        call(fold, In((0, 3)), In((3,)), name="no row, initializer", dynamic=False),
        call(fold, In((3, 0)), name="rows of nothing"),
        call(fold, In((0, 3)), name="no row", raises=IndexError),
        call(fold, In(()), name="rank", raises=ValueError),
    ]


def _rnn_samples() -> list[Sample]:
    from kbackend.ops import elementwise as e

    def step(x: Any, states: list[Any]) -> tuple[Any, list[Any]]:
        state = e.tanh(e.add(x, e.multiply(states[0], 0.5)))
        return state, [state]

    def with_constant(x: Any, states: list[Any]) -> tuple[Any, list[Any]]:
        state = e.multiply(e.add(x, states[0]), states[-1])
        return e.add(state, 1.0), [state]

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
