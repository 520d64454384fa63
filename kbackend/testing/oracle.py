"""The reference: results and gradients of the NumPy backend in float64, and their central differences."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from kbackend import dtypes
from kbackend.declare.op import Op
from kbackend.plugin.contract import Target
from kbackend.plugin.discover import reference as reference_backend
from kbackend.plugin.select import target, use_target
from kbackend.runtime.function import Function
from kbackend.testing.programs import Built, build, gradient_places
from kbackend.testing.report import Report
from kbackend.testing.results import Result, run_concrete
from kbackend.testing.samples import Case, cases, op_key
from kbackend.testing.tolerances import CENTRAL_DIFFERENCES

#: the dtypes in which gradients are compared
GRADIENT_GROUPS = ("float64", "float32")
#: for inputs of more elements, derivatives are along random directions instead of along each element
_MOST_ELEMENTS = 120
_DIRECTIONS = 24
_STEP = 1e-5


def reference_target() -> Target:
    """The reference backend on the CPU: NumPy."""
    return target(reference_backend(), "cpu")


@cache
def reference(case: Case) -> Result:
    """The result of the NumPy backend for the inputs in float64."""
    return run_concrete(case.with_arrays(case.widened()), reference_target())


def weights(case: Case, shapes: Sequence[tuple[int, ...]]) -> list[np.ndarray]:
    """Fixed random weights for each result, exact in every float dtype and not close to 0."""
    rng = np.random.default_rng(zlib.crc32(f"weights {op_key(case.op)}:{case.index}".encode()))
    return [rng.choice([-1.0, 1.0], shape) * rng.integers(16, 129, shape) / 64 for shape in shapes]


def weights_like(case: Case) -> list[np.ndarray]:
    """The weights for the results of a case."""
    return weights(case, [a.shape for a in reference(case).arrays])


def wants_gradient(case: Case) -> bool:
    """Whether gradients of the case are compared."""
    sample, found = case.sample, reference(case)
    if not sample.gradient or not case.op.differentiable or case.group not in GRADIENT_GROUPS:
        return False
    floats = [a for a, d in zip(found.arrays, found.dtypes) if dtypes.is_inexact(d)]
    finite = all(np.isfinite(a).all() for a in floats)
    return bool(floats and gradient_places(case)) and (finite or sample.expect_gradient is not None)


@cache
def reference_gradients(case: Case) -> list[np.ndarray]:
    """The gradients of the NumPy backend in float64, one for each input whose gradient is compared."""
    wide = case.with_arrays(case.widened())
    built = build(wide, weights=weights_like(case))
    with use_target(reference_target()):
        function = Function(built.inputs, built.gradient_tensors(), name="reference")
        found = iter(function.run(list(wide.arrays), reference_target(), 0))
    return [
        np.zeros_like(wide.arrays[place]) if gradient is None else np.asarray(next(found))
        for place, gradient in built.gradients
    ]


def central_differences(case: Case) -> list[tuple[str, float, float]]:
    """Directional derivatives of the reference by central differences and by its gradients.

    Returns:
        (direction, by differences, by gradients), along each element of each input or along random directions.
    """
    wide = case.with_arrays(case.widened())
    built = build(wide)
    loss = _Loss(built, weights_like(case))
    gradients = reference_gradients(case)
    found = []
    for place, gradient in zip(gradient_places(case), gradients):
        for name, direction in _directions(wide.arrays[place]):
            there, back = (
                loss(
                    [
                        *wide.arrays[:place],
                        wide.arrays[place] + sign * _STEP * direction,
                        *wide.arrays[place + 1 :],
                    ]
                )
                for sign in (1, -1)
            )
            slope = float(np.sum(gradient * direction))
            found.append((f"input {place}{name}", (there - back) / (2 * _STEP), slope))
    return found


def check_definition(op: Op) -> Report:
    """Compare the gradients of the NumPy backend with its central differences, in float64."""
    report = Report(reference_target().backend)
    for case in cases(op, "float64"):
        if case.sample.raises is None and case.sample.expect_gradient is None:
            with report.guarded(case, "central differences"):
                if wants_gradient(case) and not _rounded(case) and not build(case).draws():
                    _compare_differences(report, case)
    return report


def _rounded(case: Case) -> bool:
    """Whether a result has a dtype of too little precision for differences."""
    real = [dtypes.real_of(d) for d in reference(case).dtypes]
    return any(dtypes.is_float(d) and d != "float64" for d in real)


def _compare_differences(report: Report, case: Case) -> None:
    found = central_differences(case)
    largest = max((abs(g) for _, _, g in found), default=0.0) or 1.0
    for direction, by_differences, by_gradients in found:
        error = abs(by_differences - by_gradients) / largest
        report.expect(
            case,
            f"central differences, {direction}",
            None
            if error <= CENTRAL_DIFFERENCES
            else f"they give {by_differences:.9g}, the gradient {by_gradients:.9g}: the error is {error:.3g}, "
            f"the tolerance {CENTRAL_DIFFERENCES:.3g}",
        )


class _Loss:
    """The weighted sum of the float results, summed by NumPy so that only the tested op is involved."""

    def __init__(self, built: Built, weighted: Sequence[np.ndarray]) -> None:
        self.weights = weighted
        self.function = Function(built.inputs, built.tensors, name="differences")

    def __call__(self, arrays: Sequence[np.ndarray]) -> float:
        with use_target(reference_target()):
            outputs = self.function.run(list(arrays), reference_target(), 0)
        return float(
            sum(
                np.sum((o.real + o.imag) * w)
                for o, w in zip(map(np.asarray, outputs), self.weights)
                if dtypes.is_inexact(dtypes.canonical(o.dtype))
            )
        )


def _directions(array: np.ndarray) -> list[tuple[str, Any]]:
    if array.size <= _MOST_ELEMENTS:
        places = [tuple(int(i) for i in p) for p in np.ndindex(array.shape)]
        return [(f" at {p}", _one_at(array.shape, p)) for p in places]
    rng = np.random.default_rng(array.size)
    return [(f" along direction {i}", rng.choice([-1.0, 1.0], array.shape)) for i in range(_DIRECTIONS)]


def _one_at(shape: tuple[int, ...], place: tuple[int, ...]) -> np.ndarray:
    found = np.zeros(shape)
    found[place] = 1.0
    return found
