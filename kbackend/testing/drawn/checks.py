"""Checks of calls drawn by Hypothesis: shapes with sizes 0 and 1, dtypes and parameters beyond declared samples.

A drawn call is a sample, and is checked like declared ones against the NumPy backend in float64. This module needs
``hypothesis``; the rest of the kit does not.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from kbackend import dtypes
from kbackend.classic.state import placeholder
from kbackend.graph.tensor import Tensor
from kbackend.ground.tree import tree_leaves
from kbackend.plugin.contract import Target
from kbackend.testing.checks.op import (
    check_concrete,
    check_dynamic,
    check_programs,
    check_values,
    fits,
)
from kbackend.testing.drawn.draws import Draws
from kbackend.testing.drawn.families import FAMILIES
from kbackend.testing.programs import Built, run_together
from kbackend.testing.report import Report
from kbackend.testing.results import call_symbolic
from kbackend.testing.samples import Case, find_op, make_case, named, sample_groups

#: the number of examples of each family, each of up to _TOGETHER calls, divided by that of _SLOW for slow families
EXAMPLES = 20
_SLOW = {"recurrent": 3, "convolution": 2, "pooling": 2, "normalised": 2}
#: the environment variable that overrides the number
VARIABLE = "KBACKEND_DRAWN_EXAMPLES"
_TOGETHER = 4
#: ops with weights, whose sizes must be known
_WITH_WEIGHTS = ("lstm", "gru", "simple_rnn", "conv", "depthwise_conv", "separable_conv")


@st.composite
def drawn_cases(draw: Callable[[Any], Any], family: str) -> list[Case]:
    """Calls of a family that are run as one program."""
    return [_drawn(draw, family, Draws(draw)) for _ in range(draw(st.integers(1, _TOGETHER)))]


def _drawn(draw: Callable[[Any], Any], family: str, words: Draws) -> Case:
    key, sample = FAMILIES[family](words)
    group = sample.dtypes[0] if sample_groups(sample) == tuple(sample.dtypes) else "fixed"
    return make_case(find_op(key), draw(st.integers(0, 9999)), named(sample), group)


def check_cases(cases: Sequence[Case], target: Target) -> Report:
    """Check calls as concrete calls, as programs with gradients, and with unknown batch sizes and sizes."""
    report = Report(target.backend)
    usable = [case for case in cases if check_concrete(report, case, target)]
    check_programs(report, usable, target)
    check_dynamic(report, [case for case in usable if case.sample.dynamic], target)
    check_unknown(report, [case for case in usable if not case.op.name.startswith(_WITH_WEIGHTS)], target)
    return report


def check_unknown(report: Report, cases: Sequence[Case], target: Target) -> None:
    """Check the calls on placeholders of known rank and unknown sizes, unless the op needs a known size."""
    builts = [built for case in cases if (built := _of_unknown_sizes(case)) is not None]
    for built, ran in zip(builts, run_together(builts, target)):
        if isinstance(ran, Exception):
            report.error(built.case, "no size known", ran)
            continue
        check_values(report, built.case, "no size known", ran.result)
        for array, tensor in zip(ran.result.arrays, built.tensors):
            right = fits(array.shape, tensor.shape)
            message = None if right else f"the shape is {array.shape}, inferred is {tensor.shape}"
            report.expect(built.case, "no size known, inferred", message)


def _of_unknown_sizes(case: Case) -> Built | None:
    built = Built(case, [placeholder((None,) * a.ndim, dtype=dtypes.canonical(a.dtype)) for a in case.arrays])
    try:
        found = tree_leaves(call_symbolic(case, built.inputs))
    except (ValueError, TypeError):
        return None
    built.tensors = [leaf for leaf in found if isinstance(leaf, Tensor)]
    built.plain = [leaf for leaf in found if not isinstance(leaf, Tensor)]
    return built if not built.plain else None


def check_family(family: str, target: Target, examples: int | None = None, smallest: bool = True) -> Report:
    """Draw calls of a family and check them.

    Args:
        family: a key of :data:`kbackend.testing.drawn.families.FAMILIES`.
        target: the backend and device.
        examples: the number of examples of up to four calls; None for that of the environment variable
            ``KBACKEND_DRAWN_EXAMPLES``, or 20, and fewer for slow families.
        smallest: whether a failing example is made as small as possible, which takes many more calls than to find it.

    Returns:
        A report of all checks; the faults are those of the smallest failing example that Hypothesis found, or of the
        first.
    """
    given_number = examples or int(os.environ.get(VARIABLE, 0))
    count = given_number or max(1, EXAMPLES // _SLOW.get(family, 1))
    total = Report(target.backend)
    last: list[Report] = []

    phases = (Phase.generate, Phase.shrink) if smallest else (Phase.generate,)

    @settings(max_examples=count, derandomize=True, deadline=None, database=None, print_blob=False, phases=phases,
              suppress_health_check=list(HealthCheck))
    @given(drawn_cases(family))
    def draw_and_check(cases: list[Case]) -> None:
        found = check_cases(cases, target)
        total.checked += found.checked
        total.any_batch += found.any_batch
        total.two_sizes += found.two_sizes
        total.skipped += found.skipped
        last[:] = [found]
        assert not found.faults

    try:
        draw_and_check()
    except AssertionError:
        total.faults += last[0].faults
    return total


__all__ = ["Draws", "check_cases", "check_family", "drawn_cases"]
