"""The definition: what the NumPy backend gives in float64, forward and gradient, and its central differences."""

from __future__ import annotations

import zlib
from functools import cache
from typing import Any, Sequence

import numpy as np

from kbackend import dtypes
from kbackend.lowering.program import Function
from kbackend.plugin.contract import Target
from kbackend.plugin.select import target, use_target
from kbackend.testing.programs import Built, build, gradient_places
from kbackend.testing.results import Result, run_concrete
from kbackend.testing.samples import Case, op_key

#: with more elements, derivatives are taken along random directions instead of along each axis
_MOST_ELEMENTS = 120
_DIRECTIONS = 24
_STEP = 1e-5


def numpy_target() -> Target:
    """NumPy on the CPU."""
    return target("numpy", "cpu")


@cache
def reference(case: Case) -> Result:
    """The result of the NumPy backend on the same values in float64."""
    return run_concrete(case.with_arrays(case.widened()), numpy_target())


def weights(case: Case, shapes: Sequence[tuple[int, ...]]) -> list[np.ndarray]:
    """Fixed random weights for each result, exact in every float dtype and none of them near 0."""
    rng = np.random.default_rng(zlib.crc32(f"weights {op_key(case.op)}:{case.index}".encode()))
    return [rng.choice([-1.0, 1.0], shape) * rng.integers(16, 129, shape) / 64 for shape in shapes]


def weights_like(case: Case) -> list[np.ndarray]:
    """The weights for the results of a case."""
    return weights(case, [a.shape for a in reference(case).arrays])


@cache
def reference_gradients(case: Case) -> list[np.ndarray]:
    """The gradients on the NumPy backend in float64, one for each input that wants one."""
    wide = case.with_arrays(case.widened())
    built = build(wide, weights=weights_like(case))
    with use_target(numpy_target()):
        function = Function(built.inputs, built.gradient_tensors(), name="reference")
        found = iter(function.run(list(wide.arrays), numpy_target(), 0))
    return [np.zeros_like(wide.arrays[place]) if gradient is None else np.asarray(next(found))
            for place, gradient in built.gradients]


def central_differences(case: Case) -> list[tuple[str, float, float]]:
    """Directional derivatives of the definition by central differences, beside those by its gradients.

    Returns:
        (direction, by differences, by gradients), along each axis of each input, or along random directions.
    """
    wide = case.with_arrays(case.widened())
    built = build(wide)
    loss = _Loss(built, weights_like(case))
    gradients = reference_gradients(case)
    found = []
    for place, gradient in zip(gradient_places(case), gradients):
        for name, direction in _directions(wide.arrays[place]):
            there, back = (loss([*wide.arrays[:place], wide.arrays[place] + sign * _STEP * direction,
                                 *wide.arrays[place + 1:]]) for sign in (1, -1))
            found.append((f"input {place}{name}", (there - back) / (2 * _STEP), float(np.sum(gradient * direction))))
    return found


class _Loss:
    """The weighted sum of the float results, summed in NumPy so that no op but the tested one is involved."""

    def __init__(self, built: Built, weighted: Sequence[np.ndarray]) -> None:
        self.weights = weighted
        self.function = Function(built.inputs, built.tensors, name="differences")

    def __call__(self, arrays: Sequence[np.ndarray]) -> float:
        with use_target(numpy_target()):
            outputs = self.function.run(list(arrays), numpy_target(), 0)
        return float(sum(np.sum(np.asarray(o) * w) for o, w in zip(outputs, self.weights)
                         if dtypes.is_float(dtypes.canonical(np.asarray(o).dtype))))


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
