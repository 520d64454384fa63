"""Every node of a graph by itself: one program in which each has operands of its own, with their values in a run.

The nodes do not depend on one another in it, so that the error of one cannot reach another, and an engine traces one
program for all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from kbackend import dtypes
from kbackend.declare.call import make_node
from kbackend.declare.op import REGISTRY
from kbackend.graph.node import Node, Role, flat_tensors
from kbackend.graph.tensor import Tensor
from kbackend.graph.variable import Variable
from kbackend.graph.walk import map_args, reapply
from kbackend.ops.control.custom_gradient import custom_gradient
from kbackend.ops.core.cast import cast
from kbackend.ops.core.gradients import gradients

Shapes = Callable[[Tensor], tuple[int, ...]]

#: roles of nodes that compute something
_COMPUTES = (Role.KERNEL,)


@dataclass
class Alone:
    """One node by itself.

    Attributes:
        node: the node of the graph.
        inputs: placeholders for its operands.
        feeds: the tensors of the graph whose values they get; a pair with the output for the weights of the gradient.
        values: its results.
        slopes: for weights of its float results, the gradients by place of the operand.
        note: why it cannot be run by itself.
    """

    node: Node
    inputs: list[Tensor] = field(default_factory=list)
    feeds: list[tuple[str, Tensor]] = field(default_factory=list)
    values: list[Tensor] = field(default_factory=list)
    slopes: dict[int, Tensor] = field(default_factory=dict)
    note: str = ""

    @property
    def results(self) -> list[Tensor]:
        return [*self.values, *self.slopes.values()]


def computed(nodes: Sequence[Node]) -> list[Node]:
    """The nodes with operands that compute something of their own."""
    return [n for n in nodes if n.op.role in _COMPUTES and (n.inputs or n.op.random)]


def alone(
    node: Node, shape_of: Shapes, weighted: Mapping[int, Any], dtype: str | None = None, rounded: str | None = None
) -> Alone:
    """A node applied to placeholders.

    Args:
        node: the node.
        shape_of: the shapes of tensors in the run.
        weighted: has the ids of the tensors whose gradients the run has; the gradients of others are left out.
        dtype: the dtype of the floats among the operands; None for their own.
        rounded: the dtype to which operands are rounded on all sides; None where they are not.
    """
    made = Alone(node)
    try:
        new: dict[int, Tensor] = {}
        for t in node.inputs:
            if id(t) not in new:
                new[id(t)] = _stand_in(made, t, shape_of, dtype, rounded)
        results = reapply(node, map_args(node.args, lambda t: new[id(t)]))
        made.values = [r for r in results if isinstance(r, Tensor)]
        if node.op.differentiable:
            _add_slopes(made, results, new, shape_of, weighted, dtype)
    except (TypeError, ValueError, NotImplementedError) as error:
        return Alone(node, note=str(error).splitlines()[0] if str(error) else type(error).__name__)
    return made


def is_fixed(tensor: Tensor) -> bool:
    """Whether a tensor stands for itself: integers that a graph holds, such as counters of random ops, which engines
    keep on the host."""
    leaf = isinstance(tensor, Variable) or tensor.node.op.role is Role.CONSTANT
    return leaf and not dtypes.is_inexact(tensor.dtype)


def _stand_in(made: Alone, tensor: Tensor, shape_of: Shapes, dtype: str | None, rounded: str | None) -> Tensor:
    as_it_is = all(d in (None, tensor.dtype) for d in (dtype, rounded))
    own = tensor.node.op.role is Role.CONSTANT and as_it_is
    return tensor if own or is_fixed(tensor) else _placeholder(made, "value", tensor, shape_of(tensor), dtype)


def _sloping(node: Node) -> set[int]:
    """The places of the operands whose gradient is compared: those in which variables are weights."""
    found, place = set(), 0
    for position, arg in enumerate(node.args):
        name = node.op.operands[min(position, len(node.op.operands) - 1)]
        for tensor in flat_tensors((arg,)):
            if dtypes.is_float(tensor.dtype) and tensor.node.op.role is not Role.CONSTANT:
                found |= set() if name in node.op.hyperparameters else {place}
            place += 1
    return found


def _placeholder(made: Alone, what: str, tensor: Tensor, shape: tuple[int, ...], dtype: str | None) -> Tensor:
    kind = dtype if dtype is not None and dtypes.is_float(tensor.dtype) else tensor.dtype
    found = make_node(REGISTRY["placeholder"], (), {"shape": shape, "dtype": kind, "name": None})
    made.inputs.append(found)
    made.feeds.append((what, tensor))
    return found


def _add_slopes(
    made: Alone,
    results: Sequence[Any],
    new: Mapping[int, Tensor],
    shape_of: Shapes,
    weighted: Mapping[int, Any],
    dtype: str | None,
) -> None:
    weighed = [
        (result, _placeholder(made, "gradient", old, shape_of(old), dtype))
        for old, result in zip(made.node.outputs, results)
        if dtypes.is_float(result.dtype) and id(old) in weighted
    ]
    places = _sloping(made.node)
    placed = reversed(list(enumerate(made.node.inputs)))
    operands = {id(new[id(t)]): (place, new[id(t)]) for place, t in placed}
    wanted = sorted(((p, t) for p, t in operands.values() if p in places), key=lambda pair: pair[0])
    if not weighed or not wanted:
        return
    weights = [cast(weight, result.dtype) for result, weight in weighed]
    # not a sum of products: the kernel of a product may be the one that is wrong
    total = custom_gradient(lambda *floats: (floats[0], lambda upstream: weights))(*(r for r, _ in weighed))
    found = gradients(total, [t for _, t in wanted])
    made.slopes = {place: g for (place, _), g in zip(wanted, found) if g is not None}


def rounding(dtype: str) -> float:
    """The distance from 1 to the next number of a float dtype."""
    if dtype == "bfloat16":
        return 2.0**-8
    return float(np.finfo(np.float16 if dtype == "float16" else np.float32 if dtype != "float64" else np.float64).eps)


def perturbed(value: np.ndarray, dtype: str, seed: int) -> np.ndarray:
    """A float value as another rounding of its dtype might have left it."""
    return value * (1 + rounding(dtype) * np.random.default_rng(seed).choice([-0.5, 0.5], value.shape))
