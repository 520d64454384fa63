"""Timing of alternating steps without side effects on variables and generators."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from time import perf_counter
from typing import Any

from kbackend.plugin import native
from kbackend.plugin.contract import Target

#: untimed and timed steps of a candidate in each round
WARM, STEPS = 2, 5


def alternated(
    steps: Sequence[Callable[[], Any]], rounds: int, clock: Callable[[], float] = perf_counter
) -> list[float]:
    """The seconds of one call of each function, medians over rounds in which the functions alternate."""
    times: list[list[float]] = [[] for _ in steps]
    for _ in range(rounds):
        for found, step in zip(times, steps):
            for _ in range(WARM):  # meanwhile idle threads of the previous engine go to sleep
                step()
            start = clock()
            for _ in range(STEPS):
                step()
            found.append((clock() - start) / STEPS)
    import statistics

    return [statistics.median(found) for found in times]


def step_of(program: Any, feeds: Callable[[], Sequence[Any]], target: Target) -> Callable[[], None]:
    """A function that runs a program and waits until its results are computed."""

    def step() -> None:
        outputs = program(feeds())
        if outputs:
            target.backend.to_numpy(outputs[0])
        else:
            target.backend.synchronize(target.device)

    return step


@contextmanager
def untouched(variables: Iterable[Any]) -> Iterator[None]:
    """A context that restores the values and devices of variables and the states of the engines' generators."""
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
    """The engine and device, the version and the accelerator: a part of the key of cached measurements."""
    return target.key, target.backend.version(), target.backend.hardware(target.device)


__all__ = ["STEPS", "WARM", "alternated", "engine_key", "step_of", "untouched"]
