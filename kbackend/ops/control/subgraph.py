"""Subgraphs: the body of a loop or branch, traced from a Python function on placeholders.

The inputs of a body's graph are [*formals, *captures]. Captures are the tensors of the outer graph that the body
reads. They are operands of the node that holds the body, so that a walk of the outer graph (for gradients, variables,
unfed placeholders) finds them without entering the body.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from weakref import WeakValueDictionary

from kbackend.declare.call import lift, make_node
from kbackend.declare.decorate import primitive
from kbackend.declare.op import REGISTRY, TensorLike
from kbackend.graph.node import Role, next_number
from kbackend.graph.tensor import Shape, Tensor, TensorSpec
from kbackend.graph.variable import Variable
from kbackend.graph.walk import Graph, ancestors, copy_tensors, walk

#: roles of the leaves that bodies copy instead of capturing
_INSIDE = (Role.CONSTANT, Role.PHASE)
_formals: WeakValueDictionary[int, Tensor] = WeakValueDictionary()


class Body:
    """A traced function: its formals, outputs and captures."""

    def __init__(
        self, formals: Sequence[Tensor], outputs: Sequence[Tensor], captures: Sequence[Tensor]
    ) -> None:
        self.formals = tuple(formals)
        self.outputs = tuple(outputs)
        self.captures = tuple(captures)

    def counters(self) -> list[Variable]:
        """The step counters of the random draws in the body."""
        return [t for t in self.captures if isinstance(t, Variable) and t.counter]

    def graph(self, captures: Sequence[Tensor], name: str) -> Graph:
        return Graph([*self.formals, *captures], self.outputs, name=name)


def trace(function: Callable[..., Sequence[Any]], specs: Sequence[TensorSpec]) -> Body:
    """Trace ``function``, which returns a list of tensors, arrays or numbers, on one placeholder for each spec.

    Raises:
        ValueError: the function makes a ``K.update``, which would run an unknown number of times.
    """
    start = next_number()
    formals = [_formal(i, spec) for i, spec in enumerate(specs)]
    outputs = [lift(t) for t in function(*formals)]
    captures = _captures(outputs, formals, start)
    _refuse_updates(outputs, (*formals, *captures))
    return Body(formals, outputs, captures)


def _formal(i: int, spec: TensorSpec) -> Tensor:
    attrs = {"shape": spec.shape, "dtype": spec.dtype, "name": f"loop_{i}"}
    made = make_node(REGISTRY["placeholder"], (), attrs)
    _formals[id(made)] = made
    return made


def is_formal(tensor: Tensor) -> bool:
    """Whether a tensor is an argument of the body of a loop."""
    return _formals.get(id(tensor)) is tensor


def _captures(outputs: Sequence[Tensor], formals: Sequence[Tensor], start: int) -> tuple[Tensor, ...]:
    """The tensors that existed before tracing began, and all variables, in order of creation."""
    inside = {id(t) for t in formals}
    found: list[Tensor] = []

    def read(tensor: Tensor) -> Sequence[Tensor]:
        if id(tensor) in inside:
            return ()
        node = tensor.node
        if isinstance(tensor, Variable) or node.number < start and node.op.role not in _INSIDE:
            found.append(tensor)
            return ()
        return node.inputs

    for _ in walk(outputs, read):
        pass
    return tuple(sorted(found, key=lambda t: (t.node.number, t.index)))


def _refuse_updates(outputs: Sequence[Tensor], stop: Sequence[Tensor]) -> None:
    for node in ancestors(outputs, stop):
        if node.op.role is Role.UPDATE:
            raise ValueError(
                f"{node.name}: K.update inside a loop or branch never takes effect; "
                "return the value from it and update the variable outside"
            )


def union(bodies: Sequence[Body]) -> tuple[Tensor, ...]:
    """The captures of several bodies of one node, without duplicates."""
    found = {id(t): t for body in bodies for t in body.captures}
    return tuple(sorted(found.values(), key=lambda t: (t.node.number, t.index)))


class Loop:
    """The traced body of a loop, whose formals are [*slices, *states] and an index when it draws random numbers.

    Tracing is repeated until the specs of the states are a fixed point: a dimension that a step changes is unknown.

    Attributes:
        body: the traced body.
        states: the specs of the states.
        indexed: whether the last formal is the index of the iteration.
    """

    def __init__(
        self,
        function: Callable[..., Sequence[Any]],
        slices: Sequence[TensorSpec],
        states: Sequence[TensorSpec],
    ) -> None:
        self.states = list(states)
        while True:
            self.body = trace(function, [*slices, *self.states])
            returned = [t.spec for t in self.body.outputs[len(self.body.outputs) - len(self.states) :]]
            generalized = [_generalized(i, old, new) for i, (old, new) in enumerate(zip(self.states, returned))]
            if generalized == self.states:
                break
            self.states = generalized
        self.indexed = bool(self.body.counters())
        if self.indexed:
            self.body = _with_index(self.body)


def _generalized(i: int, old: TensorSpec, new: TensorSpec) -> TensorSpec:
    """The spec of state i that fits it before and after a step."""
    if old.dtype != new.dtype:
        raise TypeError(f"state {i} is {old.dtype} at the start and {new.dtype} after a step; cast it")
    if old.ndim != new.ndim:
        raise ValueError(f"state {i} has shape {old.shape} at the start and {new.shape} after a step")
    shape: Shape = tuple(a if a == b else None for a, b in zip(old.shape, new.shape))
    return TensorSpec(shape, old.dtype)


def _with_index(body: Body) -> Body:
    """The body with the index of the iteration mixed into the step of every draw."""
    index = _formal(len(body.formals), TensorSpec((), "int64"))
    moved: dict[Any, Any] = {counter: loop_step(counter, index) for counter in body.counters()}
    return Body((*body.formals, index), copy_tensors(body.outputs, moved), body.captures)


@primitive(takes_complex=True, name="loop_step", differentiable=False)
def loop_step(step: TensorLike, index: TensorLike) -> TensorSpec:
    """The step of a random draw in iteration ``index`` of a loop: ``(step + index * 0x9E3779B1) mod 2**32``.

    The multiplier is odd, so that all iterations of one run differ, and large, so that the steps of a long loop do not
    coincide with those of the next runs.
    """
    return TensorSpec((), "int64")


__all__: list[str] = []
