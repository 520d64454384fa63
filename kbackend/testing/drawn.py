"""Calls that Hypothesis draws: shapes with 0 and 1 among the sizes, dtypes, parameters beyond the declared samples.

A drawn call is a sample like any other: it goes through the same checks, against the NumPy backend in float64. This
module needs ``hypothesis``; the rest of the kit does not.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kbackend import dtypes
from kbackend.graph.tensor import Tensor
from kbackend.ops.state import placeholder
from kbackend.plugin.contract import Target
from kbackend.testing.checks import (
    check_concrete,
    check_dynamic,
    check_programs,
    check_values,
    fits,
    has_reference,
)
from kbackend.testing.families import FAMILIES
from kbackend.testing.programs import Built, run_together
from kbackend.testing.report import Report
from kbackend.testing.results import call_symbolic, leaves
from kbackend.testing.samples import Case, find_op, make_case, named, sample_groups

#: how many examples of each family are drawn, each of them up to _TOGETHER calls; fewer of those that take long
EXAMPLES = 20
_SLOW = {"recurrent": 3, "convolution": 2, "pooling": 2, "normalised": 2}
#: the environment variable that says another number
VARIABLE = "KBACKEND_DRAWN_EXAMPLES"
_TOGETHER = 4
#: ops with weights, of which the sizes are known
_WITH_WEIGHTS = ("lstm", "gru", "simple_rnn", "conv", "depthwise_conv", "separable_conv")


class Draws:
    """What the families ask for, in small words; all of it shrinks towards the first option."""

    def __init__(self, draw: Callable[[Any], Any]) -> None:
        self._draw = draw

    def number(self, low: int, high: int) -> int:
        return self._draw(st.integers(low, high))

    def of(self, options: Sequence[Any]) -> Any:
        return self._draw(st.sampled_from(tuple(options)))

    def yes(self) -> bool:
        return self._draw(st.booleans())

    def size(self, least: int = 0) -> int:
        return self.of([n for n in (2, 3, 1, 4, 5, 0) if n >= least])

    def shape(self, least: int = 0, most: int = 4, size: int = 0) -> tuple[int, ...]:
        """A shape of a rank from ``least`` to ``most`` with sizes from ``size`` on."""
        return tuple(self.size(size) for _ in range(self.number(least, most)))

    def order(self, count: int) -> tuple[int, ...]:
        return tuple(self._draw(st.permutations(range(count))))

    def axis(self, rank: int) -> int:
        return self.number(-rank, rank - 1)

    def axes(self, rank: int) -> Any:
        """None, one axis, or several different ones, from either end."""
        kind = self.number(0, 2) if rank else 0
        if kind == 0:
            return None
        if kind == 1:
            return self.axis(rank)
        chosen = self.order(rank)[: self.number(1, rank)]
        return tuple(a - rank if self.yes() else a for a in chosen)

    def operand(self, shape: Sequence[int]) -> tuple[int, ...]:
        """A shape that broadcasts to another one and stretches none of its dimensions."""
        kept = tuple(shape)[self.number(0, len(shape)) if self.yes() else 0 :]
        return tuple(1 if self.number(0, 3) == 3 else n for n in kept)

    def group(self) -> str:
        return self.of(("float32", "float64", "float16", "bfloat16"))


@st.composite
def drawn_cases(draw: Callable[[Any], Any], family: str) -> list[Case]:
    """A few calls of a family, which run as one program."""
    return [_drawn(draw, family, Draws(draw)) for _ in range(draw(st.integers(1, _TOGETHER)))]


def _drawn(draw: Callable[[Any], Any], family: str, words: Draws) -> Case:
    key, sample = FAMILIES[family](words)
    group = sample.dtypes[0] if sample_groups(sample) == tuple(sample.dtypes) else "fixed"
    return make_case(find_op(key), draw(st.integers(0, 9999)), named(sample), group)


def check_cases(cases: Sequence[Case], target: Target) -> Report:
    """All checks of some calls: at once, as a program with gradients, without a batch size; inferred shapes, dtypes."""
    report = Report(target.backend)
    usable = [case for case in cases if has_reference(report, case)]
    for case in usable:
        check_concrete(report, case, target)
    check_programs(report, usable, target)
    check_dynamic(report, [case for case in usable if case.sample.dynamic], target)
    check_unknown(report, [case for case in usable if not case.op.name.startswith(_WITH_WEIGHTS)], target)
    return report


def check_unknown(report: Report, cases: Sequence[Case], target: Target) -> None:
    """The calls on placeholders of which only the rank is known; calls that need to know a size may refuse that."""
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
        found = list(leaves(call_symbolic(case, built.inputs)))
    except (ValueError, TypeError):
        return None
    built.tensors = [leaf for leaf in found if isinstance(leaf, Tensor)]
    built.plain = [leaf for leaf in found if not isinstance(leaf, Tensor)]
    return built if not built.plain else None


def check_family(family: str, target: Target, examples: int | None = None) -> Report:
    """Draw calls of a family and check them.

    Args:
        family: a key of :data:`kbackend.testing.families.FAMILIES`.
        target: the backend and device.
        examples: how many times up to four calls are drawn; else the environment variable
            ``KBACKEND_DRAWN_EXAMPLES``, or 20, and fewer of families that take long.

    Returns:
        A report of all that was checked; the faults are those of the smallest example that Hypothesis found.
    """
    given_number = examples or int(os.environ.get(VARIABLE, 0))
    count = given_number or max(1, EXAMPLES // _SLOW.get(family, 1))
    total = Report(target.backend)
    last: list[Report] = []

    @settings(max_examples=count, derandomize=True, deadline=None, database=None, print_blob=False,
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
