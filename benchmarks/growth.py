"""How costs grow with a model: ``python -m benchmarks.growth [--engine NAME] [--rounds N] [--collect]``.

Models of 250, 1,000 and 4,000 layers, and models of 1,250, 5,000 and 20,000 nodes between two layers, are built,
compiled, trained for a step (lowering included), saved, loaded, summarized and written as a configuration. Each model
has a process of its own, and the models take turns. Seconds are processor time, without that of other processes. From
the least of the rounds follows the exponent ``k`` of ``seconds = c * size**k``, by least squares of the logarithms;
1 is linear. Exponents above the bound are marked, and the exit status is then 1. A step of less than 1 ms at the
smallest size has none, since its time is noise.

Python's garbage collection is off, since a full collection visits all objects of the process, whoever made them;
``--collect`` leaves it on.
"""

from __future__ import annotations

import argparse
import gc
import json
import math
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.overheads import ENGINES, in_process
from benchmarks.report import short, table, versions

SIZES = {"layers": (250, 1000, 4000), "nodes": (1250, 5000, 20000)}
#: the largest exponent that passes: n log n has 1.15 at these sizes
BOUND = 1.15
#: seconds at the smallest size below which no exponent is fitted
LEAST = 0.001
WIDTH, SAMPLES = 4, 8
CODE = "import json; from benchmarks.growth import seconds; print(json.dumps(seconds({!r}, {!r}, {!r}, {!r})))"


def of_layers(count: int) -> Any:
    """A chain of dense layers and batch normalizations."""
    from kbackend import Input, Model, layers

    x = h = Input((WIDTH,))
    for _ in range(count // 2):
        h = layers.BatchNormalization()(layers.Dense(WIDTH, activation="tanh")(h))
    return Model(x, h)


def of_nodes(count: int) -> Any:
    """Two dense layers with products and sums between them."""
    from kbackend import Input, Model, layers

    x = Input((WIDTH,))
    first = h = layers.Dense(WIDTH)(x)
    for _ in range(count // 2):
        h = h * 0.5 + first
    return Model(x, layers.Dense(WIDTH)(h))


BUILD: dict[str, Callable[[int], Any]] = {"layers": of_layers, "nodes": of_nodes}


def seconds(kind: str, count: int, engine: str, collect: bool) -> dict[str, float]:
    """The time of each step on one model, after the same on a small one, which loads all modules."""
    import kbackend

    kbackend.set_backend(engine)
    if not collect:
        gc.disable()
    _steps(kind, 20)
    return _steps(kind, count)


def _steps(kind: str, count: int) -> dict[str, float]:
    import numpy as np

    found: dict[str, float] = {}

    def step(name: str, function: Callable[..., Any], *args: Any, **options: Any) -> Any:
        start = time.process_time()
        result = function(*args, **options)
        found[name] = time.process_time() - start
        return result

    rows = np.ones((SAMPLES, WIDTH), np.float32)
    model = step("build", BUILD[kind], count)
    step("compile", model.compile, "adam", "mse")
    step("first fit", model.fit, rows, rows, epochs=1, verbose=0)
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "checkpoint")
        step("save_checkpoint", model.save_checkpoint, path)
        step("load_checkpoint", model.load_checkpoint, path)
    step("summary", model.summary, print_fn=lambda line: None)
    step("get_config", model.get_config)
    return found


def exponent(sizes: Sequence[int], times: Sequence[float]) -> float:
    """The ``k`` of ``times = c * sizes**k`` by least squares of the logarithms."""
    return statistics.linear_regression([math.log(n) for n in sizes], [math.log(t) for t in times]).slope


def measure(engine: str, rounds: int, scale: float, collect: bool) -> list[dict[str, Any]]:
    """The least times and exponents of all steps."""
    sizes = {kind: [max(20, round(n * scale)) for n in SIZES[kind]] for kind in SIZES}
    found: dict[tuple[str, int], list[dict[str, float]]] = {}
    for _ in range(rounds):
        for kind, counts in sizes.items():
            for count in counts:
                made = json.loads(in_process(CODE.format(kind, count, engine, collect)).splitlines()[-1])
                found.setdefault((kind, count), []).append(made)
                print(f"{kind} {count}: {sum(made.values()):.1f} s", file=sys.stderr, flush=True)
    rows = []
    for kind, counts in sizes.items():
        for name in found[kind, counts[0]][0]:
            times = [min(one[name] for one in found[kind, count]) for count in counts]
            fitted = exponent(counts, times) if times[0] >= LEAST else None
            rows.append({"of": kind, "step": name, "sizes": counts, "seconds": times, "exponent": fitted})
    return rows


def cells(row: dict[str, Any]) -> tuple[str, ...]:
    fitted = row["exponent"]
    verdict = "too short" if fitted is None else "over" if fitted > BOUND else "passed"
    exponent = "-" if fitted is None else f"{fitted:.2f}"
    return (row["of"], row["step"], *(short(t) for t in row["seconds"]), exponent, f"{BOUND}", verdict)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.growth", description=__doc__)
    parser.add_argument("--engine", choices=ENGINES, default="numpy")
    parser.add_argument("--rounds", type=int, default=3, metavar="N")
    parser.add_argument("--scale", type=float, default=1.0, metavar="X", help="models of X times the sizes")
    parser.add_argument("--collect", action="store_true", help="with Python's garbage collection")
    parser.add_argument("--json", metavar="FILE")
    options = parser.parse_args(arguments)
    rows = measure(options.engine, options.rounds, options.scale, options.collect)
    titles = ("seconds, small", "middle", "large", "exponent", "bound", "")
    print(f"{options.engine}: {versions()}; models of " + ", ".join(
        f"{', '.join(f'{n:,}' for n in row['sizes'])} {row['of']}" for row in rows if row["step"] == "build"))
    print(table(("of", "step", *titles), [cells(row) for row in rows]))
    if options.json:
        Path(options.json).write_text(json.dumps(rows, indent=1), encoding="utf-8")
    return int(any(row["exponent"] is not None and row["exponent"] > BOUND for row in rows))


if __name__ == "__main__":
    raise SystemExit(main())
