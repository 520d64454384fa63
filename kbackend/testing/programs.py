"""Graphs of samples, and execution of several graphs as one program."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from kbackend import dtypes
from kbackend.classic.state import placeholder
from kbackend.graph.tensor import Tensor
from kbackend.ground.tree import tree_leaves
from kbackend.ops.core.gradients import gradients
from kbackend.ops.core.leaves import constant
from kbackend.ops.elementwise.arithmetic import add, multiply
from kbackend.ops.elementwise.complex import imag, real
from kbackend.ops.reduction.reductions import sum_
from kbackend.plugin.contract import Target
from kbackend.plugin.select import use_target
from kbackend.runtime.function import Function
from kbackend.testing.results import Result, call_symbolic, draws
from kbackend.testing.samples import Case


@dataclass
class Built:
    """The graph of one case.

    Attributes:
        case: the case.
        inputs: a placeholder for each input.
        tensors: the symbolic results in order.
        plain: the results that are Python values.
        gradients: (index of the input, gradient of the weighted sum of the results or None).
        plain_gradient: the gradient of the unweighted sum of the results with respect to the first input, if the
            sample declares an expected one.
    """

    case: Case
    inputs: list[Tensor]
    tensors: list[Tensor] = field(default_factory=list)
    plain: list[Any] = field(default_factory=list)
    gradients: list[tuple[int, Tensor | None]] = field(default_factory=list)
    plain_gradient: Tensor | None = None

    def gradient_tensors(self) -> list[Tensor]:
        return [g for _, g in self.gradients if g is not None]

    def outputs(self) -> list[Tensor]:
        extra = [] if self.plain_gradient is None else [self.plain_gradient]
        return [*self.tensors, *self.gradient_tensors(), *extra]

    def draws(self) -> bool:
        return draws(self.tensors)


@dataclass
class Ran:
    """The results of a program for one graph."""

    result: Result
    gradients: list[np.ndarray | None]
    plain_gradient: np.ndarray | None


def build(case: Case, weights: Sequence[np.ndarray] | None = None, dynamic: Sequence[int] = ()) -> Built:
    """The graph of a case on placeholders.

    Args:
        weights: for each result, its weights in the sum that is differentiated; None for no gradients.
        dynamic: indices of the inputs whose first dimension is unknown.
    """
    inputs = [
        placeholder((None, *a.shape[1:]) if place in dynamic else a.shape, dtype=dtypes.canonical(a.dtype))
        for place, a in enumerate(case.arrays)
    ]
    built = Built(case, inputs)
    for leaf in tree_leaves(call_symbolic(case, inputs)):
        (built.tensors if isinstance(leaf, Tensor) else built.plain).append(leaf)
    if weights is not None:
        _add_gradients(built, weights)
    return built


def gradient_places(case: Case) -> list[int]:
    """The indices of the inputs whose gradients are compared."""
    return [place for place, i in enumerate(case.ins) if i.kind == "float" and i.gradient]


def _add_gradients(built: Built, weights: Sequence[np.ndarray]) -> None:
    places = gradient_places(built.case)
    floats = [(part, w) for t, w in zip(built.tensors, weights) for part in real_parts(t)]
    if not floats or not places:
        return
    terms = [sum_(multiply(t, constant(w, t.dtype))) for t, w in floats]
    found = gradients(total(terms), [built.inputs[p] for p in places])
    built.gradients = list(zip(places, found))
    if built.case.sample.expect_gradient is not None:
        (built.plain_gradient,) = gradients(total([sum_(t) for t, _ in floats]), built.inputs[:1])


def real_parts(tensor: Tensor) -> list[Tensor]:
    """The float tensors of which a loss can be the sum: a float tensor itself, both parts of a complex one."""
    if dtypes.is_complex(tensor.dtype):
        return [real(tensor), imag(tensor)]
    return [tensor] if dtypes.is_float(tensor.dtype) else []


def total(terms: Sequence[Tensor]) -> Tensor:
    """The sum of tensors."""
    found = terms[0]
    for term in terms[1:]:
        found = add(found, term)
    return found


def function_of(builts: Sequence[Built], name: str) -> Function:
    """One function with the inputs and outputs of several graphs."""
    return Function(
        [t for b in builts for t in b.inputs], [t for b in builts for t in b.outputs()], name=name
    )


def run(
    builts: Sequence[Built], function: Function, target: Target, feeds: Sequence[np.ndarray]
) -> list[Ran]:
    """Run the function of several graphs and return the results of each."""
    with use_target(target):
        values = iter(function.run(list(feeds), target, 0))
        return [_taken(b, values, target) for b in builts]


def _taken(built: Built, values: Any, target: Target) -> Ran:
    result = Result(plain=list(built.plain))
    for _ in built.tensors:
        result.add(next(values), target)
    to_numpy = target.backend.to_numpy
    found = [None if g is None else to_numpy(next(values)) for _, g in built.gradients]
    return Ran(result, found, None if built.plain_gradient is None else to_numpy(next(values)))


def run_together(builts: Sequence[Built], target: Target) -> list[Ran | Exception]:
    """Run all graphs as one program; if that fails, each graph as a program of its own, to find the faulty one."""
    if not builts:
        return []
    feeds = [a.copy() for b in builts for a in b.case.arrays]
    try:
        return list(run(builts, function_of(builts, builts[0].case.op.name), target, feeds))
    except Exception as error:  # errors of any type are reported
        if len(builts) == 1:
            return [error]
    return [found for b in builts for found in run_together([b], target)]
