"""Engines that take turns at a model, each in a process of its own, since threads of engines in one process compete."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

#: a kind of step whose slowest round took this many times its fastest is unsteady
_UNSTEADY = 1.5


@dataclass
class Result:
    """The times of one engine on one model.

    Attributes:
        model: its name.
        engine: the name of the engine.
        seconds: kind of step -> seconds of one step, a number for each round.
        error: why it did not run, None else.
    """

    model: str
    engine: str
    seconds: dict[str, list[float]] = field(default_factory=dict)
    error: str | None = None

    def milliseconds(self, kind: str) -> float:
        """The median of the rounds."""
        return statistics.median(self.seconds[kind]) * 1e3

    def unsteady(self, kind: str) -> bool:
        """Whether the rounds differ so much that the median tells little."""
        return max(self.seconds[kind]) > _UNSTEADY * min(self.seconds[kind])


class Worker:
    """A process that runs models on one engine."""

    def __init__(self, engine: str) -> None:
        self.engine = engine
        command = [sys.executable, "-m", "kbackend.tools.timing.worker", engine]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )

    def ask(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to a request, ``{"error": ...}`` where the process has died."""
        requests, answers = self._process.stdin, self._process.stdout
        assert requests is not None and answers is not None
        try:
            print(json.dumps(request), file=requests, flush=True)
            line = answers.readline()
        except OSError:
            line = ""
        return json.loads(line) if line else {"error": f"the process ended with {self._process.wait()}"}

    def end(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.communicate()


@contextmanager
def workers(engines: Sequence[str]) -> Iterator[list[Worker]]:
    """A process for each engine; they end with the context."""
    found: list[Worker] = []
    try:
        found += map(Worker, engines)
        yield found
    finally:
        for worker in found:
            worker.end()


def in_turns(name: str, request: Mapping[str, Any], found: Sequence[Worker], rounds: int) -> list[Result]:
    """The times of a model on all engines, which take turns in each round.

    Args:
        name: of the model, for the results.
        request: what builds it, see :mod:`kbackend.tools.timing.worker`.
        found: the processes.
        rounds: how often each takes its turn.
    """
    results = [Result(name, worker.engine, error=worker.ask(request).get("error")) for worker in found]
    for _ in range(rounds):
        for worker, result in zip(found, results):
            if result.error is None:
                _take(worker.ask({"turn": True}), result)
    return results


def _take(answer: dict[str, Any], result: Result) -> None:
    result.error = answer.pop("error", None)
    for kind, seconds in answer.items():
        result.seconds.setdefault(kind, []).append(seconds)
