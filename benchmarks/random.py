"""Portable draws against the engines' own: ``python -m benchmarks.random [--quick] [--json FILE] [--engine NAME]``.

Each engine runs in a process of its own. There the peers take turns, round by round; a figure is the median of the
rounds in microseconds, a ratio is made per round and shown as median with the least and the most.

Dropout of half the elements, as a program that reads the step's counter and a live rate, against
``torch.nn.functional.dropout``, ``tf.nn.dropout`` in a ``tf.function``, and for NumPy, which has none, against
``x * (rng.random(shape, float32) >= 0.5) * 2``. Forward, and forward with the gradient of the sum.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

from benchmarks.processes import QUIET, ROOT
from benchmarks.report import short, table

SHAPES = ((32, 128), (256, 784), (32, 14, 14, 64), (64, 64, 128))
ENGINES = ("torch", "tensorflow", "numpy")
ROUNDS, QUICK_ROUNDS = 15, 7
ELEMENTS_A_ROUND = 2_000_000
Call = Callable[[], Any]


# ------------------------------------------------------------------------------------- the peers


def of_torch(x: Any) -> dict[str, tuple[Call, Call]]:
    import torch
    from torch.nn.functional import dropout

    given, traced = torch.from_numpy(x), torch.from_numpy(x).requires_grad_()

    def forward() -> Any:
        with torch.inference_mode():
            return dropout(given, 0.5, True)

    def backward() -> Any:
        y = dropout(traced, 0.5, True)
        return y, torch.autograd.grad(y.sum(), traced)

    def normal() -> Any:
        return torch.randn(given.shape)

    return {"dropout": (forward, backward), "normal": (normal, normal)}


def of_tensorflow(x: Any) -> dict[str, tuple[Call, Call]]:
    import tensorflow as tf

    given = tf.constant(x)

    @tf.function
    def forward(value: Any) -> Any:
        return tf.nn.dropout(value, 0.5)

    @tf.function
    def backward(value: Any) -> Any:
        y = tf.nn.dropout(value, 0.5)
        return y, tf.gradients(tf.reduce_sum(y), value)

    @tf.function
    def normal() -> Any:
        return tf.random.normal(x.shape)

    return {"dropout": (lambda: forward(given), lambda: backward(given)), "normal": (normal, normal)}


def of_numpy(x: Any) -> dict[str, tuple[Call, Call]]:
    import numpy as np

    rng = np.random.default_rng(0)

    def forward() -> Any:
        return x * ((rng.random(x.shape, dtype=np.float32) >= 0.5) * np.float32(2))

    def backward() -> Any:
        mask = (rng.random(x.shape, dtype=np.float32) >= 0.5) * np.float32(2)
        return x * mask, mask

    def normal() -> Any:
        return rng.standard_normal(x.shape, dtype=np.float32)

    return {"dropout": (forward, backward), "normal": (normal, normal)}


def of_kbackend(x: Any) -> dict[str, tuple[Call, Call]]:
    from kbackend import K
    from kbackend.plugin.select import active_target

    given, rate = K.placeholder(x.shape), K.variable(0.5)
    y = K.dropout(given, rate)
    forward = K.function([given], [y])
    backward = K.function([given], [y, *K.gradients(K.sum(y), [given])])
    normal = K.function([], [K.random_normal(x.shape)])
    value = active_target().from_numpy(x)
    return {
        "dropout": (lambda: forward([value], as_numpy=False), lambda: backward([value], as_numpy=False)),
        "normal": (lambda: normal([], as_numpy=False), lambda: normal([], as_numpy=False)),
    }


# ------------------------------------------------------------------------------------- measuring


def timed(call: Call, times: int) -> float:
    start = time.perf_counter()
    for _ in range(times):
        call()
    return (time.perf_counter() - start) / times * 1e6


def measured(engine: str, rounds: int) -> list[dict[str, Any]]:
    """Rows for one engine, in this process."""
    import numpy as np

    rows = []
    for shape in SHAPES:
        x = np.random.RandomState(0).randn(*shape).astype(np.float32)
        own, ours = globals()[f"of_{engine}"](x), of_kbackend(x)
        times = max(5, ELEMENTS_A_ROUND // math.prod(shape) // 4)
        for what, index in (("dropout", 0), ("dropout and gradient", 1), ("normal", 0)):
            peers = {"own": own[what.split()[0]][index], "kbackend": ours[what.split()[0]][index]}
            found: dict[str, list[float]] = {name: [] for name in peers}
            for call in peers.values():
                timed(call, 3)
            for _ in range(rounds):
                for name, call in peers.items():
                    found[name].append(timed(call, times))
            rows.append({"engine": engine, "what": what, "shape": list(shape), **found})
    return rows


def in_a_process(engine: str, rounds: int) -> list[dict[str, Any]]:
    command = [sys.executable, "-m", "benchmarks.random", "--worker", engine, "--rounds", str(rounds)]
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **QUIET, "KBACKEND": engine}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{engine}: {done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


# ------------------------------------------------------------------------------------- showing


def ratios(row: dict[str, Any]) -> list[float]:
    return [ours / own for ours, own in zip(row["kbackend"], row["own"], strict=True)]


def shown(rows: list[dict[str, Any]]) -> str:
    lines = []
    for row in rows:
        ratio = ratios(row)
        lines.append([
            row["engine"], row["what"], "x".join(map(str, row["shape"])),
            short(statistics.median(row["own"])), short(statistics.median(row["kbackend"])),
            f"{statistics.median(ratio):.2f} ({min(ratio):.2f} to {max(ratio):.2f})",
        ])  # fmt: skip
    return table(["engine", "what", "shape", "own, us", "kbackend, us", "ratio"], lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_ROUNDS} rounds instead of {ROUNDS}")
    parser.add_argument("--engine", action="append", choices=ENGINES)
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument("--worker", choices=ENGINES, help=argparse.SUPPRESS)
    parser.add_argument("--rounds", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    rounds = options.rounds or (QUICK_ROUNDS if options.quick else ROUNDS)
    if options.worker:
        print(json.dumps(measured(options.worker, rounds)))
        return
    rows = [row for engine in options.engine or ENGINES for row in in_a_process(engine, rounds)]
    print(shown(rows))
    print(f"load of the machine at the end: {os.getloadavg()[0]:.1f}")
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump(rows, file, indent=1)


if __name__ == "__main__":
    main()
