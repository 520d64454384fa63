"""One seed on several engines: the curves of kbackend's engines over each other, beside those of Keras 3's two.

    python -m benchmarks.same_run --out docs/figures/same_run.png

Each run is a process of its own: it sets the seed, builds the network of benchmarks/workloads as its library draws it,
and trains with ``fit``, shuffling; nothing is passed from one to the other. Keras needs its backend chosen before it is
imported. The table that is printed holds the largest differences, and the first numbers that each run draws.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import workloads
from benchmarks.processes import QUIET, ROOT

BATCH = 32
ENGINES = {"kbackend": ("numpy", "torch", "tensorflow"), "Keras 3": ("torch", "tensorflow")}
RATE = 1e-3
#: by what part of the largest weight the weights of two engines differ after the first steps in float32
NUDGE = 1e-6


@dataclass(frozen=True)
class Options:
    """What all runs share."""

    workload: str
    seed: int
    samples: int
    epochs: int

    @property
    def steps(self) -> int:
        return -(-self.samples // BATCH) * self.epochs


# ------------------------------------------------------------------------------------------------ a run


def from_means(means: Sequence[float], epochs: int) -> np.ndarray:
    """The loss of each step, from the means over the epoch so far that Keras 3's ``fit`` gives callbacks."""
    told = np.reshape(np.asarray(means, np.float64), (epochs, -1))
    return np.diff(told * np.arange(1, told.shape[1] + 1), axis=1, prepend=0.0).ravel()


def trained(
    model: Any, library: Any, options: Options, losses_of: Callable[[list[float], int], np.ndarray]
) -> dict[str, np.ndarray]:
    """Losses, the first weights and the last; both libraries have these names.

    Args:
        losses_of: the loss of each step, from what callbacks got and the number of epochs.
    """
    workload = workloads.load(options.workload)
    data = workload.data(options.samples)
    first = model.get_weights()
    model.compile(optimizer=library.optimizers.Adam(RATE), loss=workload.LOSS)
    got: list[float] = []
    listener = library.callbacks.LambdaCallback(
        on_train_batch_end=lambda step, logs: got.append(float(logs["loss"]))
    )
    model.fit(
        data.inputs[0], data.targets, batch_size=BATCH, epochs=options.epochs, verbose=0, callbacks=[listener]
    )
    first, last = (np.concatenate([w.ravel() for w in weights]) for weights in (first, model.get_weights()))
    return {"losses": losses_of(got, options.epochs), "first": first, "last": last}


def kbackend_run(options: Options, floatx: str, nudge: float) -> dict[str, Any]:
    """A run in float64 starts from the weights drawn in float32, each moved by at most ``nudge`` times itself."""
    import kbackend
    import kbackend.callbacks
    import kbackend.optimizers
    from benchmarks.kbackend_ import models
    from kbackend import K

    kbackend.set_seed(options.seed)
    model = getattr(models, options.workload)(workloads.load(options.workload))
    if floatx == "float64":
        start = model.get_weights()
        K.set_floatx(floatx)
        kbackend.set_seed(options.seed)
        model = getattr(models, options.workload)(workloads.load(options.workload))
        shift = np.random.default_rng(0)
        model.set_weights([w * (1 + nudge * shift.uniform(-1, 1, w.shape)) for w in start])
    found = trained(model, kbackend, options, lambda losses, epochs: np.asarray(losses, np.float64))
    kbackend.set_seed(options.seed)
    return found | {"draws": K.eval(K.random_uniform((2,)))}


def keras_run(options: Options) -> dict[str, Any]:
    import keras

    models = import_module("benchmarks.keras3.models")
    keras.utils.set_random_seed(options.seed)
    draws = keras.ops.convert_to_numpy(keras.random.uniform((2,)))
    keras.utils.set_random_seed(options.seed)
    model = getattr(models, options.workload)(workloads.load(options.workload))
    return trained(model, keras, options, from_means) | {"draws": draws}


