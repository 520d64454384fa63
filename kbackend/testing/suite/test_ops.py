"""Every sample of every op on every backend."""

from __future__ import annotations

import pytest

from kbackend.plugin.discover import reference
from kbackend.testing.checks import gaps, overrides
from kbackend.testing.checks.op import check_op
from kbackend.testing.checks.second import check_second, check_second_definition
from kbackend.testing.graphs import check_round_trip
from kbackend.testing.oracle import check_definition
from kbackend.testing.plugin import count, kit_target
from kbackend.testing.report import Report
from kbackend.testing.samples import all_ops, find_op, groups, op_key


def _pass_or_fail(report: Report, name: str = "") -> None:
    if name:
        count(name, report)
    if report.faults:
        pytest.fail(str(report), pytrace=False)
    if report.skipped and not report.checked:
        pytest.skip(report.skipped[0][1])


def test_op(kit_backend: str, kit_op: str, kit_group: str) -> None:
    """Forward, gradient, symbolic against concrete, unknown batch size and errors, against NumPy in float64."""
    op, target = find_op(kit_op), kit_target(kit_backend)
    _pass_or_fail(gaps.without_declared(check_op(op, target, kit_group), op, target), kit_backend)


@pytest.mark.processor
def test_compositions(kit_backend: str) -> None:
    """The compositions that kernels override, against NumPy in float64."""
    target = kit_target(kit_backend)
    faults = []
    for op in all_ops():
        if overrides.is_override(op, target):
            report = gaps.without_declared(overrides.check_override(op, target), op, target)
            count(kit_backend, report)
            faults += report.faults
    assert not faults, "\n".join(map(str, faults))


@pytest.mark.processor
def test_in_place_kernels(kit_backend: str) -> None:
    """Kernels that update variables in place, against NumPy in float64."""
    target = kit_target(kit_backend)
    faults = []
    for op in all_ops():
        if overrides.is_in_place(op, target):
            for group in groups(op):
                report = gaps.without_declared(overrides.check_in_place(op, target, group), op, target)
                count(kit_backend, report)
                faults += report.faults
    assert not faults, "\n".join(map(str, faults))


@pytest.mark.processor
def test_gaps_stand(kit_backend: str) -> None:
    """Samples that a backend declares to fail do fail."""
    target = kit_target(kit_backend)
    faults = [
        f for op in all_ops() if gaps.gap_samples(op, target) for f in gaps.check_gap(op, target).faults
    ]
    assert not faults, "\n".join(map(str, faults))


def test_second_gradients(kit_backend: str) -> None:
    """Second derivatives, against NumPy in float64."""
    target = kit_target(kit_backend)
    faults = []
    for op in all_ops():
        report = gaps.without_declared(check_second(op, target), op, target)
        count(kit_backend, report)
        faults += report.faults
    assert not faults, "\n".join(map(str, faults))


@pytest.mark.engine(reference())
def test_gradients_of_the_definition(kit_op: str) -> None:
    """NumPy's first and second derivatives, against central differences."""
    _pass_or_fail(check_definition(find_op(kit_op)))
    _pass_or_fail(check_second_definition(find_op(kit_op)))


@pytest.mark.engine(reference())
def test_json(kit_op: str) -> None:
    """The graphs of the samples are unchanged by a round trip through JSON."""
    _pass_or_fail(check_round_trip(find_op(kit_op)))


def test_ids_are_unique() -> None:
    keys = [op_key(op) for op in all_ops()]
    assert len(keys) == len(set(keys))
