"""The overhead of kbackend where kernels are short: ``python -m benchmarks.overheads [--engine NAME ...]``.

*Concrete calls*: a call of K on small tensors of the engine against the engine's own function, in turns, each the
median of 40 rounds of 200 calls, in microseconds. *Building*: seconds for functional models of dense layers, whose cost
must grow with the number of layers alone. Each engine runs in a process of its own; building needs none.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

from benchmarks.processes import QUIET, ROOT
from benchmarks.report import short, table

ENGINES = ("numpy", "torch", "tensorflow")
ROUNDS, CALLS = 40, 200
DEPTHS = (10, 30, 100, 300, 1000)
Call = Callable[[], Any]


def of_numpy(x: Any) -> dict[str, Call]:
    import numpy as np

    return {
        "add": lambda: np.add(x, x), "tanh": lambda: np.tanh(x), "sum": lambda: np.sum(x, 1),
        "dot": lambda: np.matmul(x, x), "maximum": lambda: np.maximum(x, x),
        "concatenate": lambda: np.concatenate([x, x]),
        "reshape": lambda: np.reshape(x, (8, 2)),
    }  # fmt: skip


def of_torch(x: Any) -> dict[str, Call]:
    import torch

    return {
        "add": lambda: torch.add(x, x), "tanh": lambda: torch.tanh(x), "sum": lambda: torch.sum(x, 1),
        "dot": lambda: torch.matmul(x, x), "maximum": lambda: torch.maximum(x, x),
        "concatenate": lambda: torch.cat([x, x]),
        "reshape": lambda: torch.reshape(x, (8, 2)),
    }  # fmt: skip


def of_tensorflow(x: Any) -> dict[str, Call]:
    import tensorflow as tf

    return {
        "add": lambda: tf.add(x, x), "tanh": lambda: tf.tanh(x), "sum": lambda: tf.reduce_sum(x, 1),
        "dot": lambda: tf.matmul(x, x), "maximum": lambda: tf.maximum(x, x),
        "concatenate": lambda: tf.concat([x, x], 0),
        "reshape": lambda: tf.reshape(x, (8, 2)),
    }  # fmt: skip


def of_kbackend(x: Any) -> dict[str, Call]:
    from kbackend import K
    from kbackend.ops.elementwise.arithmetic import add

    return {
        "add": lambda: add(x, x), "tanh": lambda: K.tanh(x), "sum": lambda: K.sum(x, 1),
        "dot": lambda: K.dot(x, x), "maximum": lambda: K.maximum(x, x),
        "concatenate": lambda: K.concatenate([x, x], 0),
        "reshape": lambda: K.reshape(x, (8, 2)),
    }  # fmt: skip


def microseconds(call: Call) -> float:
    start = time.perf_counter()
    for _ in range(CALLS):
        call()
    return (time.perf_counter() - start) / CALLS * 1e6


def calls(engine: str) -> list[dict[str, Any]]:
    """Medians of both peers and of the difference, call by call."""
    import numpy as np

    import kbackend
    from kbackend.plugin.select import active_target

    kbackend.set_backend(engine)
    x = active_target().from_numpy(np.ones((4, 4), np.float32))
    own, ours = globals()[f"of_{engine}"](x), of_kbackend(x)
    rows = []
    for name in own:
        rounds = [(microseconds(ours[name]), microseconds(own[name])) for _ in range(ROUNDS + 2)][2:]
        rows.append({
            "engine": engine, "call": name, "kbackend": statistics.median(a for a, _ in rounds),
            "own": statistics.median(b for _, b in rounds), "over": statistics.median(a - b for a, b in rounds),
        })  # fmt: skip
    return rows


def building() -> list[dict[str, Any]]:
    """The median of five builds for each depth, in seconds."""
    from kbackend import Input, Model, layers

    def build(depth: int) -> float:
        start = time.perf_counter()
        x = h = Input((16,))
        for _ in range(depth):
            h = layers.Dense(16, activation="relu")(h)
        Model(x, h)
        return time.perf_counter() - start

    build(3)
    return [{"layers": depth, "seconds": statistics.median(build(depth) for _ in range(5))} for depth in DEPTHS]


def importing() -> float:
    """Seconds for ``import kbackend`` in a fresh process, less the start of Python; the median of nine."""
    code = "import time; s = time.perf_counter(); import kbackend; print(time.perf_counter() - s)"
    return statistics.median(float(in_process(code)) for _ in range(9))


def in_process(code: str) -> str:
    environment = {**os.environ, **QUIET}
    return subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, check=True, capture_output=True, text=True
    ).stdout


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.overheads", description=__doc__)
    parser.add_argument("--engine", nargs="+", choices=ENGINES, default=list(ENGINES))
    parser.add_argument("--json", metavar="FILE")
    options = parser.parse_args()
    found = []
    for engine in options.engine:
        code = f"import json; from benchmarks.overheads import calls; print(json.dumps(calls({engine!r})))"
        found += json.loads(in_process(code).splitlines()[-1])
    code = "import json; from benchmarks.overheads import building; print(json.dumps(building()))"
    built = json.loads(in_process(code))
    imported = importing()
    print(table(
        ("engine", "concrete call", "kbackend, us", "engine's own, us", "over, us"),
        [(r["engine"], r["call"], *(short(r[k]) for k in ("kbackend", "own", "over"))) for r in found]))
    print()
    print(table(
        ("layers", "seconds to build", "ms a layer"),
        [(str(r["layers"]), short(r["seconds"]), short(r["seconds"] / r["layers"] * 1e3)) for r in built]))
    print(f"\nimport kbackend: {short(imported)} s")
    if options.json:
        with open(options.json, "w") as file:
            json.dump({"calls": found, "building": built, "import": imported}, file, indent=1)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
