"""Draws the figures of the docs that show kbackend itself: ``python docs/figures/draw.py [NAME ...]``.

A NAME that ends in .png is a picture that exists, which is written with a palette: those of ``benchmarks/same_run.py``.
The picture of the page of a diff needs Chromium.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

import kbackend
from kbackend import Input, K, Model, Sequential, layers, utils
from kbackend.divergence.sides import Side
from kbackend.plugin.select import target
from kbackend.testing import with_kernels
from kbackend.tools import demo

FOLDER = Path(__file__).parent
#: bytes of a picture, which everyone who clones the repository loads
LARGEST = 150_000


def readme_model(path: Path) -> None:
    """The functional model of the README."""
    image = Input((8, 8, 1), name="image")
    h = layers.Conv2D(16, 3, padding="same", activation="relu")(image)
    h = layers.MaxPooling2D()(h)
    h = layers.Flatten()(h) / 2 + 0.1
    model = Model(image, layers.Dense(10, activation="softmax")(h))
    utils.plot_model(model, path, show_shapes=True, rankdir="LR", dpi=90)


def model(path: Path) -> None:
    """The model of docs/guide/inspect.md."""
    image, words = Input((16, 16, 3), name="image"), Input((20,), name="words")
    seen = layers.Conv2D(8, 3, padding="same", activation="relu")(image)
    seen = layers.Add()([seen, layers.Conv2D(8, 3, padding="same")(seen)])
    reader = [layers.Dense(16, activation="tanh", input_shape=(20,)), layers.Dropout(0.2)]
    read = Sequential(reader, name="reader")(words)
    both = layers.Concatenate()([layers.GlobalAveragePooling2D()(seen), read])
    made = Model([image, words], K.tanh(layers.Dense(4)(both)) * 2)
    utils.plot_model(made, path, show_shapes=True, show_layer_names=True, expand_nested=True, dpi=60)


def demo_curves(path: Path) -> None:
    """What ``kbackend demo`` draws."""
    demo.run(kbackend.available_backends(), 8, 7, path)


def diff_page(path: Path) -> None:
    """The page of a diff of an engine with a copy whose tanh is off by a thousandth."""
    kbackend.set_seed(0)
    x = Input((6,), name="x")
    left = layers.Dense(8, activation="tanh", name="left")(x)
    right = layers.Dense(8, activation="relu", name="right")(x)
    both = layers.Concatenate(name="both")([left, right])
    made = Model(x, layers.Dense(3, activation="softmax", name="top")(both), name="branches")
    made.compile("sgd", "sparse_categorical_crossentropy")
    engine = target("numpy")
    tanh = engine.backend.kernels["tanh"]
    wrong = with_kernels(engine, "wrong tanh", tanh=lambda x: tanh(x) * 1.001)
    rows = np.random.default_rng(0).normal(size=(16, 6))
    report = made.diff(rows, np.arange(16) % 3, engines=[Side("numpy", engine), Side("wrong tanh", wrong)])
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "report.html"
        report.to_html(page)
        photograph(page, path, (1200, 800))


def photograph(page: Path, path: Path, size: tuple[int, int]) -> None:
    """A picture of a page in headless Chromium."""
    found = [shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome")]
    browser = next(filter(None, found), None)
    if browser is None:
        raise RuntimeError("Chromium is not installed")
    window = ",".join(map(str, size))
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--virtual-time-budget=3000"]
    command = [browser, *options, f"--window-size={window}", f"--screenshot={path}", page.resolve().as_uri()]
    subprocess.run(command, check=True, capture_output=True, timeout=120)


def small(path: Path) -> None:
    """Write a picture with a palette, which pictures of few colours need no more than."""
    with Image.open(path) as found:
        reduced = found.convert("RGB").quantize(128, dither=Image.Dither.NONE)
    reduced.save(path, optimize=True)
    if path.stat().st_size > LARGEST:
        raise RuntimeError(f"{path} has {path.stat().st_size} bytes; at most {LARGEST} go into the repository")


FIGURES: dict[str, Callable[[Path], None]] = {f.__name__: f for f in (readme_model, model, demo_curves, diff_page)}


def main(names: list[str]) -> None:
    """Draw the figures of the names, all without any."""
    for name in names or FIGURES:
        path = Path(name) if name.endswith(".png") else FOLDER / f"{name}.png"
        if name in FIGURES:
            FIGURES[name](path)
        small(path)
        print(f"{path}: {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main(sys.argv[1:])
