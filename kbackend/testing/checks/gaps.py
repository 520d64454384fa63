"""Declared gaps: samples that must fail; their faults are excused, and a pass is a fault."""

from __future__ import annotations

from kbackend.declare.op import Op
from kbackend.plugin.contract import Target
from kbackend.testing.checks.op import check_op
from kbackend.testing.report import Report
from kbackend.testing.samples import Case, groups, samples_of


def gap_samples(op: Op, target: Target) -> tuple[str, ...]:
    """The names of the op's samples that the backend declares to fail."""
    gap = target.backend.gaps.get(op.name) if op.kind != "derived" else None
    return gap.samples if gap is not None else ()


def without_declared(report: Report, op: Op, target: Target) -> Report:
    """The report without the faults of the samples that the backend declares to fail."""
    names = gap_samples(op, target)
    report.faults = [
        f for f in report.faults if not (isinstance(f.case, Case) and f.case.sample.name in names)
    ]
    return report


def check_gap(op: Op, target: Target) -> Report:
    """Check that each sample that the backend declares to fail fails in some dtype and check."""
    report = Report(target.backend)
    failing: set[str] = set()
    for group in groups(op):
        for fault in check_op(op, target, group).faults:
            if isinstance(fault.case, Case):
                failing.add(fault.case.sample.name)
    known = {s.name for s in samples_of(op) if s.name}
    for name in gap_samples(op, target):
        message = None
        if name not in known:
            message = f"the gap names the sample {name!r}; the op has {', '.join(sorted(known)) or 'none with a name'}"
        elif name not in failing:
            message = f"the sample {name!r} is declared to fail and passes; remove it from the gap"
        report.expect(op.name, "gap", message)
    return report
