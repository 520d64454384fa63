"""A training step alone and beside busy processes: ``python -m benchmarks.busy [--engine NAME ...] [--busy N]``.

Peers are programs by hand with their engine's default threads and with one, and kbackend, which measures the number.
Each is a process of its own. All are built and measured in turns on the machine as it is; then as many processes as
asked for compute without end, and the same workers are measured again, so that kbackend has to find out; then alone
once more. Each number is the median over rounds of the milliseconds of a step, with the least and the most.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from benchmarks.measure import PAUSE_S
from benchmarks.peers import Peer, by_hand, kbackend
from benchmarks.processes import WorkerError, WorkerProcess
from benchmarks.report import short, spread, table
from benchmarks.workloads import NAMES

ENGINES = ("torch", "numpy")
PLAIN = {"torch": "eager", "numpy": "autograd"}
PHASES = ("alone", "beside", "alone again")
ONE = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
#: seconds that busy processes get to start, and that a round may take before it counts as failed
SETTLE_S, TIMEOUT_S = 1.0, 180


@dataclass
class Row:
    """One peer on one workload; ``ms`` holds the milliseconds of a step for each phase, a number a round."""

    workload: str
    peer: Peer
    ms: dict[str, list[float]] = field(default_factory=lambda: {phase: [] for phase in PHASES})
    error: str | None = None

    def median(self, phase: str) -> float | None:
        return statistics.median(self.ms[phase]) if self.ms[phase] else None


def peers_of(workload: str, engine: str) -> list[Peer]:
    hand = by_hand(workload, engine, PLAIN[engine])
    return [
        replace(hand, name=f"{engine} by hand, its threads"),
        replace(hand, name=f"{engine} by hand, 1 thread", environment=ONE),
        replace(kbackend(engine, "plain"), name=f"kbackend {engine}"),
    ]


@contextmanager
def busy(number: int) -> Iterator[None]:
    """So many processes that compute without end, stopped afterwards."""
    spinning = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(number)]
    try:
        time.sleep(SETTLE_S)
        yield
    finally:
        for process in spinning:
            process.kill()
            process.wait()


def measured(workload: str, engine: str, options: argparse.Namespace) -> list[Row]:
    rows = [Row(workload, peer) for peer in peers_of(workload, engine)]
    workers = [WorkerProcess(workload, row.peer) for row in rows]

    def each(do: Callable[[Row, WorkerProcess], None]) -> None:
        for row, worker in zip(rows, workers):
            if row.error is None:
                time.sleep(PAUSE_S)
                try:
                    do(row, worker)
                except WorkerError as error:
                    row.error = str(error)
                    worker.close()

    def build(row: Row, worker: WorkerProcess) -> None:
        worker.receive(300)
        worker.ask("build", batch=options.batch, samples=options.samples)

    def rounds(phase: str) -> None:
        def one(row: Row, worker: WorkerProcess) -> None:
            row.ms[phase].append(worker.ask("train", timeout=TIMEOUT_S, epochs=options.epochs)["ms"])

        for _ in range(options.rounds):
            each(one)

    try:
        each(build)
        rounds("alone")
        with busy(options.busy):
            rounds("beside")
        rounds("alone again")
    finally:
        for row, worker in zip(rows, workers):
            if row.error is None:
                worker.close()
    return rows


def shown(row: Row) -> tuple[str, ...]:
    cells = [spread(row.ms[phase]) for phase in PHASES]
    alone, beside = row.median("alone"), row.median("beside")
    return row.workload, row.peer.name, *cells, short(beside / alone) if alone and beside else row.error or ""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.busy", description=__doc__)
    parser.add_argument("--workload", nargs="+", choices=NAMES, default=list(NAMES))
    parser.add_argument("--engine", nargs="+", choices=ENGINES, default=list(ENGINES))
    parser.add_argument("--busy", type=int, default=2, help="busy processes")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--samples", type=int, default=512)
    parser.add_argument("--epochs", type=int, default=2, help="epochs a round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", metavar="FILE")
    options = parser.parse_args()
    load = os.getloadavg()[0]
    found: list[Row] = []
    for workload in options.workload:
        for engine in options.engine:
            print(f"{workload}, {engine}", file=sys.stderr)
            found += measured(workload, engine, options)
    print(table(
        ("workload", "peer", *(f"ms {phase}" for phase in PHASES), "beside over alone"), list(map(shown, found))))
    print(f"\n{os.cpu_count()} cores, load {load:.1f} before, {options.busy} busy processes, batch {options.batch}")
    if options.json:
        with open(options.json, "w") as file:
            rows = [{"workload": r.workload, "peer": r.peer.name, "ms": r.ms, "error": r.error} for r in found]
            json.dump({"load": load, "busy": options.busy, "rows": rows}, file, indent=1)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
