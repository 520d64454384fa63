"""Branches: ``cond`` and ``switch`` of Keras 3, and the classic ``K.switch``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from kbackend import dtypes
from kbackend.declare.call import lift, make_node, to_numpy
from kbackend.declare.decorate import derived, primitive
from kbackend.declare.op import REGISTRY, TensorLike, TensorList
from kbackend.declare.sample import In, Sample, call
from kbackend.graph.tensor import Tensor, TensorSpec
from kbackend.graph.walk import Graph
from kbackend.ground.tree import tree_flatten, tree_structure, tree_unflatten
from kbackend.ops.arrays.reshape import expand_dims
from kbackend.ops.control.subgraph import trace, union
from kbackend.ops.core.cast import cast
from kbackend.ops.elementwise.arithmetic import add, multiply, negative
from kbackend.ops.elementwise.select import select_elements


@primitive(takes_complex=True, name="cond", captures="captures")
def _cond(
    pred: TensorLike, captures: TensorList, *, then_graph: Graph, else_graph: Graph
) -> tuple[TensorSpec, ...]:
    """The outputs of one of two graphs of ``captures``, chosen by a bool scalar; only the chosen graph runs.

    On an accelerator the host waits for ``pred``.
    """
    if pred.shape != () or pred.dtype != dtypes.BOOL:
        raise ValueError(f"the condition must be a bool scalar, it is {pred}")
    return tuple(_either(a.spec, b.spec) for a, b in zip(then_graph.outputs, else_graph.outputs))


def _either(a: TensorSpec, b: TensorSpec) -> TensorSpec:
    if a.ndim != b.ndim:
        raise ValueError(f"the branches have shapes of different rank: {a.shape} and {b.shape}")
    return TensorSpec(tuple(m if m == n else None for m, n in zip(a.shape, b.shape)), a.dtype)


@derived(traced=False, samples=lambda: _cond_samples())
def classic_cond(pred: TensorLike, then: Callable[[], Any], otherwise: Callable[[], Any]) -> Any:
    """``then()`` if a scalar condition holds, else ``otherwise()``; only the chosen branch is computed.

    Args:
        pred: a scalar; nonzero numbers are true. A concrete value chooses the branch while the graph is built.
        then, otherwise: functions without arguments that return a tensor, or a list; both of the same length.

    Returns:
        The result of the chosen function. With a symbolic condition the dtypes of the branches are promoted.

    Raises:
        ValueError: the condition is not a scalar, or the branches differ in the number or the ranks of results.
    """
    if not isinstance(pred, Tensor):
        return then() if bool(np.reshape(to_numpy(pred), ())) else otherwise()

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
            t if t.dtype == dtype else cast(t, dtype) for t, dtype in zip(body.outputs, common)
        )
    captures = union((one, other))
    attrs = {"then_graph": one.graph(captures, "then"), "else_graph": other.graph(captures, "otherwise")}
    if pred.dtype != dtypes.BOOL:
        pred = cast(pred, dtypes.BOOL)
    found = make_node(REGISTRY["cond"], (pred, captures), attrs)
    return found[0] if single[0] else found


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


@derived(traced=False, samples=lambda: _switch_samples())
def classic_switch(condition: TensorLike, then_expression: Any, else_expression: Any) -> Any:
    """``then_expression`` where the condition holds, else ``else_expression``.

    Args:
        condition: bool or numbers, of which nonzero ones are true. A scalar chooses between whole expressions; a
            tensor chooses elementwise, and its shape is that of the leading dimensions of the expressions.
        then_expression, else_expression: tensors, or functions without arguments that return them. With a scalar
            condition only the chosen function is computed when the program runs.

    Returns:
        A tensor of the promoted dtype of the expressions.

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
        return classic_cond(condition, _function_of(then_expression), _function_of(else_expression))
    return _choose_elements(condition, _function_of(then_expression)(), _function_of(else_expression)())


def _function_of(expression: Any) -> Callable[[], Any]:
    return expression if callable(expression) else lambda: expression


def _choose_elements(condition: Any, then: Any, otherwise: Any) -> Any:
    rank = max(np.ndim(e) if not hasattr(e, "shape") else len(e.shape) for e in (then, otherwise))
    missing = rank - len(condition.shape)
    if missing < 0:
        raise ValueError(
            f"switch: the condition has rank {len(condition.shape)}, which is higher than the rank {rank} "
            "of then_expression and else_expression"
        )
    return select_elements(cast(with_trailing_axes(condition, missing), dtypes.BOOL), then, otherwise)


