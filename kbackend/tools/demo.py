"""``kbackend demo``: two models trained on handwritten digits, equally on every engine."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

import kbackend
from kbackend import Input, K, Model, layers
from kbackend.callbacks import LambdaCallback
from kbackend.datasets import digits

BATCH = 32
RATES = (0.1, 0.4)
CURVES = {"reconstruction loss, rate 0.1 then 0.4": "autoencoder", "classifier loss": "classifier"}


@dataclass
class Run:
    """The results of one engine.

    Attributes:
        losses: model -> loss of each epoch.
        weights: model -> trained weights.
        accuracy: accuracy of the classifier on held-out digits.
        steps: model -> training steps per second, without the first epoch, which includes compilation.
        programs: the number of programs compiled for the train step of the autoencoder.
        seconds: the total time.
    """

    engine: str
    losses: dict[str, list[float]] = field(default_factory=dict)
    weights: dict[str, list[np.ndarray]] = field(default_factory=dict)
    accuracy: float = 0.0
    steps: dict[str, float] = field(default_factory=dict)
    programs: int = 0
    seconds: float = 0.0


def autoencoder() -> tuple[Model, Any]:
    """An autoencoder 64-32-64 with dropout, and the variable that is its dropout rate."""
    rate = K.variable(RATES[0], name="rate")
    pixels = Input((64,), name="pixels")
    code = layers.Dense(32, activation="relu", name="code")(layers.Dropout(rate)(pixels))
    model = Model(pixels, layers.Dense(64, activation="sigmoid", name="picture")(code), name="autoencoder")
    model.compile("adam", "binary_crossentropy")
    return model, rate


def classifier() -> Model:
    """A convolutional network of two convolutions."""
    image = Input((8, 8, 1), name="image")
    h = layers.Conv2D(16, 3, padding="same", activation="relu")(image)
    h = layers.MaxPooling2D()(layers.Conv2D(32, 3, padding="same", activation="relu")(h))
    h = layers.Dropout(0.25)(layers.Flatten()(h))
    model = Model(image, layers.Dense(10, activation="softmax", name="digit")(h), name="classifier")
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


class _Clock:
    """Times the epochs of a model, without the first, in which programs are compiled."""

    def __init__(self, steps: int) -> None:
        self.steps, self.seconds = steps, list[float]()

    def callback(self, advance: Any) -> LambdaCallback:
        def begin(epoch: int, logs: Any) -> None:
            self.started = time.perf_counter()

        def end(epoch: int, logs: Any) -> None:
            self.seconds.append(time.perf_counter() - self.started)
            advance()

        return LambdaCallback(on_epoch_begin=begin, on_epoch_end=end)

    @property
    def rate(self) -> float:
        counted = self.seconds[1:]
        return self.steps * len(counted) / sum(counted) if counted else float("nan")


def _train(engine: str, epochs: int, seed: int, advance: Any) -> Run:
    run = Run(engine)
    (x, y), (x_test, y_test) = digits.load_data()
    images, held_out = x[..., None] / 16.0, x_test[..., None] / 16.0
    start = time.perf_counter()
    with kbackend.use_backend(engine):
        kbackend.set_seed(seed)
        model, rate = autoencoder()
        flat = images.reshape(len(images), -1)
        clock = _Clock(-(-len(x) // BATCH))
        losses: list[float] = []
        for value in RATES:
            K.set_value(rate, value)
            history = model.fit(
                flat, flat, batch_size=BATCH, epochs=epochs, verbose=0, callbacks=[clock.callback(advance)]
            )
            losses += history.history["loss"]
        run.losses["autoencoder"], run.weights["autoencoder"] = losses, model.get_weights()
        run.steps["autoencoder"], run.programs = clock.rate, model.programs_made("train")
        net = classifier()
        clock = _Clock(clock.steps)
        history = net.fit(
            images, y, batch_size=BATCH, epochs=epochs, verbose=0, callbacks=[clock.callback(advance)]
        )
        run.losses["classifier"], run.weights["classifier"] = history.history["loss"], net.get_weights()
        run.accuracy, run.steps["classifier"] = net.evaluate(held_out, y_test)[1], clock.rate
    run.seconds = time.perf_counter() - start
    return run


def run(engines: Sequence[str], epochs: int, seed: int, out: Path) -> int:
    """Train on each engine, print the tables, save the plot and return the exit code."""
    from kbackend.tools import curves

    console = Console(highlight=False)
    curves.check(out)
    console.print(
        f"1,438 digits of 8 x 8 pixels to train, 359 held out; seed {seed}; engines: {', '.join(engines)}\n"
    )
    runs = []
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=30),
        TextColumn("{task.completed:.0f}/{task.total:.0f} epochs"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console) as progress:
        for name in engines:
            task = progress.add_task(f"{name:<10}", total=3 * epochs)
            runs.append(_train(name, epochs, seed, lambda task=task: progress.advance(task)))
    _print_losses(console, runs, epochs)
    _print_totals(console, runs)
    if len(runs) > 1:
        _print_differences(console, runs)
    curves.save({label: {r.engine: r.losses[key] for r in runs} for label, key in CURVES.items()}, out)
    console.print(f"\nThe curves are in {out}")
    return 0


def _table(console: Console, title: str, first: str, columns: Sequence[str]) -> Table:
    """A table below a title that is printed apart, so that a narrow table does not wrap it."""
    console.print(f"\n[bold]{title}[/bold]")
    table = Table(pad_edge=False)
    table.add_column(first)
    for column in columns:
        table.add_column(column, justify="right")
    return table


def _print_losses(console: Console, runs: Sequence[Run], epochs: int) -> None:
    engines = [r.engine for r in runs]
    title = f"Autoencoder: a fit with dropout {RATES[0]}, then one with {RATES[1]}; loss of each epoch"
    table = _table(console, title, "epoch", engines)
    for e in range(2 * epochs):
        losses = (f"{r.losses['autoencoder'][e]:.6f}" for r in runs)
        table.add_row(f"{e + 1}  (rate {RATES[e // epochs]})", *losses, end_section=e == epochs - 1)
    console.print(table)
    made = ", ".join(f"{r.engine} {r.programs}" for r in runs)
    console.print(f"Programs made for the train step over both fits: {made}")
    table = _table(console, "Convnet classifier: loss of each epoch", "epoch", engines)
    for e in range(epochs):
        table.add_row(str(e + 1), *(f"{r.losses['classifier'][e]:.6f}" for r in runs))
    console.print(table)


def _rate(steps: float) -> str:
    """Steps a second; nothing was counted in a single epoch."""
    return "-" if math.isnan(steps) else f"{steps:,.0f}"


def _print_totals(console: Console, runs: Sequence[Run]) -> None:
    table = _table(console, "In all", "", [r.engine for r in runs])
    table.add_row("accuracy on held-out digits", *(f"{r.accuracy:.2%}" for r in runs))
    table.add_row("autoencoder, steps a second", *(_rate(r.steps['autoencoder']) for r in runs))
    table.add_row("classifier, steps a second", *(_rate(r.steps['classifier']) for r in runs))
    table.add_row("seconds, with making programs", *(f"{r.seconds:.1f}" for r in runs))
    console.print(table)


def _print_differences(console: Console, runs: Sequence[Run]) -> None:
    title = f"Largest difference from {runs[0].engine}"
    table = _table(console, title, "", ["losses, relative", "weights, absolute"])
    for model in CURVES.values():
        for r in runs[1:]:
            ours, theirs = np.array(r.losses[model]), np.array(runs[0].losses[model])
            loss = np.max(np.abs(ours - theirs) / np.abs(theirs))
            weight = max(np.max(np.abs(a - b)) for a, b in zip(r.weights[model], runs[0].weights[model]))
            table.add_row(f"{model}, {r.engine}", f"{loss:.1e}", f"{weight:.1e}")
    console.print(table)
