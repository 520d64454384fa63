"""How training grows with the number of processes: time of a step, and the share of it that is lost to communication.

``kbackend bench --scale`` runs it. The processes are on this machine, so that they share its processor and its memory;
what a network adds is in the sums alone, which are timed apart.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

import kbackend
from kbackend import Input, Model, distribution, layers
from kbackend.distribution.team import Team
from kbackend.plugin import select
from kbackend.plugin.processes.group import DistributedError
from kbackend.plugin.processes.start import run as run_apart
from kbackend.plugin.processes.start import run_together
from kbackend.runtime.function import Function
from kbackend.training.sources.parted import part_of

_MARK = "kbackend-scale "
_FEATURES, _UNITS, _CLASSES = 256, 512, 10
#: numbers in the tensors whose sums are timed
_SIZES = (1 << 10, 1 << 14, 1 << 18, 1 << 20)


class Scaled(NamedTuple):
    """What was measured with a number of processes.

    Attributes:
        processes: the number.
        step: seconds of a training step on a batch that they share.
        alone: seconds of the step without sums, on the part of one process while all compute theirs.
        sums: bytes of a tensor -> seconds of its sum over the processes.
    """

    processes: int
    step: float
    alone: float
    sums: dict[int, float]

    @property
    def lost(self) -> float:
        """The share of a step that is not computation: sums, and waiting for the slowest process."""
        return max(0.0, 1.0 - self.alone / self.step)


class Ring(NamedTuple):
    """The cost of a sum of ``n`` bytes over ``p`` processes in a ring: ``2 (p - 1) latency + 2 (p - 1) / p n / rate``.

    Attributes:
        latency: seconds of a message.
        rate: bytes a second.

    Source: Patarasuk and Yuan, "Bandwidth Optimal All-reduce Algorithms for Clusters of Workstations", 2009.

    >>> Ring(1e-5, 1e9).seconds(2, 1000000)
    0.00102
    """

    latency: float
    rate: float

    @classmethod
    def of(cls, processes: int, sums: dict[int, float]) -> Ring:
        """The ring that fits measured sums best, by least squares of the relative errors."""
        sizes, seconds = np.array(list(sums), float), np.array(list(sums.values()))
        rows = np.stack([np.full_like(sizes, 2 * (processes - 1)), 2 * (processes - 1) / processes * sizes], axis=1)
        latency, inverse = np.linalg.lstsq(rows / seconds[:, None], np.ones_like(seconds), rcond=None)[0]
        return cls(max(float(latency), 0.0), 1.0 / max(float(inverse), 1e-15))

    def seconds(self, processes: int, size: int) -> float:
        """The cost of a sum of so many bytes."""
        return 2 * (processes - 1) * self.latency + 2 * (processes - 1) / processes * size / self.rate


def measure(engine: str, processes: Sequence[int], batch: int, rounds: int, limit: float = 300.0) -> list[Scaled]:
    """Measure on an engine with each number of processes.

    Args:
        engine: the name of the backend.
        processes: the numbers.
        batch: samples of a batch that all processes share.
        rounds: how often the two kinds of steps are timed, in turns; medians count.
        limit: seconds after which processes are killed.

    Raises:
        DistributedError: the processes failed, or the engine runs in one only.
    """
    launcher = select.get_backend(engine).launcher
    if launcher is None:
        raise DistributedError(f"the engine {engine} runs in one process only")
    found = []
    for count in processes:
        command = [sys.executable, "-m", "kbackend.tools.scale", str(batch), str(rounds)]
        environment = {"KBACKEND": engine, "OMP_NUM_THREADS": "1", "TF_NUM_INTRAOP_THREADS": "1"}
        if count == 1:
            ended = run_apart([(command, {})], environment, limit)
        else:
            ended = run_together(launcher, count, command, environment, limit)
        lines = [line for each in ended for line in each.text.splitlines() if line.startswith(_MARK)]
        if not lines:
            raise DistributedError(f"{count} processes on {engine} ended without a result:\n{ended[0].text[-2000:]}")
        told = json.loads(lines[0][len(_MARK) :])
        sums = {int(size): seconds for size, seconds in told["sums"].items()}
        found.append(Scaled(count, told["step"], told["alone"], sums))
    return found


def table(results: Sequence[Scaled]) -> Any:
    """The results as a table of rich."""
    from rich.table import Table

    made = Table(box=None, pad_edge=False)
    for name in ("processes", "ms a step", "ms without sums", "lost", "speed-up"):
        made.add_column(name, justify="right")
    for each in results:
        row = (f"{each.step * 1e3:.2f}", f"{each.alone * 1e3:.2f}", f"{each.lost:.0%}")
        made.add_row(str(each.processes), *row, f"{results[0].step / each.step:.2f}")
    return made


def sums_table(results: Sequence[Scaled]) -> Any:
    """Measured sums beside those of the ring that was fitted to the first of several processes."""
    from rich.table import Table

    several = [each for each in results if each.processes > 1]
    ring = Ring.of(several[0].processes, several[0].sums)
    made = Table(box=None, pad_edge=False)
    for name in ("processes", "KiB", "ms measured", "ms of the ring"):
        made.add_column(name, justify="right")
    for each in several:
        for size, seconds in each.sums.items():
            model = ring.seconds(each.processes, size)
            made.add_row(str(each.processes), f"{size / 1024:.0f}", f"{seconds * 1e3:.3f}", f"{model * 1e3:.3f}")
    return made


def run(engines: Sequence[str], processes: Sequence[int], batch: int, rounds: int) -> int:
    """Measure and print; return 0, or 1 where an engine failed. The arguments are those of :func:`measure`."""
    from rich.console import Console

    console, failed = Console(), False
    for engine in engines:
        console.print(f"{engine}, batches of {batch} samples")
        try:
            results = measure(engine, processes, batch, rounds)
        except DistributedError as error:
            failed = True
            console.print(str(error), markup=False, highlight=False)
            continue
        console.print(table(results))
        if any(each.processes > 1 for each in results):
            console.print("sums over the processes, and a ring fitted to the first number of them")
            console.print(sums_table(results))
    return int(failed)


# in each process --------------------------------------------------------------------------------------------


def _work(batch: int, rounds: int) -> None:
    """Time in this process; the first one prints the results."""
    strategy = distribution.DataParallel(timeout=60.0)
    team, target = strategy.team(select.active_target()), select.active_target()
    kbackend.set_seed(1)
    x = Input((_FEATURES,))
    hidden = layers.Dense(_UNITS, activation="relu")(layers.Dense(_UNITS, activation="relu")(x))
    model = Model(x, layers.Dense(_CLASSES, activation="softmax")(hidden))
    model.compile("adam", "sparse_categorical_crossentropy")
    random = np.random.RandomState(0)
    arrays = [random.rand(batch, _FEATURES).astype("float32"), random.randint(0, _CLASSES, (batch, 1), "int32")]
    plain = model._steps.train().function.program(target, 1)
    if team is None:
        seconds = _turns([_repeated(plain, [target.feed(a) for a in arrays])], rounds, None)[0]
        _tell(seconds, seconds, {})
        return
    model.distribute(strategy)
    first, last = team.part(batch)
    own = [target.feed(a[first:last]) for a in arrays]
    divided = model._steps.for_training().function.program(target, 1)
    fed = part_of(arrays, batch, team, target.feed)
    step, alone = _turns([_repeated(divided, fed), _repeated(plain, own)], rounds, team)
    sums = dict(zip([4 * n for n in _SIZES], _turns([_sum(n, target) for n in _SIZES], rounds, team)))
    if team.writes:
        _tell(step, alone, sums)
    team.wait()


def _tell(step: float, alone: float, sums: dict[int, float]) -> None:
    print(_MARK + json.dumps({"step": step, "alone": alone, "sums": sums}), flush=True)


def _repeated(program: Callable[[Sequence[Any]], Any], feeds: Sequence[Any], times: int = 10) -> Callable[[], None]:
    """Calls a program some times and reads its first result."""
    number = select.active_target().backend.number

    def run() -> None:
        for _ in range(times):
            found = program(feeds)
        number(found[0])

    run.times = times  # type: ignore[attr-defined]
    return run


def _sum(size: int, target: Any) -> Callable[[], None]:
    """Sums a tensor over the processes, and reads one number of it."""
    x = kbackend.K.placeholder((size,))
    (total,) = distribution.all_reduce([x])
    program = Function([x], [total[0]], (), "sum").program(target, 0)
    return _repeated(program, [target.feed(np.ones(size, np.float32))])


def _turns(each: Sequence[Callable[[], None]], rounds: int, team: Team | None) -> list[float]:
    """The median seconds of one call, taken in turns; all processes begin each turn together."""
    seconds: list[list[float]] = [[] for _ in each]
    for turn in range(rounds + 1):  # the first one is not counted
        for place, run in enumerate(each):
            if team is not None:
                team.wait()
            start = time.perf_counter()
            run()
            seconds[place].append((time.perf_counter() - start) / run.times)  # type: ignore[attr-defined]
        if turn == 0:
            seconds = [[] for _ in each]
    return [statistics.median(some) for some in seconds]


if __name__ == "__main__":
    _work(int(sys.argv[1]), int(sys.argv[2]))
