"""Checks of kernels that override composites against the compositions, on the same backend."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np

from kbackend.declare.op import Op
from kbackend.declare.tolerances import tolerance
from kbackend.graph.tensor import Tensor
from kbackend.graph.variable import Variable
from kbackend.plugin.contract import InPlace, Target
from kbackend.plugin.select import use_target
from kbackend.runtime.function import Function
from kbackend.testing import oracle
from kbackend.testing.checks.op import check_gradients, check_values, has_reference
from kbackend.testing.compare import difference
from kbackend.testing.oracle import wants_gradient
from kbackend.testing.programs import build, run_together
from kbackend.testing.report import Report
from kbackend.testing.results import run_concrete
from kbackend.testing.samples import Case, cases, groups, invoke
from kbackend.testing.tolerances import class_of

#: the operand of an optimizer's step that is not updated
_READ_ONLY = "grads"
_STEPS = 2


def is_override(op: Op, target: Target) -> bool:
    """Whether the backend has a kernel that overrides the op's composition."""
    kernel = target.backend.kernels.get(op.name)
    return op.kind == "composite" and kernel is not None and not isinstance(kernel, InPlace)


def is_in_place(op: Op, target: Target) -> bool:
    """Whether the backend has a kernel for the op that updates variables in place."""
    return op.kind != "derived" and isinstance(target.backend.kernels.get(op.name), InPlace)


def with_kernels(target: Target, name: str, **kernels: Any) -> Target:
    """A copy of the backend with replaced kernels; None removes one."""
    changed = copy.copy(target.backend)
    table = {**target.backend.kernels, **kernels}
    changed.kernels = {k: v for k, v in table.items() if v is not None}
    changed.name = name
    return Target(changed, target.device)


def check_override(op: Op, target: Target) -> Report:
    """Compare the composition of an op that the backend overrides, run on this backend, with the reference.

    ``check_op`` compares the kernel with the same values. On NumPy the kernel is the reference, so only this check
    compares kernel and composition.
    """
    report = Report(target.backend)
    composed = with_kernels(target, f"{target.backend.name} without {op.name}", **{op.name: None})
    group = composition_group(op)
    good = [c for c in cases(op, group) if c.sample.raises is None and has_reference(report, c)]
    builts = [build(case, oracle.weights_like(case) if wants_gradient(case) else None) for case in good]
    for built, ran in zip(builts, run_together(builts, composed)):
        if isinstance(ran, Exception):
            report.error(built.case, "composition", ran)
            continue
        check_values(report, built.case, "composition", ran.result)
        check_gradients(report, built, ran, "composition, ")
    return report


def composition_group(op: Op) -> str:
    """The dtype in which a composition is run: float64 if possible, where tolerances are smallest."""
    found = groups(op)
    return "float64" if "float64" in found else found[0]


# ------------------------------------------------------------------------------------------------- in place


def check_in_place(op: Op, target: Target, group: str) -> Report:
    """Compare steps of a kernel that updates variables in place with the composition on NumPy in float64."""
    report = Report(target.backend)
    for case in cases(op, group):
        if case.sample.raises is None:
            with report.guarded(case, "in place"):
                _check_steps(report, case, target)
            with report.guarded(case, "in place"):
                _check_steps(report, case, target, gradients_held=True)
    return report


def _check_steps(report: Report, case: Case, target: Target, gradients_held: bool = False) -> None:
    step = _Step(case, gradients_held)
    suffix = " with gradients in variables" if gradients_held else ""
    names = [f"{name}[{i}]{suffix}" for name, i in step.slots]
    wanted = step.reference()
    for number in range(_STEPS):
        with use_target(target):
            step.function.run(step.feeds, target, 0)
            found = [v.numpy() for v in step.variables]
        for name, variable, array, reference in zip(names, step.variables, found, wanted[number]):
            bound = (number + 1) * tolerance(class_of(case.op, case.sample), variable.dtype)
            report.expect(
                case, f"in place, {name} after step {number + 1}", difference(array, reference, bound)
            )
    program = step.function.program(target, 0)
    used = {id(v) for v in program.emitted.in_place}
    missed = [n for n, v in zip(names, step.variables) if id(v) not in used]
    report.expect(
        case, "in place", f"the program does not change {', '.join(missed)} in place" if missed else None
    )
    unchanged = all(np.array_equal(a, b) for a, b in zip(step.feeds, step.originals))
    report.expect(case, "inputs stay", None if unchanged else "the step has changed its gradients or scalars")


class _Step:
    """A sample of an optimizer's step as a function with updates.

    All lists except the gradients are variables, which the results update in the order of the op's operands. The
    gradients are fed, or are variables without updates.
    """

    def __init__(self, case: Case, gradients_held: bool = False) -> None:
        self.case = case
        self.gradients_held = gradients_held
        self.variables: list[Variable] = []
        self.slots: list[tuple[str, int]] = []
        self.inputs: list[Tensor] = []
        self.feeds: list[np.ndarray] = []
        operands, kwargs = self._operands(case.arrays)
        results = invoke(case.op, operands, kwargs)
        if len(results) != len(self.variables):
            raise ValueError(
                f"{case.op.name} gives {len(results)} results for {len(self.variables)} variables"
            )
        self.originals = [a.copy() for a in self.feeds]
        self.function = Function(self.inputs, [], list(zip(self.variables, results)), name=case.op.name)

    def _operands(self, arrays: Sequence[np.ndarray]) -> tuple[list[Any], dict[str, Any]]:
        from kbackend.classic.state import placeholder

        rest = iter(arrays)
        found: list[Any] = []
        for name, arg in zip(self.case.op.operands, self.case.sample.args):
            if not isinstance(arg, list):
                found.append(arg)
            elif name == _READ_ONLY and self.gradients_held:
                found.append([Variable(a, a.shape, str(a.dtype)) for a in (next(rest) for _ in arg)])
            elif name == _READ_ONLY:
                self.feeds += [next(rest) for _ in arg]
                self.inputs += [placeholder(a.shape, dtype=a.dtype) for a in self.feeds[-len(arg) :]]
                found.append(self.inputs[-len(arg) :])
            else:
                made = [Variable(a, a.shape, str(a.dtype)) for a in (next(rest) for _ in arg)]
                self.variables += made
                self.slots += [(name, i) for i in range(len(made))]
                found.append(made)
        return found, dict(self.case.sample.kwargs)

    def reference(self) -> list[list[np.ndarray]]:
        """The values after each step, by the composition on NumPy in float64."""
        wide = self.case.with_arrays(self.case.widened())
        found = []
        for _ in range(_STEPS):
            new = run_concrete(wide, oracle.reference_target()).arrays
            found.append(new)
            wide = wide.with_arrays(self._advanced(wide.arrays, new))
        return found

    def _advanced(self, arrays: Sequence[np.ndarray], new: Sequence[np.ndarray]) -> list[np.ndarray]:
        """The arrays of the sample, with the updated ones replaced by the results."""
        rest, values = iter(new), iter(arrays)
        found: list[np.ndarray] = []
        for name, arg in zip(self.case.op.operands, self.case.sample.args):
            if isinstance(arg, list):
                old = [next(values) for _ in arg]
                found += old if name == _READ_ONLY else [next(rest) for _ in arg]
        return found
