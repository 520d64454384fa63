"""What metrics, generators and single batches cost: ``python -m benchmarks.fitting [--engine NAME ...]``.

*Metrics*: ``fit`` with accuracy, AUC, precision and recall against ``fit`` without. *Generator*: batches that are ready
against arrays, both in the order of the data. *train_on_batch*: against the step by hand on the same host arrays.
*Rows*: an epoch of 60,000 rows of 10 floats, against the programs by hand and Keras 3. Batches of 32 everywhere. The
first three are ratios inside one process an engine, the last of processes that take turns; medians over rounds, with
the least and the most.
"""

from __future__ import annotations

import argparse
import importlib
import json
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

from benchmarks import workloads
from benchmarks.measure import Plan, Turns
from benchmarks.overheads import in_process
from benchmarks.peers import ENGINES, FAMILIES, PLAIN, peers_of
from benchmarks.report import short, spread, table
from benchmarks.workloads.data import Data, digits

BATCH, SAMPLES, ROUNDS, EPOCH = 32, 2048, 9, 60_000
GOALS = {"metrics": 1.1, "generator": 1.05, "train_on_batch": 1.2}
METRICS = ("accuracy", "AUC", "precision", "recall")


def of_rows() -> tuple[Data, Any]:
    from benchmarks.kbackend_ import models

    workload = workloads.load("rows")
    return workload.data(SAMPLES), lambda: models.rows(workload)


def of_digits() -> tuple[Data, Any]:
    """Even against odd digits, 784-256-1."""
    from kbackend import Input, Model, layers

    def build() -> Model:
        images = Input((784,))
        x = layers.Dense(256, activation="relu")(images)
        return Model(images, layers.Dense(1, activation="sigmoid")(x))

    images, labels = digits(SAMPLES)
    return Data((images.reshape(SAMPLES, 784),), (labels[:, None] % 2).astype("float32")), build


def metric(name: str) -> Any:
    from kbackend import metrics

    kinds = {"AUC": metrics.AUC, "precision": metrics.Precision, "recall": metrics.Recall}
    return kinds[name]() if name in kinds else name


def compiled(build: Callable[[], Any], metrics: tuple[str, ...] = ()) -> Any:
    model = build()
    model.compile("adam", "binary_crossentropy", metrics=[metric(name) for name in metrics])
    return model


def ready(data: Data) -> Iterator[tuple[Any, Any]]:
    """Batches without end, cut once."""
    cuts = [slice(start, start + BATCH) for start in range(0, data.samples, BATCH)]
    batches = [(data.inputs[0][cut].copy(), data.targets[cut].copy()) for cut in cuts]
    while True:
        yield from batches


def ratio(mine: Callable[[], Any], other: Callable[[], Any]) -> list[float]:
    """Of the seconds of two calls that take turns."""
    return [seconds(mine) / seconds(other) for _ in range(ROUNDS + 1)][1:]


def seconds(call: Callable[[], Any]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def of_metrics(data: Data, build: Callable[[], Any]) -> list[float]:
    (x,), y = data.inputs, data.targets
    measured, plain = compiled(build, METRICS), compiled(build)
    return ratio(*(lambda m=m: m.fit(x, y, batch_size=BATCH, epochs=2, verbose=0) for m in (measured, plain)))


def of_generator(data: Data, build: Callable[[], Any]) -> list[float]:
    (x,), y = data.inputs, data.targets
    model, batches, steps = compiled(build), ready(data), data.samples // BATCH
    return ratio(
        lambda: model.fit(batches, steps_per_epoch=steps, epochs=2, verbose=0),
        lambda: model.fit(x, y, batch_size=BATCH, epochs=2, shuffle=False, verbose=0),
    )


def of_single_batches(engine: str) -> list[float]:
    workload = workloads.load("rows")
    data, build = of_rows()
    hand = importlib.import_module(f"benchmarks.by_hand.{engine}.rows").build(workload, data, BATCH, PLAIN[engine])
    model, batches, count = compiled(build), ready(data), 200

    def ours() -> None:
        for _ in range(count):
            model.train_on_batch(*next(batches))

    def theirs() -> None:
        for _ in range(count):
            x, y = next(batches)
            hand.on_batch((x,), y)

    return ratio(ours, theirs)


def inside(engine: str) -> list[dict[str, Any]]:
    """The ratios that are measured inside one process."""
    import kbackend

    kbackend.set_backend(engine)
    found = []
    for name, (data, build) in {"rows": of_rows(), "digits": of_digits()}.items():
        for kind, measure in (("metrics", of_metrics), ("generator", of_generator)):
            found.append({"engine": engine, "kind": kind, "network": name, "ratios": measure(data, build)})
    found.append(
        {"engine": engine, "kind": "train_on_batch", "network": "rows", "ratios": of_single_batches(engine)}
    )
    return found


def epochs(engines: list[str]) -> list[dict[str, Any]]:
    """Milliseconds of an epoch of all rows by peer."""
    plan = Plan(3, dict.fromkeys(ENGINES, EPOCH), 0.0, 1)
    peers = peers_of("rows", engines, list(FAMILIES), [])
    results = Turns("rows", BATCH, peers, plan, lambda text: print(text, file=sys.stderr, flush=True)).measure()
    steps = EPOCH // BATCH
    return [
        {"engine": r.peer.engine, "family": r.peer.family, "ms": [ms * steps for ms in r.train], "error": r.error}
        for r in results
    ]


def shown(found: list[dict[str, Any]], whole: list[dict[str, Any]]) -> str:
    ratios = [(r["engine"], r["kind"], r["network"], spread(r["ratios"]), f"{GOALS[r['kind']]:g}") for r in found]
    times = [
        (r["engine"], r["family"], spread(r["ms"]), r["error"] or short(statistics.median(r["ms"]) / (EPOCH // BATCH)))
        for r in whole
    ]
    return "\n\n".join([
        table(("engine", "what", "network", "ratio", "goal"), ratios),
        table(("engine", "an epoch of 60,000 rows", "ms", "ms a step"), times),
    ])  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fitting", description=__doc__)
    parser.add_argument("--engine", nargs="+", choices=ENGINES, default=list(ENGINES))
    parser.add_argument("--json", metavar="FILE")
    options = parser.parse_args()
    found = []
    for engine in options.engine:
        code = f"import json; from benchmarks.fitting import inside; print(json.dumps(inside({engine!r})))"
        found += json.loads(in_process(code).splitlines()[-1])
    whole = epochs(options.engine)
    print(shown(found, whole))
    if options.json:
        with open(options.json, "w") as file:
            json.dump({"ratios": found, "epochs": whole}, file, indent=1)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
