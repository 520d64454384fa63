"""Loops with a condition or a count."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from kbackend import dtypes
from kbackend.declare.call import dtype_of, lift, make_node, to_numpy
from kbackend.declare.decorate import derived, primitive
from kbackend.declare.op import REGISTRY, TensorList
from kbackend.declare.sample import In, Sample, call
from kbackend.declare.tree import flatten, rebuild, structure
from kbackend.graph.tensor import Tensor, TensorSpec
from kbackend.graph.walk import Graph
from kbackend.ops.control.subgraph import Loop, trace, union
from kbackend.ops.core.arguments import as_tensor
from kbackend.ops.core.cast import cast, identity
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
    """The state after ``body`` has run while ``condition`` held; both are graphs of (state, [index],
    captures)."""
    return tuple(t.spec for t in body.inputs[: len(state)])


@derived(samples=lambda: _while_samples())
def classic_while_loop(
    condition: Callable[..., Any],
    body: Callable[..., Any],
    state: Sequence[Any],
    maximum_iterations: int | None = None,
) -> list[Any]:
    """Run ``body`` as long as ``condition`` holds.

    Args:
        condition: a function of the state's tensors that gives a bool scalar.
        body: a function of the state's tensors that returns as many, of the same dtypes and ranks.
        state: tensors or numbers at the start.
        maximum_iterations: stop after so many rounds.

    Returns:
        The state at the end. Gradients flow through it. Random draws in the body differ from round to round.

    Raises:
        TypeError: a dtype changes. ValueError: a rank changes, or the condition is no bool scalar.

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
        return [lift(r, dtype) for r, dtype in zip(results, _weak_types(results, initial))]

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


def _weak_types(results: Sequence[Any], initial: Sequence[Tensor]) -> list[str | None]:
    """Python numbers take the dtype of the state that they become."""
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


def _initial(tree: Any) -> tuple[list[Any], Any]:
    """The leaves of a state, on the engine where they are concrete, and how they are put together."""
    leaves, form = flatten(tree)
    return [t if isinstance(t, Tensor) else identity(as_tensor(t)) for t in leaves], form


def _next(result: Any, like: Any, states: list[Any], what: str) -> list[Any]:
    """The leaves of a new state: of the structure, dtypes and ranks of the old one; numbers take the dtypes."""
    if structure(result) != structure(like):
        raise ValueError(f"{what} returned another structure than its state: {result!r}, not {like!r}")
    found = []
    for i, (new, old) in enumerate(zip(flatten(result)[0], states)):
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
    """Run ``body`` as long as ``cond`` holds.

    Args:
        cond: a function of the state that gives a bool scalar.
        body: a function of the state that returns the next one: the same structure, dtypes and ranks.
        loop_vars: the state at the start; the parts of a list or tuple are passed as arguments, all else as one.
        maximum_iterations: stop after so many rounds.

    Returns:
        The state at the end. Gradients flow through it in graphs. A concrete state runs at once.

    Raises:
        TypeError: a dtype changes. ValueError: the structure or a rank changes.

    >>> from kbackend import ops
    >>> [int(v) for v in ops.while_loop(lambda x, y: x < 10, lambda x, y: (x + 1, y + 2), (0, 1))]
    [10, 21]
    """
    several = isinstance(loop_vars, (list, tuple))
    states, form = _initial(loop_vars)

    def given(function: Callable[..., Any], leaves: list[Any]) -> Any:
        state = rebuild(form, leaves)
        return function(*state) if several else function(state)

    def following(leaves: list[Any]) -> list[Any]:
        result = given(body, leaves)
        if several and len(loop_vars) == 1 and not isinstance(result, (list, tuple)):
            result = [result]
        if several and isinstance(result, (list, tuple)) and type(loop_vars) in (list, tuple):
            result = type(loop_vars)(result)
        return _next(result, loop_vars, leaves, "the body of a while loop")

    if not any(isinstance(t, Tensor) for t in states):
        found = _repeat(lambda s: given(cond, s), following, states, maximum_iterations)
        if found is not None:
            return rebuild(form, found)
    found = classic_while_loop(
        lambda *leaves: given(cond, list(leaves)), lambda *leaves: following(list(leaves)), states, maximum_iterations)
    return rebuild(form, found)


def _repeat(condition: Callable[..., Any], following: Callable[..., Any], states: list[Any], most: int | None,
            ) -> list[Any] | None:
    """The rounds of a concrete loop; None when a function gives symbolic tensors, because it reads a variable."""
    count = 0
    while most is None or count < most:
        holds = condition(states)
        if isinstance(holds, Tensor):
            return None
        if not to_numpy(holds):
            break
        states = following(states)
        if any(isinstance(t, Tensor) for t in states):
            return None
        states = [identity(t) for t in states]
        count += 1
    return states


@derived(tolerance="rnn", samples=lambda: [
    call(0, 4, lambda i, x: add(multiply(x, 0.5), cast(i, "float32")), In((3,)), dtypes=("float32",),
         dynamic=False)])
def fori_loop(lower: Any, upper: Any, body_fun: Callable[[Any, Any], Any], init_val: Any) -> Any:
    """``for i in range(lower, upper): value = body_fun(i, value)``.

    Args:
        lower, upper: integers or integer scalars.
        body_fun: a function of the index and the value (a tensor, or a list of tensors).
        init_val: the value at the start.

    Returns:
        The value at the end.

    >>> from kbackend import K
    >>> from kbackend.ops import fori_loop
    >>> float(K.eval(fori_loop(1, 4, lambda i, x: x * K.cast(i, "float32"), K.constant(1.0))))
    6.0
    """
    several = isinstance(init_val, (list, tuple))
    values = list(init_val) if several else [init_val]

    def body(i: Any, *state: Any) -> list[Any]:
        result = body_fun(i, list(state) if several else state[0])
        return [add(i, 1), *(result if several else [result])]

    first = cast(lift(lower), "int32")
    last = cast(lift(upper), "int32")
    found = classic_while_loop(lambda i, *_: i < last, body, [first, *values])[1:]
    return type(init_val)(found) if several else found[0]


__all__ = ["fori_loop", "while_loop"]
