"""Second derivatives: every engine against NumPy, and NumPy against central differences of its gradients."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from functools import cache

import numpy as np

from kbackend.declare.op import Op
from kbackend.declare.tolerances import tolerance
from kbackend.graph.tensor import Tensor
from kbackend.ops.core.gradients import gradients
from kbackend.ops.core.leaves import constant
from kbackend.ops.elementwise.arithmetic import multiply
from kbackend.ops.reduction.reductions import sum_
from kbackend.plugin.contract import Target
from kbackend.plugin.select import use_target
from kbackend.runtime.function import Function
from kbackend.testing.compare import difference
from kbackend.testing.oracle import reference_target, wants_gradient, weights, weights_like
from kbackend.testing.programs import Built, build, total
from kbackend.testing.report import Report
from kbackend.testing.samples import Case, cases
from kbackend.testing.tolerances import CENTRAL_DIFFERENCES

#: second derivatives are compared in this dtype only
GROUP = "float64"
#: the largest number of samples of an op, and of a derived function, whose second derivatives are compared
_MOST, _MOST_DERIVED = 4, 1
_DIRECTIONS = 3
_STEP = 1e-5


class _Second:
    """The gradients of a case, and the gradients of their weighted sum."""

    def __init__(self, case: Case) -> None:
        self.built = build(case, weights=weights_like(case))
        first = self.built.gradient_tensors()
        self.places = [place for place, g in self.built.gradients if g is not None]
        self.weights = weights(case, [case.arrays[p].shape for p in self.places])
        self.first = total([sum_(multiply(g, constant(w, g.dtype))) for g, w in zip(first, self.weights)])
        found = gradients(self.first, [self.built.inputs[p] for p in self.places])
        self.second: list[Tensor | None] = found

    def tensors(self) -> list[Tensor]:
        return [g for g in self.second if g is not None]


@cache
def _second(case: Case) -> _Second | None:
    """The second derivatives; None if there are none, or if a gradient is declared, as at kinks."""
    sample = case.sample
    if sample.raises is not None or sample.expect_gradient is not None or not wants_gradient(case):
        return None
    built: Built = build(case, weights=weights_like(case))
    if not built.gradient_tensors() or built.draws():
        return None
    found = _Second(case)
    return found if found.tensors() else None


def check_second(op: Op, target: Target) -> Report:
    """Compare the second derivatives of an op's first samples with those of NumPy, in float64."""
    report = Report(target.backend)
    usable: list[_Second] = []
    for case in cases(op, GROUP):
        if len(usable) == (_MOST_DERIVED if op.kind == "derived" else _MOST):
            break
        with report.guarded(case, "second gradient"):
            second = _second(case)
            if second is not None:
                usable.append(second)
    for second, found in zip(usable, _run_together(usable, target)):
        case = second.built.case
        if isinstance(found, Exception):
            report.error(case, "second gradient", found)
            continue
        with report.guarded(case, "second gradient"):
            for place, mine, wanted in zip(second.places, found, reference(case)):
                message = difference(mine, wanted, tolerance("gradient", GROUP), floor=1e-3)
                report.expect(case, f"second gradient of input {place}", message)
    return report


@cache
def reference(case: Case) -> list[np.ndarray]:
    """The second derivatives on NumPy."""
    second = _second(case)
    assert second is not None
    (found,) = _run([second], reference_target())
    return found


def _run_together(seconds: Sequence[_Second], target: Target) -> list[list[np.ndarray] | Exception]:
    if not seconds:
        return []
    try:
        return list(_run(seconds, target))
    except Exception as error:  # errors of any type are reported
        if len(seconds) == 1:
            return [error]
    return [found for s in seconds for found in _run_together([s], target)]


def _run(seconds: Sequence[_Second], target: Target) -> list[list[np.ndarray]]:
    inputs = [t for s in seconds for t in s.built.inputs]
    function = Function(inputs, [t for s in seconds for t in s.tensors()], name="second")
    with use_target(target):
        outputs = function.run([a for s in seconds for a in s.built.case.arrays], target, 0)
        values = iter([target.backend.to_numpy(t) for t in outputs])
    return [
        [np.zeros_like(s.built.case.arrays[p]) if g is None else next(values) for p, g in zip(s.places, s.second)]
        for s in seconds
    ]


def check_second_definition(op: Op) -> Report:
    """Compare NumPy's second derivatives along random directions with central differences of its gradients."""
    report = Report(reference_target().backend)
    for case in cases(op, GROUP):
        with report.guarded(case, "central differences of the gradient"):
            second = _second(case)
            if second is not None:
                _compare_differences(report, case, second)
    return report


def _compare_differences(report: Report, case: Case, second: _Second) -> None:
    function = Function(second.built.inputs, [second.first], name="first")
    rng = np.random.default_rng(zlib.crc32(case.label.encode()))

    def value(arrays: Sequence[np.ndarray]) -> float:
        with use_target(reference_target()):
            return float(function.run(list(arrays), reference_target(), 0)[0])

    found = []
    for place, gradient in zip(second.places, reference(case)):
        for _ in range(_DIRECTIONS):
            direction = rng.choice([-1.0, 1.0], case.arrays[place].shape)
            moved = [[*case.arrays[:place], case.arrays[place] + sign * _STEP * direction, *case.arrays[place + 1 :]]
                     for sign in (1, -1)]
            slope = (value(moved[0]) - value(moved[1])) / (2 * _STEP)
            found.append((place, slope, float(np.sum(gradient * direction))))
    largest = max((abs(g) for _, _, g in found), default=0.0)
    scale = max(largest, abs(value(case.arrays)), 1e-3)
    for place, by_differences, by_gradients in found:
        error = abs(by_differences - by_gradients) / scale
        message = f"they give {by_differences:.9g}, the second gradient {by_gradients:.9g}: the error is {error:.3g}"
        report.expect(case, f"central differences of the gradient, input {place}",
                      None if error <= CENTRAL_DIFFERENCES else message)
