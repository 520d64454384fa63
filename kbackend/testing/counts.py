"""Coverage of the kit in numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kbackend.declare.op import REGISTRY, Op
from kbackend.graph.tensor import Tensor
from kbackend.graph.walk import Graph, ancestors
from kbackend.plugin.select import get_backend
from kbackend.testing.checks.op import main_group
from kbackend.testing.programs import build
from kbackend.testing.samples import all_ops, cases, groups, op_key, samples_of

ROWS = range(1, 68)


def rows_of_samples() -> dict[int, list[str]]:
    """Row of the table of semantics -> the ops with a sample for it."""
    found: dict[int, list[str]] = {}
    for op in all_ops():
        for sample in samples_of(op):
            if sample.row is not None and op_key(op) not in found.setdefault(sample.row, []):
                found[sample.row].append(op_key(op))
    return dict(sorted(found.items()))


def overrides_of_tolerance() -> list[tuple[str, str, str, str]]:
    """(op, sample, class, reason) of each sample that overrides the tolerance of its op."""
    return [
        (op_key(op), s.name, s.tolerance, s.reason) for op in all_ops() for s in samples_of(op) if s.tolerance
    ]


def reached_ops() -> set[str]:
    """Names of the ops in the graphs of samples; loops and branches, for example, are sampled through K."""
    found: set[str] = set()
    for op in all_ops():
        for group in groups(op):
            for case in cases(op, group):
                if case.sample.raises is None and group == main_group(case):
                    _note(build(case).tensors, found)
    return found & set(REGISTRY)


def _note(tensors: Sequence[Tensor], found: set[str]) -> None:
    """Add the names of the ops that compute the tensors, also in the bodies of loops and branches."""
    for node in ancestors(tensors):
        found.add(node.op.name)
        for body in node.attrs.values():
            if isinstance(body, Graph):
                _note(body.outputs, found)


def unsampled(reached: set[str]) -> list[Op]:
    """Ops and derived functions without a sample that are in no sample's graph either."""
    return [op for op in all_ops() if not samples_of(op) and (op.kind == "derived" or op.name not in reached)]


def summary(numbers: Mapping[str, Mapping[str, int]]) -> list[str]:
    """The lines of the summary of a run.

    Args:
        numbers: backend -> the counts checked, any_batch and two_sizes, see :class:`kbackend.testing.report.Report`.
    """
    ops = all_ops()
    kinds = {kind: sum(op.kind == kind for op in ops) for kind in ("primitive", "composite", "derived")}
    samples = sum(len(samples_of(op)) for op in ops)
    lines = [
        f"{len(ops)} ops ({', '.join(f'{n} {kind}' for kind, n in kinds.items())}), {samples} samples, "
        f"{len(rows_of_samples())} rows of the semantics in samples",
        f"{len(overrides_of_tolerance())} overrides of a tolerance",
        *(f"  {op} {name!r}: {kind}, {reason}" for op, name, kind, reason in overrides_of_tolerance()),
    ]
    for name, found in numbers.items():
        gaps = get_backend(name).gaps
        lines.append(f"{name}: {found['checked']} comparisons, {found['any_batch']} samples without a known batch size "
                     f"({found['two_sizes']} of them at two sizes), {len(gaps)} gaps")
        lines += [f"  {op}: {gap.kind}, {gap.reason}" for op, gap in gaps.items()]
    return lines
