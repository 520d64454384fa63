"""``kbackend.diff``: a graph on several engines, node by node."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from kbackend import dtypes
from kbackend.declare.op import REGISTRY, Op
from kbackend.declare.tolerances import coarser, tolerance
from kbackend.divergence.alone import computed, is_fixed, rounding
from kbackend.divergence.errors import ROUNDINGS, compare, dtype_of
from kbackend.divergence.report import Report, Row
from kbackend.divergence.run import ByNode, Operands, end_to_end, judge
from kbackend.divergence.sides import Side, sides_of
from kbackend.graph.node import Node, Role
from kbackend.graph.tensor import Tensor
from kbackend.graph.walk import Graph, copy_tensors
from kbackend.lowering.rewrite import Rewriter
from kbackend.ops.core.cast import cast
from kbackend.ops.core.gradients import gradients as gradients_of
from kbackend.ops.reduction.reductions import sum_

#: the seed of the perturbation that shows how much a rounding of the operands matters
_SEED = 1
#: how many times the effect of a rounding results may differ by, which is squared in states of optimizers
_END_TO_END = 100.0
#: the length of sums for which the bounds of the classes hold
_TERMS = 64


def diff(
    inputs: Sequence[Tensor],
    outputs: Sequence[Tensor] | Tensor,
    feeds: Sequence[Any],
    *,
    engines: str | Sequence[str] | None = None,
    updates: Sequence[tuple[Any, Tensor]] = (),
    phase: int = 0,
    name: str = "graph",
) -> Report:
    """Run a graph on several engines and compare every node: its values, its gradients, and what the graph gives.

    Each node gets the same operands on all engines, those of a run of the first, so that the error of one node is not
    blamed on another. NumPy in float64, given the same, says which engine is off. Gradients are those of the loss of
    the graph's ``K.gradients``, else of the sum of the float outputs. Variables are as before afterwards.

    Args:
        inputs, outputs: as for ``K.function``.
        feeds: a value for each input.
        engines: two or more: 'torch', 'torch:cuda', 'tensorflow+jit', 'torch+float16', as a list or a text with commas;
            None: all that are installed. The others are compared with the first.
        updates: pairs (variable, new value), which are compared and not done.
        phase: 1 for training.
        name: what the report calls it.

    Returns:
        A :class:`kbackend.divergence.report.Report`: ``ok``, ``first``, ``worst``, ``rows``; its text is a table.

    Raises:
        ValueError: fewer than two engines, or another number of values than of inputs.
        BackendError: an engine that is not installed.

    >>> import kbackend
    >>> from kbackend import K
    >>> x = K.placeholder((None, 3))
    >>> report = kbackend.diff([x], [K.softmax(x)], [[[1., 2., 3.]]], engines="numpy,numpy+float16")
    >>> report.ok, report.rows[0].op
    (True, 'softmax')
    """
    sides = sides_of(engines)
    if len(feeds) != len(inputs):
        raise ValueError(f"{name} takes {len(inputs)} values, one for each input; it was given {len(feeds)}")
    results = [outputs] if isinstance(outputs, Tensor) else list(outputs)
    plain = Graph(list(inputs), results, list(updates), name)
    graph = Rewriter(lambda node: True, phase).rewrite(plain)
    return _Comparison(graph, feeds, sides, phase).report()


class _Comparison:
    def __init__(self, graph: Graph, feeds: Sequence[Any], sides: list[Side], phase: int) -> None:
        self.graph, self.sides, self.phase = graph, sides, phase
        self.feeds = [np.asarray(f, dtypes.numpy_dtype(t.dtype)) for f, t in zip(feeds, graph.inputs)]
        self.nodes = computed(graph.nodes())
        self.tensors = _distinct([*graph.inputs, *(t for n in self.nodes for t in (*n.inputs, *n.outputs))])
        self.tensors = [t for t in self.tensors if not is_fixed(t)]
        self.slopes = self._slopes()
        self.coarsest = coarser(*(s.dtype or "float32" for s in sides)) if any(s.dtype for s in sides) else None

    def _slopes(self) -> list[tuple[Tensor, Tensor]]:
        """The tensors that the loss depends on with its gradients."""
        loss = next((n.args[0] for n in self.graph.nodes() if n.op.role is Role.GRADIENTS), None)
        if loss is None:
            floats = [t for t in self.graph.outputs if dtypes.is_float(t.dtype)]
            if not floats:
                return []
            loss = sum_(floats[0])
            for t in floats[1:]:
                loss = loss + cast(sum_(t), loss.dtype)
        behind = {n.number for n in Graph([], [loss]).nodes()}
        inside = [t for n in self.nodes for t in n.outputs if dtypes.is_float(t.dtype) and n.number in behind]
        found = gradients_of(loss, _distinct(inside))
        return [(t, g) for t, g in zip(_distinct(inside), found) if g is not None]

    def report(self) -> Report:
        wanted = [*self.tensors, *(g for _, g in self.slopes)]
        runs = [end_to_end(self.graph, wanted, self.feeds, side, self.phase) for side in self.sides]
        values = [dict(zip(map(id, self.tensors), run)) for run in runs]
        slopes = [dict(zip([id(t) for t, _ in self.slopes], run[len(self.tensors):])) for run in runs]
        rows = self._node_rows(values, slopes) + self._result_rows()
        names = tuple(side.name for side in self.sides)
        found = Report(self.graph.name, names, sorted(rows, key=_order), edges=self._edges())
        found.first_nan = self._first_nan(values)
        return found

    # nodes --------------------------------------------------------------------------------------------------

    def _node_rows(self, values: list[dict[int, Any]], slopes: list[dict[int, Any]]) -> list[Row]:
        operands = Operands(values[0], slopes[0], self.coarsest)
        alone = [ByNode(self.nodes, operands, side, self.phase).run() for side in self.sides]
        judging = ByNode(self.nodes, operands, judge(), self.phase)
        wide, moved = judging.run(), judging.run(_SEED)
        rows = []
        for at, node in enumerate(self.nodes):
            for other in range(1, len(self.sides)):
                pair = (0, other)
                drifts = _drifts(values, slopes, node, pair)
                rows += self._rows_of(node, pair, [a[at] for a in alone], wide[at], moved[at], drifts)
        return rows

    def _rows_of(
        self, node: Node, pair: tuple[int, int], alone: list[Any], wide: Any, moved: Any, drifts: dict[Any, float]
    ) -> list[Row]:
        names = (self.sides[0].name, self.sides[pair[1]].name)
        a, b = alone[0], alone[pair[1]]
        if isinstance(a, str) or isinstance(b, str):
            note = a if isinstance(a, str) else b
            return [_row(node, "value", None, names, (), 0.0, 0.0, note=str(note))]
        wide = {} if isinstance(wide, str) else wide
        moved = {} if isinstance(moved, str) else moved
        rows = []
        for key in a:
            if key not in b:
                continue
            what, place = key
            dtype = coarser(dtype_of(a[key]), dtype_of(b[key]))
            bound = _bound(node, what, dtype, a[key], max(v.size for v in a.values()))
            found = compare(a[key], b[key], names, bound, wide.get(key), [moved.get(key)])
            row = _row(node, what, place if what == "gradient" else None, names, a[key].shape, *found[:2])
            row.place, row.values, row.off, row.drift = found.place, found.values, found.off, drifts.get(key)
            rows.append(row)
        return rows

    # results ------------------------------------------------------------------------------------------------

    def _result_rows(self) -> list[Row]:
        """The outputs, the gradients of weights and the updates of the program as it is, without the values between."""
        named = [(t.name, t) for t in self.graph.outputs]
        for node in self.graph.nodes():
            if node.op.role is Role.GRADIENTS:
                named += [(f"gradient of {w.name}", g) for w, g in zip(node.args[1], node.outputs)]
        named += [(f"update of {v.name}", t) for v, t in self.graph.updates]
        wanted = [t for _, t in named]
        runs = [end_to_end(self.graph, wanted, self.feeds, side, self.phase) for side in self.sides]
        wide, *others = self._judged(wanted)
        rows = []
        for at, (label, tensor) in enumerate(named):
            for other in range(1, len(self.sides)):
                names = (self.sides[0].name, self.sides[other].name)
                a, b = runs[0][at], runs[other][at]
                dtype = coarser(dtype_of(a), dtype_of(b))
                near = [o[at] for o in others]
                found = compare(a, b, names, 2 * tolerance("model", dtype), wide[at], near, _END_TO_END)
                row = _row(tensor.node, "result", None, names, a.shape, *found[:2])
                row.layer, _, row.node = label.rpartition("/") if " of " not in label else ("", "", label)
                row.place, row.values, row.off, row.drift = found.place, found.values, found.off, found.error
                rows.append(row)
        return rows

    def _judged(self, wanted: Sequence[Tensor]) -> list[list[Any]]:
        """Results of the judge: in float64, the same of perturbed operands and of perturbed gradients, and in the
        dtypes of the sides."""
        wide = judge()
        plain = [(replace(wide, dtype=dtype), None) for dtype in dict.fromkeys(s.dtype for s in self.sides)]
        try:
            found = [
                end_to_end(self.graph, wanted, self.feeds, side, self.phase, seed)
                for side, seed in ((wide, None), (wide, _SEED), *plain)
            ]
            noisy = self._noisy(wanted, found[0])
            return [*found, end_to_end(self.graph, noisy, self.feeds, wide, self.phase)] if noisy else found
        except Exception:  # a graph whose floats cannot all be float64
            return [[None] * len(wanted)]

    def _noisy(self, wanted: Sequence[Tensor], values: Sequence[np.ndarray]) -> list[Tensor]:
        """What is wanted, of gradients that are off by some roundings of the largest of them.

        A gradient that is 0 is often a sum of such as cancel. One engine gets 0 and another a rounding of them, of
        which Adam's first step makes a whole step.
        """
        slopes = {t: v for t, v in zip(wanted, values) if t.node.op.role is Role.GRADIENTS and v.size}
        if not slopes:
            return []
        largest = max(float(np.abs(v).max()) for v in slopes.values())
        rng = np.random.default_rng(_SEED)
        mapping = {}
        for tensor, value in slopes.items():
            size = ROUNDINGS / _END_TO_END * largest * rounding(self.coarsest or tensor.dtype)
            mapping[tensor] = tensor + rng.choice([-size, size], value.shape)
        return copy_tensors(wanted, mapping)

    def _first_nan(self, values: list[dict[int, Any]]) -> Row | None:
        """The first node that makes a NaN or an infinity of finite operands, on any side."""
        for node in self.nodes:
            for side, found in zip(self.sides, values):
                bad = [t for t in node.outputs if not _finite(found.get(id(t)))]
                if bad and all(_finite(found.get(id(t))) for t in node.inputs):
                    array = found[id(bad[0])]
                    place = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
                    row = _row(node, "nan", None, (side.name, side.name), array.shape, np.inf, 0.0)
                    row.place, row.values = place, (array[place].item(), None, None)
                    row.note = "; ".join(f"{t.name} in [{found[id(t)].min()}, {found[id(t)].max()}]"
                                         for t in node.inputs if found[id(t)].size)
                    return row
        return None

    def _edges(self) -> list[tuple[int, int]]:
        known = {n.number for n in self.nodes}
        pairs = [(t.node.number, n.number) for n in self.nodes for t in n.inputs if t.node.number in known]
        return sorted(set(pairs))


def _drifts(values: Any, slopes: Any, node: Node, pair: tuple[int, int]) -> dict[Any, float]:
    """The differences end to end of a node's results, and of the gradients of the loss by its operands."""
    wanted = {("value", place): (t, values) for place, t in enumerate(node.outputs)}
    wanted |= {("gradient", place): (t, slopes) for place, t in enumerate(node.inputs)}
    found = {}
    for key, (tensor, arrays) in wanted.items():
        a, b = (arrays[i].get(id(tensor)) for i in pair)
        if a is not None and b is not None:
            found[key] = compare(a, b, ("", ""), 0.0).error
    return found


