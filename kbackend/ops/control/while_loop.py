"""Loops with a condition or a counter: ``while_loop`` and ``fori_loop``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from kbackend import dtypes
from kbackend.declare.call import dtype_of, lift, make_node, to_numpy
from kbackend.declare.decorate import derived, primitive
from kbackend.declare.op import REGISTRY, TensorList
from kbackend.declare.sample import In, Sample, call
from kbackend.graph.tensor import Tensor, TensorSpec
from kbackend.graph.walk import Graph
from kbackend.ground.tree import tree_flatten, tree_structure, tree_unflatten
from kbackend.ops.control.subgraph import Loop, trace, union
from kbackend.ops.core.arguments import as_tensor
from kbackend.ops.core.cast import as_positions, cast, identity
from kbackend.ops.elementwise.arithmetic import add, multiply
from kbackend.ops.elementwise.comparison import less


@primitive(takes_complex=True, name="while_loop", captures="captures")
def _while_loop(
    state: TensorList,
    captures: TensorList,
    *,
    condition: Graph,
    body: Graph,
    indexed: bool = False,
    maximum_iterations: int | None = None,
) -> tuple[TensorSpec, ...]:
    """The state after running ``body`` while ``condition`` holds; both are graphs of (state, [index], captures)."""
    return tuple(t.spec for t in body.inputs[: len(state)])


@derived(samples=lambda: _while_samples())
def classic_while_loop(
    condition: Callable[..., Any],
    body: Callable[..., Any],
    state: Sequence[Any],
    maximum_iterations: int | None = None,
) -> list[Any]:
    """Run ``body`` while ``condition`` holds.

    Args:
        condition: a function of the state's tensors that returns a bool scalar.
        body: a function of the state's tensors that returns the next state: as many tensors, of the same dtypes and
            ranks.
        state: the initial state, a list of tensors or numbers.
        maximum_iterations: the most iterations; None for no limit.

    Returns:
        The last state, a list. Gradients flow through it. Random draws in the body differ between iterations.

    Raises:
        TypeError: a dtype of the state changes.
        ValueError: a rank or the length of the state changes, or the condition is not a bool scalar.

    >>> from kbackend import K
    >>> n = K.placeholder((), dtype="int32")
    >>> f = K.function([n], K.while_loop(lambda a, i: K.less(i, n), lambda a, i: [a * 2, i + 1], [1.0, 0]))
    >>> float(f([5])[0])
    32.0
    """
    initial = [lift(t) for t in state]

    def step(*tensors: Tensor) -> Sequence[Any]:
        results = body(*tensors)
        results = list(results) if isinstance(results, (list, tuple)) else [results]
        if len(results) != len(initial):
            raise ValueError(
                f"the body of a while loop returned {len(results)} tensors for a state of {len(initial)}"
            )
        return [lift(r, dtype) for r, dtype in zip(results, _dtypes_of_numbers(results, initial))]

    loop = Loop(step, [], [t.spec for t in initial])
    specs = [t.spec for t in loop.body.formals]
    test = trace(lambda *tensors: [condition(*tensors[: len(initial)])], specs)
    if test.outputs[0].shape != () or test.outputs[0].dtype != dtypes.BOOL:
        raise ValueError(
            f"the condition of a while loop must give a bool scalar, it gave {test.outputs[0]!r}"
        )
    captures = union((loop.body, test))
    attrs = {
        "condition": test.graph(captures, "condition"),
        "body": loop.body.graph(captures, "body"),
        "indexed": loop.indexed,
        "maximum_iterations": maximum_iterations,
    }
    return make_node(REGISTRY["while_loop"], (tuple(initial), captures), attrs)


def _dtypes_of_numbers(results: Sequence[Any], initial: Sequence[Tensor]) -> list[str | None]:
    """The dtype of the state for each result that is a Python number, None for the others."""
    return [t.dtype if isinstance(r, (int, float)) else None for r, t in zip(results, initial)]


def _while_samples() -> list[Sample]:
    def below(limit: int) -> Callable[..., Any]:
        return lambda x, i: less(i, limit)

    def square_and_count(x: Any, i: Any) -> list[Any]:
        return [multiply(x, x), add(i, 1)]

    # concrete operands enter the graph of the loop as float32
    start, common = In((), kind="int32", values=0), {"dtypes": ("float32",)}
    return [
        call(below(2), square_and_count, [In((3, 2), 0.5, 1.2), start], name="two rounds", **common),
        call(below(0), square_and_count, [In((3,)), start], name="no round", **common),
        call(below(9), square_and_count, [In((3,), 0.5, 1.2), start], maximum_iterations=3, name="maximum", **common),
        call(below(2), lambda x, i: [x], [In((3,)), start], name="states", raises=ValueError, **common),
        call(below(2), lambda x, i: [cast(x, "int32"), i], [In((3,)), start], name="dtype", raises=TypeError,
             **common),
    ]


def initial_state(tree: Any) -> tuple[list[Any], Any]:
    """The leaves of a state, concrete ones as tensors of the engine, and the function that rebuilds its structure."""
    leaves, form = tree_flatten(tree)
    return [t if isinstance(t, Tensor) else identity(as_tensor(t)) for t in leaves], form


def next_state(result: Any, like: Any, states: list[Any], what: str) -> list[Any]:
    """The leaves of the next state; Python numbers take the dtypes of the state.

    Args:
        result: the next state as ``what`` returned it.
        like: the initial state, for its structure.
        states: the leaves of the current state.
        what: the subject of error messages.

    Raises:
        TypeError: a dtype differs from that of the state.
        ValueError: the structure or a rank differs from that of the state.
    """
    if tree_structure(result) != tree_structure(like):
        raise ValueError(f"{what} returned another structure than its state: {result!r}, not {like!r}")
    found = []
    for i, (new, old) in enumerate(zip(tree_flatten(result)[0], states)):
        dtype = dtype_of(old)
        if isinstance(new, (int, float)) and not isinstance(new, np.generic):
            new = np.asarray(new, dtypes.numpy_dtype(dtype))
        new = as_tensor(new)
        if dtype_of(new) != dtype:
            raise TypeError(f"state {i} is {dtype} at the start and {dtype_of(new)} after a round; cast it")
        if len(new.shape) != len(old.shape):
            raise ValueError(f"state {i} has shape {tuple(old.shape)} and after a round {tuple(new.shape)}")
        found.append(new)
    return found


def _modern_while_samples() -> list[Sample]:
    start: dict[str, Any] = {"dtypes": ("float32",), "dynamic": False}
    zero = In((), kind="int32", values=0)
    return [
        call(lambda x, i: less(i, 3), lambda x, i: (multiply(x, x), add(i, 1)),
             [In((3,), 0.5, 1.2), zero], name="tuple for list", **start),
        call(lambda x, i: less(i, 3), lambda x, i: [x], [In((3,)), zero], raises=ValueError, name="states", **start),
        call(lambda i: less(i, 9), lambda i: add(i, 2), zero, 3, name="one, at most", gradient=False, **start),
        call(lambda x: less(x, 9), lambda x: cast(x, "float32"), zero, raises=TypeError, name="dtype", **start)]


@derived(tolerance="rnn", samples=_modern_while_samples)
def while_loop(cond: Callable[..., Any], body: Callable[..., Any], loop_vars: Any,
               maximum_iterations: int | None = None) -> Any:
    """Run ``body`` while ``cond`` holds.

    Args:
        cond: a function of the state that returns a bool scalar.
        body: a function of the state that returns the next state, of the same structure, dtypes and ranks.
        loop_vars: the initial state. The elements of a list or tuple are passed as separate arguments, any other
            structure as one argument.
        maximum_iterations: the most iterations; None for no limit.

    Returns:
        The last state. Gradients flow through symbolic loops; a loop on concrete tensors runs immediately.

    Raises:
        TypeError: a dtype of the state changes.
        ValueError: the structure or a rank of the state changes.

    >>> from kbackend import ops
    >>> [int(v) for v in ops.while_loop(lambda x, y: x < 10, lambda x, y: (x + 1, y + 2), (0, 1))]
    [10, 21]
    """
    several = isinstance(loop_vars, (list, tuple))
    states, form = initial_state(loop_vars)

    def applied(function: Callable[..., Any], leaves: list[Any]) -> Any:
        state = tree_unflatten(form, leaves)
        return function(*state) if several else function(state)

    def step(leaves: list[Any]) -> list[Any]:
        result = applied(body, leaves)
        if several and len(loop_vars) == 1 and not isinstance(result, (list, tuple)):
            result = [result]
        if several and isinstance(result, (list, tuple)) and type(loop_vars) in (list, tuple):
            result = type(loop_vars)(result)
        return next_state(result, loop_vars, leaves, "the body of a while loop")

    if not any(isinstance(t, Tensor) for t in states):
        last = _concrete_loop(lambda s: applied(cond, s), step, states, maximum_iterations)
        if last is not None:
            return tree_unflatten(form, last)
    last = classic_while_loop(
        lambda *leaves: applied(cond, list(leaves)), lambda *leaves: step(list(leaves)), states, maximum_iterations)
    return tree_unflatten(form, last)


def _concrete_loop(condition: Callable[..., Any], step: Callable[..., Any], states: list[Any], most: int | None,
                   ) -> list[Any] | None:
    """The loop on concrete tensors; None when a function returns symbolic tensors, because it reads a variable."""
    count = 0
    while most is None or count < most:
        holds = condition(states)
        if isinstance(holds, Tensor):
            return None
        if not to_numpy(holds):
            break
        states = step(states)
        if any(isinstance(t, Tensor) for t in states):
            return None
        states = [identity(t) for t in states]
        count += 1
    return states


@derived(tolerance="rnn", samples=lambda: [
    call(0, 4, lambda i, x: add(multiply(x, 0.5), cast(i, "float32")), In((3,)), dtypes=("float32",),
         dynamic=False)])
def fori_loop(lower: Any, upper: Any, body_fun: Callable[[Any, Any], Any], init_val: Any) -> Any:
    """Run ``for i in range(lower, upper): value = body_fun(i, value)``.

    Args:
        lower, upper: integers or integer scalars.
        body_fun: a function of the index, an int32 scalar, and the value that returns the next value, of the same
            dtypes and ranks.
        init_val: the initial value, a tensor or a list or tuple of tensors.

    Returns:
        The last value, a symbolic tensor or a list or tuple of them. Gradients flow through it.

    Raises:
        TypeError: a dtype of the value changes.
        ValueError: a rank or the length of the value changes.

    >>> from kbackend import K
    >>> from kbackend.ops import fori_loop
    >>> float(K.eval(fori_loop(1, 4, lambda i, x: x * K.cast(i, "float32"), K.constant(1.0))))
    6.0
    """
    several = isinstance(init_val, (list, tuple))
    values = list(init_val) if several else [init_val]

    def body(i: Any, *state: Any) -> list[Any]:
        result = body_fun(i, list(state) if several else state[0])
        return [i + 1, *(result if several else [result])]

    first, end = as_positions(lift(lower)), as_positions(lift(upper))
    last = classic_while_loop(lambda i, *_: i < end, body, [first, *values])[1:]
    return type(init_val)(last) if several else last[0]


__all__ = ["fori_loop", "while_loop"]
