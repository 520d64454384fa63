"""Concrete calls of samples on a backend, and their results."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from kbackend.graph.tensor import Tensor
from kbackend.graph.variable import Variable
from kbackend.graph.walk import ancestors
from kbackend.ground.tree import tree_leaves
from kbackend.plugin.contract import Target
from kbackend.plugin.select import use_target
from kbackend.runtime.function import Function
from kbackend.streams import set_seed
from kbackend.testing.samples import Case

#: the seed of the process before each call, so that draws without a seed are repeatable
SEED = 1789


@dataclass
class Result:
    """The flattened result of a call.

    Attributes:
        arrays: the values of the tensors.
        dtypes: their dtypes.
        plain: the Python values in the result, such as the entries of ``K.int_shape``.
        tensors: the engine's tensors.
    """

    arrays: list[np.ndarray] = field(default_factory=list)
    dtypes: list[str] = field(default_factory=list)
    plain: list[Any] = field(default_factory=list)
    tensors: list[Any] = field(default_factory=list)

    def add(self, tensor: Any, target: Target) -> None:
        self.tensors.append(tensor)
        self.arrays.append(target.backend.to_numpy(tensor))
        self.dtypes.append(target.backend.dtype_of(tensor))


def call_symbolic(case: Case, values: Sequence[Any]) -> Any:
    """The result of the call after setting the seed of the process."""
    set_seed(SEED)
    return case.call(values)


def run_concrete(case: Case, target: Target, tensors: Sequence[Any] | None = None) -> Result:
    """The result of the op on tensors of the engine.

    Results that are symbolic nevertheless, such as draws, are evaluated on the target.
    """
    if tensors is None:
        tensors = [target.from_numpy(a) for a in case.arrays]
    with use_target(target):
        found = tree_leaves(call_symbolic(case, tensors))
        symbolic = [leaf for leaf in found if isinstance(leaf, Tensor)]
        values = iter(Function([], symbolic, name="conformance").run([], target, 0) if symbolic else ())
        result = Result()
        for leaf in found:
            if isinstance(leaf, Tensor):
                result.add(next(values), target)
            elif target.backend.is_tensor(leaf):
                result.add(leaf, target)
            else:
                result.plain.append(leaf)
    return result


def draws(tensors: Sequence[Tensor]) -> bool:
    """Whether a program of these tensors has different values at each run."""
    return any(isinstance(t, Variable) and t.counter for n in ancestors(tensors) for t in n.outputs)