def _row(
    node: Node, kind: str, operand: int | None, names: tuple[str, str], shape: Any, error: float, bound: float,
    note: str = "",
) -> Row:
    layer, _, name = node.name.rpartition("/")
    inputs = tuple(tuple(t.shape) for t in node.inputs)
    return Row(kind, node.number, name, layer, node.op.name, operand, names, inputs, tuple(shape), float(error),
               float(bound), known=_known(node.op), note=note)


def _bound(node: Node, what: str, dtype: str, found: np.ndarray, largest: int) -> float:
    """What two sides may differ by: twice the bound of the class, since each may err by it.

    Errors of long sums grow with the root of the number of terms.
    """
    kind = str(getattr(node.op, "tolerance", "exact"))
    bound = tolerance(kind, dtype, (found,))
    if what == "gradient":
        bound = max(bound, tolerance("gradient", dtype))
    if kind in ("exact", "moving", "elementwise") and what == "value":
        return 2 * bound
    sizes = [largest, *(int(np.prod([d or 1 for d in t.shape])) for t in node.inputs)]
    terms = max(sizes) / max(found.size, 1)
    return 2 * bound * max(1.0, (terms / _TERMS) ** 0.5)


def _known(op: Any) -> str:
    declared = REGISTRY.get(op.name)
    if not isinstance(declared, Op) or declared.samples is None:
        return ""
    rows = sorted({s.row for s in declared.samples() if s.row is not None})
    return f"docs/semantics.md, row {', '.join(map(str, rows))}" if rows else ""


def _finite(array: Any) -> bool:
    return array is None or array.dtype.kind not in "fcV" or bool(np.isfinite(array.astype(np.float64)).all())


def _distinct(tensors: Sequence[Tensor]) -> list[Tensor]:
    return list({id(t): t for t in tensors}.values())


def _order(row: Row) -> tuple[Any, ...]:
    return row.kind == "result", row.number, row.kind == "gradient", row.operand or 0


__all__ = ["diff"]
