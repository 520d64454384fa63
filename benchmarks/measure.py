"""Rounds: every worker of a workload takes its turn, again and again, so that drift hits all alike."""

from __future__ import annotations

import math
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from benchmarks.peers import ENGINES, Peer
from benchmarks.processes import ROOT, WorkerError, WorkerProcess, environment

Log = Callable[[str], None]
# Threads of the worker before may still spin; a turn starts when they sleep.
PAUSE_S = 0.05


@dataclass(frozen=True)
class Plan:
    """How much is measured. Samples are multiples of every batch size, so that no batch is short."""

    rounds: int
    samples: dict[str, int]
    least_round_s: float
    predict_calls: int


FULL = Plan(5, {"torch": 8192, "tensorflow": 8192, "numpy": 2048}, 0.5, 200)
QUICK = Plan(3, {"torch": 1024, "tensorflow": 1024, "numpy": 512}, 0.15, 60)


@dataclass
class Result:
    """One peer on one workload and batch size; `train` and `predict` hold ms, a number a round."""

    workload: str
    batch: int
    peer: Peer
    train: list[float] = field(default_factory=list)
    predict: list[float] = field(default_factory=list)
    first_step_s: float | None = None
    peak_mb: float | None = None
    parameters: int | None = None
    last_loss: float | None = None
    error: str | None = None


class Turns:
    """The living workers of one workload and batch size, with their results."""

    def __init__(self, workload: str, batch: int, peers: list[Peer], plan: Plan, log: Log) -> None:
        self.plan, self.log = plan, log
        self.results = [Result(workload, batch, peer) for peer in peers]
        self.workers: dict[Peer, WorkerProcess] = {}
        self.epochs: dict[str, int] = {}

    def measure(self) -> list[Result]:
        try:
            self.start()
            self.build()
            for number in range(self.plan.rounds):
                self.log(f"  round {number + 1} of {self.plan.rounds}")
                self.each(self.train)
            for _ in range(self.plan.rounds):
                self.each(self.predict)
            self.each(self.memory)
        finally:
            for worker in self.workers.values():
                worker.close()
        return self.results

    def each(self, action: Callable[[Result, WorkerProcess], None]) -> None:
        """Let every worker that has not failed act once; a failure ends only its own measurement."""
        for result in self.results:
            if result.error is None:
                time.sleep(PAUSE_S)
                try:
                    action(result, self.workers[result.peer])
                except WorkerError as error:
                    result.error = str(error)
                    self.workers[result.peer].close()
                    self.log(f"  {result.peer.name}: {error}")

    def start(self) -> None:
        for result in self.results:
            self.workers[result.peer] = WorkerProcess(result.workload, result.peer)
        self.each(self.imported)

    def imported(self, result: Result, worker: WorkerProcess) -> None:
        worker.receive(300)

    def build(self) -> None:
        fastest: dict[str, float] = {}

        def build_one(result: Result, worker: WorkerProcess) -> None:
            engine = result.peer.engine
            answer = worker.ask("build", batch=result.batch, samples=self.plan.samples[engine])
            result.first_step_s, result.parameters = answer["first_step_s"], answer["parameters"]
            fastest[engine] = min(fastest.get(engine, math.inf), answer["epoch_s"])

        self.log("  build")
        self.each(build_one)
        self.epochs = {
            engine: max(1, math.ceil(self.plan.least_round_s / s)) for engine, s in fastest.items()
        }

    def train(self, result: Result, worker: WorkerProcess) -> None:
        answer = worker.ask("train", epochs=self.epochs[result.peer.engine])
        result.train.append(answer["ms"])
        result.last_loss = answer["last_loss"]

    def predict(self, result: Result, worker: WorkerProcess) -> None:
        result.predict.append(worker.ask("predict", calls=self.plan.predict_calls)["ms"])

    def memory(self, result: Result, worker: WorkerProcess) -> None:
        result.peak_mb = worker.ask("memory")["peak_mb"]


@dataclass
class ImportTime:
    name: str
    seconds: list[float] = field(default_factory=list)
    error: str | None = None


def import_times(peers: list[Peer], rounds: int) -> list[ImportTime]:
    """Seconds of `import NAME` in a fresh process, without the start of Python; one by one, in turn."""
    wanted: dict[str, Peer] = {}
    for peer in sorted(peers, key=lambda peer: ENGINES.index(peer.engine)):
        shown = f"{peer.imports} ({peer.engine})" if peer.family == "Keras 3" else peer.imports
        wanted.setdefault(shown, peer)
    times = {shown: ImportTime(shown) for shown in wanted}
    for _ in range(rounds):
        for shown, peer in wanted.items():
            if times[shown].error is None:
                measure_import(times[shown], peer)
    return list(times.values())


def measure_import(result: ImportTime, peer: Peer) -> None:
    code = f"from time import perf_counter as t; s = t(); import {peer.imports}; print('took', t() - s)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=environment(peer),
        capture_output=True,
        text=True,
        check=False,
    )
    words = done.stdout.split()
    if done.returncode == 0 and words[-2:-1] == ["took"]:
        result.seconds.append(float(words[-1]))
    else:
        result.error = (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
