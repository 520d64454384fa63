"""Branches and loops that end on a condition; ``ops/loops.py`` has the loops over time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import Any

import numpy as np

from kbackend import dtypes
from kbackend.graph.tensor import Tensor, TensorSpec
from kbackend.graph.walk import Graph
from kbackend.ops.declare import REGISTRY, TensorLike, TensorList, derived, primitive
from kbackend.ops.dispatch import lift, make_node, to_numpy
from kbackend.ops.sample import In, Sample, call
from kbackend.ops.subgraph import Loop, trace, union

# ------------------------------------------------------------------------------------------------- cond


@primitive(name="cond")
def _cond(
    pred: TensorLike, captures: TensorList, *, then_graph: Graph, else_graph: Graph
) -> tuple[TensorSpec, ...]:
    """The outputs of one of two graphs of ``captures``, chosen by a bool scalar; only that one runs.

    An engine on an accelerator waits for ``pred`` before it goes on.
    """
    if pred.shape != () or pred.dtype != dtypes.BOOL:
        raise ValueError(f"the condition must be a bool scalar, it is {pred}")
    return tuple(_either(a.spec, b.spec) for a, b in zip(then_graph.outputs, else_graph.outputs))


def _either(a: TensorSpec, b: TensorSpec) -> TensorSpec:
    if a.ndim != b.ndim:
        raise ValueError(f"the branches have shapes of different rank: {a.shape} and {b.shape}")
    return TensorSpec(tuple(m if m == n else None for m, n in zip(a.shape, b.shape)), a.dtype)


@derived(traced=False, samples=lambda: _cond_samples())
def cond(pred: TensorLike, then: Callable[[], Any], otherwise: Callable[[], Any]) -> Any:
    """``then()`` where a scalar condition holds, else ``otherwise()``; only the chosen branch is computed.

    Args:
        pred: a scalar; numbers other than 0 count as true. A concrete one decides at once.
        then, otherwise: functions without arguments that return a tensor, or a list of as many tensors each.

    Returns:
        What the functions return, a tensor or a list; dtypes are promoted to a common one.

    Raises:
        ValueError: the condition is no scalar, or the branches' numbers of results or ranks differ.
    """
    if not isinstance(pred, Tensor):
        return then() if bool(np.reshape(to_numpy(pred), ())) else otherwise()
    from kbackend.ops import elementwise

    single: list[bool] = []

    def flat(branch: Callable[[], Any]) -> Callable[[], Sequence[Any]]:
        def results() -> Sequence[Any]:
            result = branch()
            single.append(not isinstance(result, (list, tuple)))
            return [result] if single[-1] else list(result)

        return results

    one, other = trace(flat(then), []), trace(flat(otherwise), [])
    if len(one.outputs) != len(other.outputs) or single[0] != single[1]:
        raise ValueError(
            f"the branches of a condition return {len(one.outputs)} and {len(other.outputs)} results"
        )
    common = [dtypes.promote(a.dtype, b.dtype) for a, b in zip(one.outputs, other.outputs)]
    for body in (one, other):
        body.outputs = tuple(
            t if t.dtype == dtype else elementwise.cast(t, dtype) for t, dtype in zip(body.outputs, common)
        )
    captures = union((one, other))
    attrs = {"then_graph": one.graph(captures, "then"), "else_graph": other.graph(captures, "otherwise")}
    if pred.dtype != dtypes.BOOL:
        pred = elementwise.cast(pred, dtypes.BOOL)
    found = make_node(REGISTRY["cond"], (pred, captures), attrs)
    return found[0] if single[0] else found


@derived(traced=False, samples=lambda: _switch_samples())
def switch(condition: TensorLike, then_expression: Any, else_expression: Any) -> Any:
    """``then_expression`` where the condition holds, else ``else_expression``.

    Args:
        condition: a scalar chooses as a whole; a tensor chooses element by element, and its shape stands for
            the first dimensions of the expressions. Numbers other than 0 count as true.
        then_expression, else_expression: tensors, or functions without arguments that give them. With a
            scalar condition only the chosen function is computed when the program runs.

    Returns:
        A tensor.

    Raises:
        ValueError: the condition has a higher rank than the expressions.

    >>> from kbackend import K
    >>> x = K.constant([[1., 2.], [3., 4.]])
    >>> K.eval(K.switch(K.constant([1, 0]), x, -x)).tolist()
    [[1.0, 2.0], [-3.0, -4.0]]
    """
    if not isinstance(condition, Tensor) and not hasattr(condition, "shape"):
        condition = np.asarray(condition)
    if len(condition.shape) == 0:
        return cond(condition, _function_of(then_expression), _function_of(else_expression))
    return _choose_elements(condition, _function_of(then_expression)(), _function_of(else_expression)())


def _function_of(expression: Any) -> Callable[[], Any]:
    return expression if callable(expression) else lambda: expression


def _choose_elements(condition: Any, then: Any, otherwise: Any) -> Any:
    from kbackend.ops import elementwise, shaping

    rank = max(np.ndim(e) if not hasattr(e, "shape") else len(e.shape) for e in (then, otherwise))
    missing = rank - len(condition.shape)
    if missing < 0:
        raise ValueError(
            f"switch: the condition has rank {len(condition.shape)}, which is higher than the rank {rank} "
            "of then_expression and else_expression"
        )
    for _ in range(missing):
        condition = shaping.expand_dims(condition, -1)
    return elementwise.where(elementwise.cast(condition, dtypes.BOOL), then, otherwise)


# ------------------------------------------------------------------------------------------------- while


@primitive(name="while_loop")
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
def while_loop(
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


# ------------------------------------------------------------------------------------------------- others


@primitive(name="print_tensor", pure=False, view=True)
def _print_tensor(x: TensorLike, *, message: str) -> TensorSpec:
    """``x``; its value is printed when the program runs."""
    return x


@derived(samples=lambda: [call(In((2, 3)), "x is"), call(In((2,), 0, 9, kind="int32"))])
def print_tensor(x: TensorLike, message: str = "") -> Any:
    """``x`` itself; whenever a program computes the result, it prints the message and the value.

    Nothing is printed where the result is not used.
    """
    return REGISTRY["print_tensor"].apply((x,), {"message": str(message)})


def control_dependencies(control_inputs: Any) -> nullcontext[None]:
    """A context without effect: updates take effect together at the end of a function, in no order of
    their own."""
    return nullcontext()


# ------------------------------------------------------------------------------------------------- samples


def _cond_samples() -> list[Sample]:
    def branches(value: float) -> Callable[[], list[Any]]:
        return lambda: [lift(np.float32(value)), lift(np.array([1, 2], np.int32))]

    return [
        call(In((), kind="bool", values=True), branches(2.0), branches(3.0), name="first",
             expect=(np.float32(2.0), np.array([1, 2], np.int32))),
        call(In((), kind="int32", values=0), branches(2.0), branches(3.0), name="second",
             expect=(np.float32(3.0), np.array([1, 2], np.int32))),
        call(In((2,), kind="bool"), branches(2.0), branches(3.0), name="no scalar", raises=ValueError),
    ]


def _switch_samples() -> list[Sample]:
    x, y = In((3, 2)), In((3, 2))
    return [
        call(In((), kind="bool", values=True), x, y, name="scalar, true"),
        call(In((), kind="bool", values=False), x, y, name="scalar, false"),
        call(In((3,), kind="bool", values=[True, False, True]), x, y, name="rows"),
        call(In((3, 2), kind="bool"), x, y, name="elements"),
        call(In((3,), kind="int32", values=[2, 0, 1]), x, In((3, 1)), name="numbers, broadcasting"),
        call(In((3, 2, 1), kind="bool"), x, y, name="rank", raises=ValueError),
    ]


def _while_samples() -> list[Sample]:
    from kbackend.ops import elementwise as e

    def below(limit: int) -> Callable[..., Any]:
        return lambda x, i: e.less(i, limit)

    def square_and_count(x: Any, i: Any) -> list[Any]:
        return [e.multiply(x, x), e.add(i, 1)]

    # concrete operands enter the graph of the loop as float32
    start, common = In((), kind="int32", values=0), {"dtypes": ("float32",)}
    return [
        call(below(2), square_and_count, [In((3, 2), 0.5, 1.2), start], name="two rounds", **common),
        call(below(0), square_and_count, [In((3,)), start], name="no round", **common),
        call(below(9), square_and_count, [In((3,), 0.5, 1.2), start], maximum_iterations=3, name="maximum", **common),
        call(below(2), lambda x, i: [x], [In((3,)), start], name="states", raises=ValueError, **common),
        call(below(2), lambda x, i: [e.cast(x, "int32"), i], [In((3,)), start], name="dtype", raises=TypeError,
             **common),
    ]
