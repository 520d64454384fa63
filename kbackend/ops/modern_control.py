"""The new meanings of branches and loops: nested structures of tensors, and states before sequences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from kbackend import dtypes
from kbackend.graph.tensor import Tensor
from kbackend.ops import control, loops, shaping
from kbackend.ops import elementwise as e
from kbackend.ops.arranging import as_tensor, integer
from kbackend.ops.declare import TensorLike, derived
from kbackend.ops.dispatch import dtype_of, to_numpy
from kbackend.ops.rules import In, Sample, call
from kbackend.ops.trees import flatten, rebuild, structure


def _cond_samples() -> list[Sample]:
    def one(more: float) -> Callable[[], Any]:
        return lambda: e.add(np.float32(1.0), more)

    yes, no = In((), kind="bool", values=True), In((), kind="int32", values=0)
    return [
        call(yes, one(2.0), one(3.0), expect=np.float32(3.0)),
        call(no, lambda: [one(2.0)()], lambda: [one(3.0)()], name="number", expect=(np.float32(4.0),)),
        call(In((2,), kind="bool"), one(1.0), one(2.0), raises=ValueError, name="no scalar"),
        call(yes, np.float32(2.0), np.float32(3.0), raises=TypeError, name="no functions")]


@derived(name="modern_cond", traced=False, samples=_cond_samples)
def cond(pred: TensorLike, true_fn: Callable[[], Any], false_fn: Callable[[], Any]) -> Any:
    """``true_fn()`` where a scalar condition holds, else ``false_fn()``; only the chosen one is computed.

    Args:
        pred: a scalar; numbers other than 0 count as true. A concrete one decides at once.
        true_fn, false_fn: functions without arguments that return a tensor, or dicts, lists and tuples of tensors of
            one structure.

    Returns:
        What the functions return; dtypes are promoted to a common one.

    Raises:
        TypeError: no functions. ValueError: the condition is no scalar, or the structures or ranks differ.

    >>> from kbackend import ops
    >>> float(ops.cond(True, lambda: 1.0, lambda: 2.0))
    1.0
    """
    if not callable(true_fn) or not callable(false_fn):
        raise TypeError(f"cond needs two functions without arguments, not {true_fn!r} and {false_fn!r}")
    if not isinstance(pred, Tensor):
        known = to_numpy(pred)
        if known.ndim:
            raise ValueError(f"the condition must be a scalar, its shape is {known.shape}")
        return true_fn() if known else false_fn()
    made: list[Any] = []

    def flat(branch: Callable[[], Any]) -> Callable[[], list[Any]]:
        def leaves() -> list[Any]:
            made.append(branch())
            return flatten(made[-1])[0]

        return leaves

    found = control.cond(pred, flat(true_fn), flat(false_fn))
    if structure(made[0]) != structure(made[1]):
        raise ValueError(f"the branches return different structures: {made[0]!r} and {made[1]!r}")
    return rebuild(flatten(made[0])[1], found)


# ------------------------------------------------------------------------------------- loops


def _initial(tree: Any) -> tuple[list[Any], Any]:
    """The leaves of a state, on the engine where they are concrete, and how they are put together."""
    leaves, form = flatten(tree)
    return [t if isinstance(t, Tensor) else e.identity(as_tensor(t)) for t in leaves], form


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


def _while_samples() -> list[Sample]:
    start: dict[str, Any] = {"dtypes": ("float32",), "dynamic": False}
    zero = In((), kind="int32", values=0)
    return [
        call(lambda x, i: e.less(i, 3), lambda x, i: (e.multiply(x, x), e.add(i, 1)),
             [In((3,), 0.5, 1.2), zero], name="tuple for list", **start),
        call(lambda x, i: e.less(i, 3), lambda x, i: [x], [In((3,)), zero], raises=ValueError, name="states", **start),
        call(lambda i: e.less(i, 9), lambda i: e.add(i, 2), zero, 3, name="one, at most", gradient=False, **start),
        call(lambda x: e.less(x, 9), lambda x: e.cast(x, "float32"), zero, raises=TypeError, name="dtype", **start)]


@derived(name="modern_while_loop", tolerance="rnn", samples=_while_samples)
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
    found = control.while_loop(
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
        states = [e.identity(t) for t in states]
        count += 1
    return states


def _scan_samples() -> list[Sample]:
    common: dict[str, Any] = {"dtypes": ("float32",)}
    return [
        call(lambda c, x: (e.add(c, x), e.multiply(c, x)), In((2,)), In((4, 2)), dynamic=False, **common),
        call(lambda c, x: (e.add(c, x[0]), e.multiply(c, x[1])), In(()), [In((3,)), In((3, 2))],
             reverse=True, name="backwards", dynamic=False, **common),
        call(lambda c, _: (e.multiply(c, 2.0), None), In(()), None, 3, name="no sequences", dynamic=False, **common),
        call(lambda c, x: (c, x), In(()), In((4,)), 3, raises=ValueError, name="length", dynamic=False, **common),
        call(lambda c, x: (e.cast(c, "int32"), x), In(()), In((4,)), raises=TypeError, name="dtype", **common)]


@derived(name="modern_scan", tolerance="rnn", samples=_scan_samples)
def scan(f: Callable[[Any, Any], Any], init: Any, xs: Any = None, length: int | None = None, reverse: bool = False,
         unroll: Any = 1) -> tuple[Any, Any]:
    """Walk along the first axis of sequences and carry a state.

    Args:
        f: a function (state, slices) -> (next state, outputs); each is a tensor or dicts, lists and tuples of them,
            the outputs may be None.
        init: the state at the start; ``f`` keeps its structure, dtypes and ranks.
        xs: the sequences, of one length; None gives ``f`` None.
        length: their length; needed without ``xs``.
        reverse: the last slices come first; the outputs stand where their slices stood.
        unroll: a positive integer or a bool; engines unroll by themselves, it changes nothing.

    Returns:
        The last state, and the outputs stacked along a new first axis. Gradients flow through both.

    Raises:
        TypeError: a dtype changes. ValueError: a structure or rank changes, lengths that differ, or none.

    >>> from kbackend import ops
    >>> last, sums = ops.scan(lambda c, x: (c + x, c + x), 0, ops.array([1, 2, 3]))
    >>> int(last), [int(v) for v in sums]
    (6, [1, 3, 6])
    """
    if not isinstance(unroll, bool) and integer(unroll, "unroll") < 1:
        raise ValueError(f"unroll must be a positive integer or a bool, it is {unroll!r}")
    states, form = _initial(init)
    sequences, slices_form = flatten(xs)
    sequences = [as_tensor(s) for s in sequences]
    count = None if length is None else integer(length, "the length")
    if not sequences:
        if count is None:
            raise ValueError("scan needs sequences or a length")
        sequences = [np.zeros(count, np.int32)]
    elif count is not None and (known := loops.time_steps(sequences, 0)) is not None and known != count:
        raise ValueError(f"the sequences have {known} steps, the length is {count}")
    outputs: list[Any] = []

    def step(slices: list[Any], carried: list[Any]) -> tuple[list[Any], list[Any]]:
        result = f(rebuild(form, carried), rebuild(slices_form, slices))
        if not isinstance(result, (list, tuple)) or len(result) != 2:
            raise ValueError(f"a step of a scan returns (next state, outputs), not {result!r}")
        outputs.append(result[1])
        return [as_tensor(t) for t in flatten(result[1])[0]], _next(result[0], init, carried, "a step of a scan")

    stacked, last = loops.scan(step, sequences, states, 0, bool(reverse))
    if reverse:
        stacked = [shaping.reverse(t, 0) for t in stacked]
    return rebuild(form, last), rebuild(flatten(outputs[-1])[1], stacked)


__all__ = ["cond", "scan", "while_loop"]
