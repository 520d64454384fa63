"""The check of random streams: bitwise equal to those of the NumPy backend at every run of a program."""

from __future__ import annotations

import numpy as np

from kbackend.classic.state import placeholder
from kbackend.ops.nn.dropout import dropout
from kbackend.ops.random.uniform import random_uniform
from kbackend.plugin.contract import Target
from kbackend.plugin.select import use_target
from kbackend.runtime.function import Function
from kbackend.testing.oracle import reference_target
from kbackend.testing.report import Report

_RUNS = 3


def check_random_stream(target: Target) -> Report:
    """Check that the draws of a program are those of NumPy, and differ between runs."""
    report = Report(target.backend)
    with report.guarded("random", "stream"):
        found, wanted = _runs(target), _runs(reference_target())
        for run, (mine, numpys) in enumerate(zip(found, wanted)):
            for name, a, b in zip(("dropout", "random_uniform"), mine, numpys):
                report.expect(
                    name, f"run {run + 1}", None if np.array_equal(a, b) else "other values than NumPy's"
                )
        for run in range(1, _RUNS):
            for name, a, b in zip(("dropout", "random_uniform"), found[run - 1], found[run]):
                same = np.array_equal(a, b)
                report.expect(name, f"run {run + 1}", "the values of the run before" if same else None)
    return report


def _runs(target: Target) -> list[list[np.ndarray]]:
    x = placeholder((8, 16), dtype="float32")
    function = Function([x], [dropout(x, 0.5, seed=11), random_uniform((4, 9), seed=12)], name="draws")
    with use_target(target):
        return [
            [target.backend.to_numpy(t) for t in function.run([np.ones((8, 16), np.float32)], target, 0)]
            for _ in range(_RUNS)
        ]
