"""A file of Keras from a cold process to its first prediction: time, memory, and the size of what must be installed.

    python -m benchmarks.files.cold_start --rounds 5

Keras 3 makes a convnet and an LSTM with random weights and saves them as ``.keras``. Each contender is a new process
that imports what it needs, loads the file and predicts one sample: kbackend on NumPy and on PyTorch, Keras 3 on
TensorFlow and on PyTorch. Given are the best of the rounds in seconds from the start of the process, the largest memory
in MiB, the size in MiB of all that pip installs for it and of the part whose modules were loaded, and the largest
difference to the prediction of Keras on TensorFlow; then the size of the least install for NumPy. Figures count on an
idle machine only.
The first round of each warms the disk's cache and is not counted.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from importlib import metadata
from pathlib import Path
from typing import Any

WORKLOADS = {"convnet": (28, 28, 1), "lstm": (50, 16)}
#: library, engine, and what pip is asked for
CONTENDERS = {
    "kbackend, NumPy": ("kbackend", "numpy", ["kbackend[keras-files]"]),
    "kbackend, PyTorch": ("kbackend", "torch", ["kbackend[keras-files,torch]"]),
    "Keras 3, TensorFlow": ("keras", "tensorflow", ["keras", "tensorflow-cpu"]),
    "Keras 3, PyTorch": ("keras", "torch", ["keras", "torch"]),
}
#: what serving on NumPy needs of all that pip installs: the least install of docs/guide/deploy.md
LEAST = {"kbackend", "numpy", "autograd", "randomgen", "ml_dtypes", "threadpoolctl", "h5py"}


def made(name: str) -> Any:
    """The model of a workload, of Keras."""
    import keras

    keras.utils.set_random_seed(0)
    layers, inputs = keras.layers, keras.Input(WORKLOADS[name])
    if name == "lstm":
        h = layers.LSTM(64, return_sequences=True)(inputs)
        return keras.Model(inputs, layers.Dense(10, activation="softmax")(layers.LSTM(64)(h)))
    h = layers.MaxPooling2D()(layers.Conv2D(32, 3, activation="relu")(inputs))
    h = layers.MaxPooling2D()(layers.Conv2D(64, 3, activation="relu")(h))
    return keras.Model(inputs, layers.Dense(10, activation="softmax")(layers.Flatten()(h)))


def predict(library: str, path: str, shape: str) -> None:
    """In a new process: load, predict, and print what it took as JSON."""
    import numpy as np

    sample = np.random.RandomState(0).normal(size=(1, *json.loads(shape))).astype("float32")
    if library == "keras":
        import keras

        found = keras.models.load_model(path, compile=False).predict(sample, verbose=0)
    else:
        from kbackend.models import load_model

        found = load_model(path, compile=False).predict(sample)
    now = time.time()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    value = np.asarray(found).ravel().tolist()
    print(json.dumps({"at": now, "memory": memory, "loaded": size_of(loaded()), "value": value}))


def loaded() -> set[str]:
    """The distributions whose modules this process has loaded."""
    providers = metadata.packages_distributions()
    names = {module.partition(".")[0] for module in list(sys.modules)}
    return {d for name in names for d in providers.get(name, ())} - {"pip", "setuptools"}


def required(wanted: list[str]) -> set[str]:
    """The distributions that pip installs for requirements, of those that are here."""
    from packaging.requirements import Requirement

    found: set[str] = set()
    left = [Requirement(text) for text in wanted]
    seen: set[tuple[str, str]] = set()
    while left:
        one = left.pop()
        for extra in (*one.extras, ""):
            if (one.name, extra) in seen:
                continue
            seen.add((one.name, extra))
            try:
                parts = metadata.requires(one.name) or []
            except metadata.PackageNotFoundError:  # one that another takes the place of, as tensorflow-cpu
                continue
            found.add(one.name)
            inner = map(Requirement, parts)
            left += [r for r in inner if r.marker is None or r.marker.evaluate({"extra": extra})]
    return found


def size_of(distributions: set[str]) -> float:
    """The size in MiB of the files of distributions; of kbackend that of the folders it is imported from."""
    files = {Path(str(f.locate())) for d in distributions - {"kbackend"} for f in metadata.files(d) or ()}
    for name in ("kbackend", "kbackend_numpy", "kbackend_torch", "kbackend_tensorflow"):
        spec = importlib.util.find_spec(name) if "kbackend" in distributions else None
        for folder in spec.submodule_search_locations or () if spec else ():
            files |= {p for p in Path(folder).rglob("*") if p.suffix != ".pyc"}
    return sum(path.stat().st_size for path in files if path.is_file()) / 2**20


def measured(library: str, engine: str, path: Path, shape: Any) -> dict[str, Any]:
    variable = "KERAS_BACKEND" if library == "keras" else "KBACKEND"
    environment = {**os.environ, variable: engine, "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, "-m", "benchmarks.files.cold_start", "--predict", library, str(path), json.dumps(shape)]
    start = time.time()
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=Path(__file__).parents[2])
    if done.returncode:
        raise RuntimeError(f"{library} on {engine} failed:\n{done.stderr[-2000:]}")
    found = json.loads(done.stdout.splitlines()[-1])
    return {**found, "seconds": found["at"] - start}


def compare(path: Path, shape: Any, rounds: int) -> dict[str, dict[str, float]]:
    """The figures of all contenders for a file; in each round they take turns."""
    runs: dict[str, list[dict[str, Any]]] = {name: [] for name in CONTENDERS}
    for _ in range(rounds + 1):
        for name, (library, engine, _) in CONTENDERS.items():
            runs[name].append(measured(library, engine, path, shape))
    right = runs["Keras 3, TensorFlow"][0]["value"]
    return {
        name: {
            "seconds": min(r["seconds"] for r in found[1:]),
            "memory": min(r["memory"] for r in found[1:]),
            "installed": size_of(required(CONTENDERS[name][2])),
            "loaded": found[0]["loaded"],
            "difference": max(abs(a - b) for r in found for a, b in zip(r["value"], right, strict=True)),
        }
        for name, found in runs.items()
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--workloads", nargs="+", default=list(WORKLOADS))
    parser.add_argument("--make", nargs=2, metavar=("WORKLOAD", "FILE"), help=argparse.SUPPRESS)
    parser.add_argument("--predict", nargs=3, metavar=("LIBRARY", "FILE", "SHAPE"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.predict:
        predict(*options.predict)
        return 0
    if options.make:
        made(options.make[0]).save(options.make[1])
        return 0
    with tempfile.TemporaryDirectory() as folder:
        for name in options.workloads:
            path = Path(folder) / f"{name}.keras"
            command = [sys.executable, "-m", "benchmarks.files.cold_start", "--make", name, str(path)]
            subprocess.run(command, check=True, capture_output=True, cwd=Path(__file__).parents[2],
                           env={**os.environ, "KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3"})
            table = compare(path, WORKLOADS[name], options.rounds)
            print(f"\n{name:22}{'seconds':>10}{'memory MiB':>12}{'installed':>11}{'loaded':>9}{'difference':>12}")
            for contender, row in table.items():
                print(f"{contender:22}{row['seconds']:>10.2f}{row['memory']:>12.0f}{row['installed']:>11.0f}"
                      f"{row['loaded']:>9.0f}{row['difference']:>12.1e}", flush=True)  # fmt: skip
    print(f"\nthe least install for NumPy: {size_of(LEAST):.0f} MiB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