def in_a_process(
    library: str, engine: str, options: Options, floatx: str = "float32", nudge: float = 0.0
) -> dict[str, np.ndarray]:
    """The arrays that a run in a new process gives."""
    variable = "KBACKEND" if library == "kbackend" else "KERAS_BACKEND"
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "run.npz"
        words = [library, options.workload, options.seed, options.samples, options.epochs, floatx, nudge, file]
        subprocess.run(
            [sys.executable, "-m", "benchmarks.same_run", "--run", *map(str, words)],
            cwd=ROOT, env={**os.environ, **QUIET, variable: engine}, check=True, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        with np.load(file) as arrays:
            return dict(arrays)


def run_here(words: Sequence[str]) -> None:
    library, workload, seed, samples, epochs, floatx, nudge, file = words
    options = Options(workload, int(seed), int(samples), int(epochs))
    found = kbackend_run(options, floatx, float(nudge)) if library == "kbackend" else keras_run(options)
    np.savez(file, **found)


# ------------------------------------------------------------------------------------------------ numbers

Runs = dict[str, dict[str, dict[str, np.ndarray]]]


def parted(a: dict[str, np.ndarray], b: dict[str, np.ndarray]) -> tuple[float, float]:
    """The largest difference of two losses of one step, and of the last weights over the largest weight."""
    weights = np.max(np.abs(a["last"] - b["last"])) / np.max(np.abs(b["last"]))
    return float(np.max(np.abs(a["losses"] - b["losses"]))), float(weights)


def table(runs: Runs) -> str:
    lines = [
        "| runs | largest difference of a step's loss | of the weights after the last step | same first weights |",
        "|---|---|---|---|",
    ]
    for library, by_engine in runs.items():
        for one, other in combinations(by_engine, 2):
            loss, weights = parted(by_engine[other], by_engine[one])
            same = by_engine[one]["first"].tobytes() == by_engine[other]["first"].tobytes()
            lines.append(f"| {library}: {one}, {other} | {loss:.1e} | {weights:.1e} | {'yes' if same else 'no'} |")
    return "\n".join(lines)


def draws(runs: Runs) -> str:
    """The first two of uniform draws, and the first two initial weights."""
    rows = ["| | two draws of `uniform` | the first two weights |", "|---|---|---|"]
    for library, by_engine in runs.items():
        for engine, run in by_engine.items():
            pairs = (" ".join(f"{v:.6f}" for v in run[k][:2]) for k in ("draws", "first"))
            rows.append(f"| {library}, {engine} | {' | '.join(pairs)} |")
    return "\n".join(rows)


# ------------------------------------------------------------------------------------------------ picture

STYLES = {
    "numpy": ("#9ecae1", "-", 5.0),
    "torch": ("#d94801", "-", 1.8),
    "tensorflow": ("#1a1a1a", (0, (2, 2)), 1.4),
}
NETWORKS = {"autoencoder": "autoencoder 784-128-784 with dropout", "convnet": "convnet of 32 and 64 filters"}
UNITS = {"autoencoder": "binary cross-entropy,\nnats a pixel", "convnet": "cross-entropy,\nnats a digit"}
#: where steps are drawn whose losses are equal
FLOOR = 1e-9


def draw(runs: Runs, options: Options, path: Path) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 6.4), layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(2, 2, sharex=True, sharey="row", height_ratios=(3, 2))
    for (upper, lower), (library, by_engine) in zip(panels.T, runs.items()):
        curves(upper, f"{library}, seed {options.seed} on each engine", by_engine)
        differences(lower, by_engine)
        lower.set_xlabel("training step")
    panels[0, 0].set_ylabel(UNITS[options.workload])
    panels[1, 0].set_ylabel("difference of\ntwo losses, nats")
    network = NETWORKS[options.workload]
    figure.suptitle(f"{network}: loss of each of {options.steps} Adam steps, batch {BATCH}", fontsize=12)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120)


def curves(panel: Any, title: str, by_engine: dict[str, dict[str, np.ndarray]]) -> None:
    for engine, run in by_engine.items():
        colour, style, width = STYLES[engine]
        steps = np.arange(1, len(run["losses"]) + 1)
        panel.plot(steps, run["losses"], color=colour, linestyle=style, linewidth=width, label=engine)
    panel.set_ylim(bottom=0)
    plain(panel, title)


def differences(panel: Any, by_engine: dict[str, dict[str, np.ndarray]]) -> None:
    """Of every engine to the first one; steps without any difference stand at the floor."""
    (first, reference), *others = by_engine.items()
    for engine, run in others:
        colour, style, _ = STYLES[engine]
        apart = np.maximum(np.abs(run["losses"] - reference["losses"]), FLOOR)
        steps = np.arange(1, len(apart) + 1)
        label = f"{engine} and {first}"
        panel.plot(steps, apart, color=colour, linestyle=style, linewidth=1.2, label=label)
    panel.set_yscale("log")
    panel.set_ylim(FLOOR / 2, 10)
    powers = range(-7, 2, 2)
    panel.set_yticks([FLOOR, *(10.0**n for n in powers)], ["equal", *(f"$10^{{{n}}}$" for n in powers)])
    panel.minorticks_off()
    plain(panel, None)


def plain(panel: Any, title: str | None) -> None:
    if title:
        panel.set_title(title, fontsize=11)
    panel.grid(alpha=0.25)
    panel.spines[["top", "right"]].set_visible(False)
    panel.tick_params(labelleft=True)
    panel.legend(frameon=False, loc="upper right", ncols=2 if title is None else 1)


# ------------------------------------------------------------------------------------------------ the program


def all_runs(options: Options) -> Runs:
    found: Runs = {}
    for library, engines in ENGINES.items():
        for engine in engines:
            print(f"{library}, {engine}", file=sys.stderr)
            found.setdefault(library, {})[engine] = in_a_process(library, engine, options)
    return found


def precise_runs(options: Options) -> Runs:
    """kbackend in float64 on each engine, and on NumPy from weights moved by what rounding adds up to in float32."""
    found = {e: in_a_process("kbackend", e, options, "float64") for e in ENGINES["kbackend"]}
    moved = {
        "as drawn": found["numpy"],
        f"moved by {NUDGE:g}": in_a_process("kbackend", "numpy", options, "float64", NUDGE),
    }
    return {"kbackend in float64": found, "NumPy in float64": moved}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.same_run", description=__doc__)
    parser.add_argument("--out", type=Path, help="the picture to write, .png or .svg")
    parser.add_argument("--workload", choices=("autoencoder", "convnet"), default="autoencoder")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--samples", type=int, default=1280)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--precise", action="store_true", help="add runs in float64 to the table")
    parser.add_argument("--run", nargs=8, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.run:
        return run_here(arguments.run)
    options = Options(arguments.workload, arguments.seed, arguments.samples, arguments.epochs)
    runs = all_runs(options)
    if arguments.out:
        draw(runs, options, arguments.out)
    further = precise_runs(options) if arguments.precise else {}
    print(table(runs | further), draws(runs), sep="\n\n")


if __name__ == "__main__":
    main()
