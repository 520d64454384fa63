"""Runs of graphs on sides: end to end with all values between, and each node by itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from kbackend import dtypes
from kbackend.declare.call import make_node
from kbackend.declare.op import REGISTRY
from kbackend.divergence.alone import Alone, alone, perturbed
from kbackend.divergence.sides import Side
from kbackend.graph.node import Node
from kbackend.graph.tensor import Tensor
from kbackend.graph.variable import Variable
from kbackend.graph.walk import Graph, copy_tensors
from kbackend.lowering.measure import untouched
from kbackend.plugin import select
from kbackend.plugin.discover import reference
from kbackend.runtime.function import Function

Arrays = dict[int, np.ndarray]


def judge() -> Side:
    """The side that says which of two is off: NumPy in float64."""
    return Side("NumPy in float64", select.target(reference(), "cpu"), False, "float64")


def end_to_end(
    graph: Graph, wanted: Sequence[Tensor], feeds: Sequence[Any], side: Side, phase: int, seed: int | None = None
) -> list[np.ndarray]:
    """Values of tensors of a graph.

    Args:
        graph: the graph; its updates are left out.
        wanted: the tensors.
        feeds: values of its inputs.
        side: where it runs. A dtype replaces those of all floats that come in from outside.
        phase: 1 for training.
        seed: perturbs the floats that come in by a rounding, as it says; None does not.
    """
    given, inputs = [np.asarray(f) for f in feeds], list(graph.inputs)
    if side.dtype is not None:
        leaves = [t for t in graph.leaves() if dtypes.is_float(t.dtype)]
        values = [*given, *map(_leaf_value, leaves)]
        mapping = {t: _typed(t, side.dtype) for t in (*inputs, *leaves) if dtypes.is_float(t.dtype)}
        order = [mapping.get(t, t) for t in (*inputs, *leaves)]
        wanted = copy_tensors(wanted, mapping)
        originals = [t.dtype for t in (*inputs, *leaves)]
        given, inputs = [_as(v, t, d, seed) for v, t, d in zip(values, order, originals)], order
    return _arrays(Function(inputs, wanted, (), graph.name, side.jit, phase), given, side, phase)


def _typed(tensor: Tensor, dtype: str) -> Tensor:
    return make_node(REGISTRY["placeholder"], (), {"shape": tensor.shape, "dtype": dtype, "name": None})


def _leaf_value(tensor: Tensor) -> Any:
    return tensor.numpy() if isinstance(tensor, Variable) else np.asarray(tensor.node.attrs["value"])


def _as(value: Any, tensor: Tensor, original: str, seed: int | None) -> np.ndarray:
    array = np.asarray(value)
    if not dtypes.is_float(tensor.dtype):
        return array
    array = array.astype(dtypes.numpy_dtype(original)).astype(np.float64)
    if seed is not None:
        array = perturbed(array, original, seed)
    return array.astype(dtypes.numpy_dtype(tensor.dtype))


def _arrays(function: Function, feeds: Sequence[Any], side: Side, phase: int) -> list[np.ndarray]:
    with untouched(function.graph.variables()):  # every run draws the same
        found = function.run(list(feeds), side.target, phase)
    return [np.array(side.target.backend.to_numpy(t)) for t in found]


class Operands:
    """The values that the nodes get on every side: those of a run of the first.

    Args:
        values: by id of the tensor.
        slopes: the gradients of the loss, by id.
        dtype: the coarsest float dtype of the sides, to which floats are rounded; None leaves them.
    """

    def __init__(self, values: Arrays, slopes: Arrays, dtype: str | None) -> None:
        self.values, self.slopes, self.dtype = values, slopes, dtype

    def shape_of(self, tensor: Tensor) -> tuple[int, ...]:
        return self.values[id(tensor)].shape

    def feed(self, what: str, tensor: Tensor, wanted: str, seed: int | None = None) -> np.ndarray:
        """The value for a placeholder of the dtype ``wanted``."""
        found = (self.values if what == "value" else self.slopes)[id(tensor)]
        if not dtypes.is_float(wanted):
            return found
        if self.dtype is not None:
            found = found.astype(dtypes.numpy_dtype(self.dtype))
        if seed is not None:
            found = perturbed(found.astype(np.float64), self.dtype or tensor.dtype, seed)
        return found.astype(dtypes.numpy_dtype(wanted))


class ByNode:
    """Results of each node by itself on a side: arrays, or the reason why there are none."""

    def __init__(self, nodes: Sequence[Node], operands: Operands, side: Side, phase: int) -> None:
        self.side, self.phase, self.operands = side, phase, operands
        self.parts = [alone(n, operands.shape_of, operands.slopes, side.dtype, operands.dtype) for n in nodes]

    def run(self, seed: int | None = None) -> list[dict[tuple[str, int], np.ndarray] | str]:
        """For each node the values and gradients by ('value', place of the result) and ('gradient', of the operand)."""
        whole = [p for p in self.parts if not p.note]
        try:
            found = iter(self._of(whole, seed))
        except Exception:  # one node that an engine cannot run must not hide the others
            found = iter([self._guarded(p, seed) for p in whole])
        return [p.note or next(found) for p in self.parts]

    def _guarded(self, part: Alone, seed: int | None) -> Any:
        try:
            return self._of([part], seed)[0]
        except Exception as error:
            return f"{self.side.name}: {error}".splitlines()[0]

    def _of(self, parts: Sequence[Alone], seed: int | None) -> list[Any]:
        inputs = [t for p in parts for t in p.inputs]
        feeds = [
            self.operands.feed(what, tensor, t.dtype, seed)
            for p in parts
            for (what, tensor), t in zip(p.feeds, p.inputs)
        ]
        results = [t for p in parts for t in p.results]
        function = Function(inputs, results, (), "nodes", self.side.jit, self.phase)
        arrays = iter(_arrays(function, feeds, self.side, self.phase))
        return [
            {("value", i): next(arrays) for i in range(len(p.values))}
            | {("gradient", place): next(arrays) for place in p.slopes}
            for p in parts
        ]