def with_trailing_axes(x: Any, count: int) -> Any:
    """``x`` with ``count`` dimensions of 1 appended, so that it broadcasts along the last axes of another tensor."""
    for _ in range(count):
        x = expand_dims(x, -1)
    return x


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


def _branch_samples() -> list[Sample]:
    branches = [lambda x: add(x, 1.0), lambda x: multiply(x, 2.0), lambda x: negative(x)]
    index = In((), kind="int32", values=1)
    common: dict[str, Any] = {"dtypes": ("float32",)}
    return [
        call(index, branches, In((3,)), **common),
        call(In((), kind="int32", values=9), branches, In((3,)), name="above", **common),
        call(In((), kind="int32", values=-4), branches, In((3,)), name="below", **common),
        call(index, [], In((3,)), raises=ValueError, name="none", **common)]


@derived(traced=False, samples=_branch_samples)
def switch(index: TensorLike, branches: Sequence[Callable[..., Any]], *operands: Any) -> Any:
    """The result of the function at ``index``; only that function is computed.

    Args:
        index: an integer scalar, clamped to ``[0, len(branches) - 1]``. A concrete one is applied while the graph is
            built.
        branches: functions of the operands that return a tensor, or a list; all of the same length.
        *operands: tensors.

    Returns:
        The result of the chosen function. With a symbolic index the dtypes of the branches are promoted.

    Raises:
        ValueError: no branches, an index that is not an integer scalar, or branches whose results differ in number or
            rank.

    >>> from kbackend import K
    >>> from kbackend.ops import switch
    >>> float(K.eval(switch(1, [lambda x: x, lambda x: -x], K.constant(2.0))))
    -2.0
    """
    if not branches:
        raise ValueError("switch needs at least one branch")
    if not isinstance(index, Tensor):
        known = to_numpy(index)
        if known.size != 1 or known.dtype.kind not in "iu":
            raise ValueError(f"the index must be an integer scalar, it is {index!r}")
        return branches[min(max(int(known.reshape(())), 0), len(branches) - 1)](*operands)
    if len(branches) == 1:
        return branches[0](*operands)
    tensors = [lift(o) for o in operands]

    def choose(first: int) -> Any:
        if first == len(branches) - 1:
            return branches[first](*tensors)
        return classic_cond(index <= first, lambda: branches[first](*tensors), lambda: choose(first + 1))

    return choose(0)


def _modern_cond_samples() -> list[Sample]:
    def one(more: float) -> Callable[[], Any]:
        return lambda: add(np.float32(1.0), more)

    yes, no = In((), kind="bool", values=True), In((), kind="int32", values=0)
    return [
        call(yes, one(2.0), one(3.0), expect=np.float32(3.0)),
        call(no, lambda: [one(2.0)()], lambda: [one(3.0)()], name="number", expect=(np.float32(4.0),)),
        call(In((2,), kind="bool"), one(1.0), one(2.0), raises=ValueError, name="no scalar"),
        call(yes, np.float32(2.0), np.float32(3.0), raises=TypeError, name="no functions")]


@derived(traced=False, samples=_modern_cond_samples)
def cond(pred: TensorLike, true_fn: Callable[[], Any], false_fn: Callable[[], Any]) -> Any:
    """``true_fn()`` if a scalar condition holds, else ``false_fn()``; only the chosen function is computed.

    Args:
        pred: a scalar; nonzero numbers are true. A concrete value chooses the branch while the graph is built.
        true_fn, false_fn: functions without arguments that return a tensor, or nested dicts, lists and tuples of
            tensors; both of the same structure.

    Returns:
        The result of the chosen function. With a symbolic condition the dtypes of the branches are promoted.

    Raises:
        TypeError: ``true_fn`` or ``false_fn`` is not callable.
        ValueError: the condition is not a scalar, or the structures or ranks of the branches differ.

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
            return tree_flatten(made[-1])[0]

        return leaves

    found = classic_cond(pred, flat(true_fn), flat(false_fn))
    if tree_structure(made[0]) != tree_structure(made[1]):
        raise ValueError(f"the branches return different structures: {made[0]!r} and {made[1]!r}")
    return tree_unflatten(tree_flatten(made[0])[1], found)


__all__ = ["cond", "switch"]
