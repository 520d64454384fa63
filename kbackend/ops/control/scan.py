"""Loops along an axis that carry a state, and parallel prefix scans of associative functions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from kbackend import dtypes
from kbackend.declare.call import dtype_of, lift, make_node
from kbackend.declare.decorate import derived, primitive
from kbackend.declare.op import REGISTRY, TensorList
from kbackend.declare.sample import In, Sample, call
from kbackend.declare.shapes import axis_in
from kbackend.graph.tensor import Tensor, TensorSpec
from kbackend.graph.walk import Graph
from kbackend.ground.tree import tree_flatten, tree_unflatten
from kbackend.ops.arrays.dims import lengths
from kbackend.ops.arrays.join import concatenate_last, stack
from kbackend.ops.arrays.reshape import extent, reshape
from kbackend.ops.arrays.transpose import reverse as reverse_axes
from kbackend.ops.control.subgraph import Loop
from kbackend.ops.control.while_loop import initial_state, next_state
from kbackend.ops.core.arguments import as_tensor, integer
from kbackend.ops.core.cast import cast, identity
from kbackend.ops.core.creation import fill
from kbackend.ops.elementwise.arithmetic import add, multiply
from kbackend.ops.elementwise.hyperbolic import tanh
from kbackend.ops.elementwise.select import maximum
from kbackend.ops.indexing.getitem import getitem

#: what one step of a scan returns: outputs to be stacked, and the new states
Step = Callable[[list[Any], list[Any]], tuple[Sequence[Any], Sequence[Any]]]


@primitive(takes_complex=True, name="scan", tolerance="rnn", captures="captures")
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
    """The outputs of ``body`` for each slice along ``axis``, stacked along that axis, and the last states.

    ``body`` is a graph of (slices, states, [index], captures) that returns (outputs, states). With ``reverse`` the
    slices are visited from last to first, and outputs are stacked in the order of visits.
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
    """The common length of sequences along their time axis, or None when it is unknown.

    Raises:
        ValueError: there is no sequence, the lengths differ, or a sequence has no such axis.
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
def scan_steps(
    step: Step, sequences: Sequence[Any], initial: Sequence[Any], axis: int = 0, reverse: bool = False
) -> tuple[list[Any], list[Any]]:
    """Apply a step function to the slices of sequences along an axis and carry states from step to step.

    Args:
        step: a function ``(slices, states) -> (outputs, new states)`` of lists. It is traced once or twice on symbolic
            tensors and may capture tensors and variables; on concrete tensors it is called for each step.
        sequences: one tensor or more, with the same number of time steps along ``axis``.
        initial: the initial states, whose dtypes and ranks a step keeps.
        axis: the time axis of the sequences and of the stacked outputs.
        reverse: visit the slices from last to first and stack the outputs in that order.

    Returns:
        A list with the outputs of all steps, stacked along ``axis``, and a list with the last states.
        Gradients flow through both. Random draws in ``step``, also those of dropout, differ between steps.

    Raises:
        TypeError: the dtype of a state changes.
        ValueError: the rank of a state or the number of states changes, or lengths of sequences differ.
    """
    sequences, initial = list(sequences), list(initial)
    if not any(isinstance(t, Tensor) for t in (*sequences, *initial)):
        results = _concrete_loop(step, sequences, initial, axis, reverse)
        if results is not None:
            return results
    sequences, initial = [lift(s) for s in sequences], [lift(t) for t in initial]
    slices = [TensorSpec((*s.shape[:axis], *s.shape[axis + 1 :]), s.dtype) for s in sequences]
    count = len(sequences)

    def flat(*tensors: Tensor) -> list[Any]:
        outputs, states = checked_step(step, list(tensors[:count]), list(tensors[count : count + len(initial)]))
        return [*outputs, *states]

    loop = Loop(flat, slices, [t.spec for t in initial])
    captures = loop.body.captures
    attrs = {
        "body": loop.body.graph(captures, "body"),
        "axis": axis,
        "reverse": bool(reverse),
        "indexed": loop.indexed,
    }
    made = make_node(REGISTRY["scan"], (tuple(sequences), tuple(initial), captures), attrs)
    tensors = made if isinstance(made, list) else [made]
    return tensors[: len(tensors) - len(initial)], tensors[len(tensors) - len(initial) :]


def checked_step(step: Step, slices: list[Any], states: list[Any]) -> tuple[list[Any], list[Any]]:
    """``step(slices, states)`` as two lists.

    Raises:
        ValueError: the step returned another number of states than it was given.
    """
    outputs, new = step(slices, states)
    outputs, new = list(outputs), list(new)
    if len(new) != len(states):
        raise ValueError(f"a step returned {len(new)} states, it was given {len(states)}")
    return outputs, new


def _concrete_loop(
    step: Step, sequences: list[Any], states: list[Any], axis: int, reverse: bool
) -> tuple[list[Any], list[Any]] | None:
    """The loop on concrete tensors; None when the step returns symbolic tensors, because it reads a variable."""
    sequences = [identity(s) for s in sequences]  # to the device once, not at each step
    length = time_steps(sequences, axis)
    assert length is not None
    before = (slice(None),) * axis
    if length == 0:
        outputs, _ = checked_step(step, [zeros_of_step(s, axis) for s in sequences], states)
        if any(isinstance(v, Tensor) for v in outputs):
            return None
        none = (*before, slice(0, 0))
        return [getitem(stack([o], axis=axis), none) for o in outputs], [identity(s) for s in states]
    rows: list[list[Any]] = []
    for t in reversed(range(length)) if reverse else range(length):
        outputs, states = checked_step(step, [getitem(s, (*before, t)) for s in sequences], states)
        if any(isinstance(v, Tensor) for v in (*outputs, *states)):
            return None
        rows.append(outputs)
    return [stack(list(column), axis=axis) for column in zip(*rows)], states


def zeros_of_step(x: Any, axis: int) -> Any:
    """Zeros of the shape of one slice along an axis, of which there may be none."""
    axes = [a for a in range(len(x.shape)) if a != axis]
    shape = tuple(x.shape[a] for a in axes)
    if not isinstance(x, Tensor):
        return identity(np.zeros(shape, dtypes.numpy_dtype(dtype_of(x))))
    return fill([extent(x, (a,)) for a in axes if x.shape[a] is None], shape, 0, dtype_of(x))


def _decayed_sum(slices: list[Any], states: list[Any]) -> tuple[list[Any], list[Any]]:
    total = add(multiply(states[0], 0.5), slices[0])
    return [tanh(total), slices[0]], [total]


def _scan_samples() -> list[Sample]:
    return [
        call(_decayed_sum, [In((4, 3))], [In((3,))], name="over rows"),
        call(_decayed_sum, [In((3, 4, 2))], [In((3, 2))], axis=1, reverse=True, name="backwards over columns"),
        call(_decayed_sum, [In((4, 3)), In((5, 3))], [In((3,))], name="lengths", raises=ValueError),
        call(lambda x, s: ([], []), [In((4, 3))], [In((3,))], name="states", raises=ValueError),
    ]


def _modern_scan_samples() -> list[Sample]:
    common: dict[str, Any] = {"dtypes": ("float32",)}
    return [
        call(lambda c, x: (add(c, x), multiply(c, x)), In((2,)), In((4, 2)), dynamic=False, **common),
        call(lambda c, x: (add(c, x[0]), multiply(c, x[1])), In(()), [In((3,)), In((3, 2))],
             reverse=True, name="backwards", dynamic=False, **common),
        call(lambda c, _: (multiply(c, 2.0), None), In(()), None, 3, name="no sequences", dynamic=False, **common),
        call(lambda c, x: (c, x), In(()), In((4,)), 3, raises=ValueError, name="length", dynamic=False, **common),
        call(lambda c, x: (cast(c, "int32"), x), In(()), In((4,)), raises=TypeError, name="dtype", **common)]


@derived(tolerance="rnn", samples=_modern_scan_samples)
def scan(f: Callable[[Any, Any], Any], init: Any, xs: Any = None, length: int | None = None, reverse: bool = False,
         unroll: Any = 1) -> tuple[Any, Any]:
    """Apply a function to the slices of sequences along their first axis and carry a state (JAX's ``lax.scan``).

    Args:
        f: a function (state, slices) -> (next state, outputs). Each is a tensor or nested dicts, lists and tuples of
            tensors; the outputs may be None.
        init: the initial state, whose structure, dtypes and ranks ``f`` keeps.
        xs: the sequences, with equal first dimensions; None passes None to ``f``.
        length: the number of steps; required without ``xs``.
        reverse: visit the slices from last to first; outputs keep the positions of their slices.
        unroll: a positive integer or a bool, checked and otherwise ignored: engines choose how far they unroll.

    Returns:
        The last state, and the outputs stacked along a new first axis. Gradients flow through both.

    Raises:
        TypeError: a dtype of the state changes, or ``length`` or ``unroll`` is not an integer.
        ValueError: the structure or a rank of the state changes, lengths differ, or neither ``xs`` nor ``length`` is
            given.

    >>> from kbackend import ops
    >>> last, sums = ops.scan(lambda c, x: (c + x, c + x), 0, ops.array([1, 2, 3]))
    >>> int(last), [int(v) for v in sums]
    (6, [1, 3, 6])
    """
    if not isinstance(unroll, bool) and integer(unroll, "unroll") < 1:
        raise ValueError(f"unroll must be a positive integer or a bool, it is {unroll!r}")
    states, form = initial_state(init)
    sequences, slices_form = tree_flatten(xs)
    sequences = [as_tensor(s) for s in sequences]
    count = None if length is None else integer(length, "the length")
    if not sequences:
        if count is None:
            raise ValueError("scan needs sequences or a length")
        sequences = [np.zeros(count, np.int32)]
    elif count is not None and (known := time_steps(sequences, 0)) is not None and known != count:
        raise ValueError(f"the sequences have {known} steps, the length is {count}")
    outputs: list[Any] = []

    def step(slices: list[Any], carried: list[Any]) -> tuple[list[Any], list[Any]]:
        result = f(tree_unflatten(form, carried), tree_unflatten(slices_form, slices))
        if not isinstance(result, (list, tuple)) or len(result) != 2:
            raise ValueError(f"a step of a scan returns (next state, outputs), not {result!r}")
        outputs.append(result[1])
        leaves = tree_flatten(result[1])[0]
        return [as_tensor(t) for t in leaves], next_state(result[0], init, carried, "a step of a scan")

    stacked, last = scan_steps(step, sequences, states, 0, bool(reverse))
    if reverse:
        stacked = [reverse_axes(t, 0) for t in stacked]
    return tree_unflatten(form, last), tree_unflatten(tree_flatten(outputs[-1])[1], stacked)


def _associative_samples() -> list[Sample]:
    return [
        call(add, In((5, 2)), name="odd", dynamic=False),
        call(multiply, In((3, 4)), True, 1, name="backwards along an axis"),
        call(lambda a, b: [add(a[0], b[0]), maximum(a[1], b[1])],
             [In((6,), distinct=True), In((6,), distinct=True)], name="lists", dynamic=False),
        call(add, In((1, 2)), name="one", dynamic=False),
    ]


@derived(tolerance="rnn", samples=_associative_samples)
def associative_scan(f: Callable[[Any, Any], Any], elems: Any, reverse: bool = False, axis: int = 0) -> Any:
    """All prefix reductions by an associative function, in a number of rounds logarithmic in the length.

    Args:
        f: an associative function of two tensors, or of two lists of tensors when ``elems`` is a list, that combines
            them elementwise along ``axis``.
        elems: a tensor, or a list of tensors of the same known length along ``axis``.
        reverse: reduce from the last element to the first.
        axis: the axis along which elements are combined.

    Returns:
        Tensors of the structure, shapes and dtypes of ``elems``; element i is
        ``f(... f(elems[0], elems[1]) ..., elems[i])``.

    Raises:
        ValueError: lengths that differ or are unknown, or an axis out of range.

    Source: Ladner and Fischer, "Parallel Prefix Computation", 1980.

    >>> from kbackend import K
    >>> from kbackend.ops import associative_scan
    >>> K.eval(associative_scan(lambda a, b: a + b, K.constant([1.0, 2.0, 3.0]))).tolist()
    [1.0, 3.0, 6.0]
    """
    several = isinstance(elems, (list, tuple))
    tensors = list(elems) if several else [elems]
    axes = {axis_in(axis, len(t.shape)) for t in tensors}
    sizes = {t.shape[a] for a in axes for t in tensors}
    if len(axes) != 1 or len(sizes) != 1 or None in sizes:
        raise ValueError(f"associative_scan needs tensors of one known length along axis {axis}, they have {sizes}")
    (at,), (size,) = axes, sizes

    def combine(a: list[Any], b: list[Any]) -> list[Any]:
        # the axis is reversed below, so that f gets its operands in the order of elems only when they are swapped
        first, second = (b, a) if reverse else (a, b)
        return list(f(first, second)) if several else [f(first[0], second[0])]

    if reverse:
        tensors = [reverse_axes(t, at) for t in tensors]
    found = _prefixes(combine, tensors, size, at)
    if reverse:
        found = [reverse_axes(t, at) for t in found]
    return found if several else found[0]


def _cut(x: Any, axis: int, *bounds: Any) -> Any:
    return getitem(x, (*(slice(None),) * axis, slice(*bounds)))


def _prefixes(combine: Callable[..., list[Any]], elems: list[Any], size: int, axis: int) -> list[Any]:
    """The prefixes of odd elements are those of the pairs, by recursion; an even element more gives the others."""
    if size < 2:
        return elems
    evens = [_cut(x, axis, 0, size // 2 * 2, 2) for x in elems]
    odds = [_cut(x, axis, 1, None, 2) for x in elems]
    at_odd = _prefixes(combine, combine(evens, odds), size // 2, axis)
    first = [_cut(x, axis, 0, 1) for x in elems]
    if size == 2:
        return [concatenate_last(pair, axis=axis) for pair in zip(first, at_odd)]
    before = [_cut(x, axis, 0, (size - 1) // 2) for x in at_odd]
    at_even = combine(before, [_cut(x, axis, 2, None, 2) for x in elems])
    at_even = [concatenate_last(pair, axis=axis) for pair in zip(first, at_even)]
    return [_interleaved(a, b, size, axis) for a, b in zip(at_even, at_odd)]


def _interleaved(even: Any, odd: Any, size: int, axis: int) -> Any:
    half = size // 2
    pairs = stack([_cut(even, axis, 0, half), odd], axis=axis + 1)
    shape = lengths(even)
    shape[axis] = 2 * half
    joined = reshape(pairs, shape)
    return joined if size % 2 == 0 else concatenate_last([joined, _cut(even, axis, half, None)], axis=axis)


__all__ = ["associative_scan", "scan"]
