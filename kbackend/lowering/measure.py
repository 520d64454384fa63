"""Timing steps in turns, and leaving no trace of it."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from time import perf_counter
from typing import Any

from kbackend.plugin import native
from kbackend.plugin.contract import Target

#: steps that are not timed and that are, each time a candidate has its turn
WARM, STEPS = 2, 5


def alternated(
    steps: Sequence[Callable[[], Any]], rounds: int, clock: Callable[[], float] = perf_counter
) -> list[float]:
    """Seconds of one call of each function: the medians of rounds in which they take turns."""
    times: list[list[float]] = [[] for _ in steps]
    for _ in range(rounds):
        for found, step in zip(times, steps):
            for _ in range(WARM):  # threads of the engine before go to sleep meanwhile
                step()
            start = clock()
            for _ in range(STEPS):
                step()
            found.append((clock() - start) / STEPS)
    return [statistics.median(found) for found in times]


def step_of(program: Any, feeds: Callable[[], Sequence[Any]], target: Target) -> Callable[[], None]:
    """A function that runs a program and waits for its results."""

    def step() -> None:
        outputs = program(feeds())
        if outputs:
            target.backend.to_numpy(outputs[0])
        else:
            target.backend.synchronize(target.device)

    return step


@contextmanager
def untouched(variables: Iterable[Any]) -> Iterator[None]:
    """A context after which variables have their values and homes of before, and engines' generators their states."""
    before = [(v, v.home, v.numpy()) for v in {id(v): v for v in variables}.values()]
    with native.kept():
        try:
            yield
        finally:
            for variable, home, value in before:
                variable.assign(value)
                if home is not None:
                    variable.cell(home)


def engine_key(target: Target) -> tuple[str, str, str]:
    """What a measurement depends on besides the graph and the processor: engine and device, version, accelerator."""
    return target.key, target.backend.version(), target.backend.hardware(target.device)


__all__ = ["STEPS", "WARM", "alternated", "engine_key", "step_of", "untouched"]
