"""From rounds to ratios."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from benchmarks.measure import Result

PAIRS = (("kbackend", "by hand"), ("kbackend", "Keras 3"), ("Keras 3", "by hand"))
WHATS = ("train", "predict", "peak_mb", "first_step_s")
Rounds = Callable[[Result], list[float]]


@dataclass(frozen=True)
class Ratio:
    """How many times as much the first family takes as the second, on one engine, workload and batch."""

    what: str
    engine: str
    workload: str
    batch: int
    over: str
    under: str
    median: float
    least: float
    most: float


def rounds_of(result: Result, what: str) -> list[float]:
    value = getattr(result, what)
    if isinstance(value, list):
        return value
    return [] if value is None else [value]


def best(results: Iterable[Result], what: str) -> Result | None:
    """The peer with the lowest median among those that were measured."""
    measured = [result for result in results if result.error is None and rounds_of(result, what)]
    return min(measured, key=lambda result: statistics.median(rounds_of(result, what)), default=None)


def ratios(results: list[Result]) -> list[Ratio]:
    """The best peer of a family against the best of another, round by round, with median, least and most."""
    found = []
    places = dict.fromkeys((r.workload, r.batch, r.peer.engine) for r in results)
    for what in WHATS:
        for over, under in PAIRS:
            for workload, batch, engine in places:
                here = [
                    r for r in results if (r.workload, r.batch, r.peer.engine) == (workload, batch, engine)
                ]
                top = best((r for r in here if r.peer.family == over), what)
                bottom = best((r for r in here if r.peer.family == under), what)
                if top is None or bottom is None:
                    continue
                each = [a / b for a, b in zip(rounds_of(top, what), rounds_of(bottom, what), strict=True)]
                middle = statistics.median(each)
                found.append(Ratio(what, engine, workload, batch, over, under, middle, min(each), max(each)))
    return found


def geometric_means(found: list[Ratio]) -> dict[tuple[str, str, str, str], tuple[float, float, int]]:
    """(what, over, under, engine) -> (geometric mean, worst single ratio, how many)."""
    groups: dict[tuple[str, str, str, str], list[float]] = {}
    for ratio in found:
        groups.setdefault((ratio.what, ratio.over, ratio.under, ratio.engine), []).append(ratio.median)
    return {
        key: (math.exp(statistics.fmean(map(math.log, values))), max(values), len(values))
        for key, values in groups.items()
    }
