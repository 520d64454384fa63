"""Training is killed at random instants, started again, and compared with one that was never interrupted.

    python -m benchmarks.files.kill_training --kills 40 --engines numpy torch tensorflow

For each kill a new process trains a small model with ``fit(..., resume=folder)`` in deterministic mode, with a
checkpoint every few steps, and gets SIGKILL at an instant that is drawn from the time between its first step and its
end. It is then started again and trains to its end. Counted is

- exact: weights, state of the optimizer, history and states of callbacks equal those of the uninterrupted run to the
  byte,
- other: they do not, or the second process failed,
- at work: the process had not ended before,
- went on within: there was a checkpoint to go on from.

The model has dropout, batch normalization, Adam, a metric with a state, validation, EarlyStopping that restores the
best weights and ReduceLROnPlateau; the order of the samples is drawn.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

EPOCHS, STEPS, EVERY = 8, 40, 3
BEGUN = "training"


def train(folder: str) -> None:
    """Train in this process, and print a line after the first step and the digest of all there is at the end."""
    import numpy as np

    import kbackend
    from kbackend import Input, Model, layers, metrics, optimizers
    from kbackend.callbacks import BackupAndRestore, EarlyStopping, LambdaCallback, ReduceLROnPlateau

    kbackend.set_deterministic()
    kbackend.set_seed(3)
    draws = np.random.RandomState(0)
    x = draws.normal(size=(STEPS * 16 - 5, 12)).astype("float32")
    y = (x[:, :1] * x[:, 1:2] > 0).astype("float32")
    inputs = Input((12,), name="x")
    h = layers.BatchNormalization(name="norm")(layers.Dense(32, activation="relu", name="first")(inputs))
    h = layers.Dense(1, activation="sigmoid", name="last")(layers.Dropout(0.3, name="drop")(h))
    model = Model(inputs, h)
    model.compile(optimizers.Adam(0.01), "binary_crossentropy", metrics=[metrics.AUC()])
    lines = iter([BEGUN])  # after the first step, for which an engine may need longer than for all others
    begun = LambdaCallback(on_train_batch_end=lambda batch, logs: [print(line, flush=True) for line in lines])
    watching = [EarlyStopping("val_loss", patience=5, restore_best_weights=True),
                ReduceLROnPlateau("loss", patience=1, min_delta=0.05)]
    slower = LambdaCallback(on_train_batch_end=lambda batch, logs: time.sleep(0.002))  # checkpoints are due in between
    backup = BackupAndRestore(folder, save_freq=EVERY, delete_checkpoint=False)
    history = model.fit(x, y, 16, EPOCHS, verbose=0, validation_split=0.2, callbacks=[*watching, begun, slower],
                        resume=backup)
    digest = hashlib.sha256()
    for variable in (*model.weights, *model.optimizer.variables()):
        digest.update(variable.numpy().tobytes())
    states = [repr(callback.state_dict()) for callback in watching]
    digest.update(json.dumps([history.history, history.epoch, states]).encode())
    print("end", digest.hexdigest(), flush=True)


def started(folder: Path, engine: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "KBACKEND": engine, "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, "-m", "benchmarks.files.kill_training", "--train", str(folder)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment,
                            cwd=Path(__file__).parents[2])


def ended(process: subprocess.Popen[str]) -> tuple[str, str]:
    """The digest of a process that trains to its end, and its errors."""
    out, error = process.communicate()
    return next((line.split()[1] for line in out.splitlines() if line.startswith("end")), ""), error


def killed(folder: Path, engine: str, seconds: float) -> bool:
    """Start a training and kill it some time after its first step; whether it was still at work."""
    process = started(folder, engine)
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith(BEGUN):
            break
    time.sleep(seconds)
    alive = process.poll() is None
    process.send_signal(signal.SIGKILL)
    process.communicate()
    return alive


def text(counts: dict[str, Any]) -> str:
    return "  ".join(f"{key}: {value}" for key, value in counts.items())


def run(engine: str, kills: int, seed: int, verbose: bool = False) -> dict[str, Any]:
    """Counts for an engine; printed after each kill where ``verbose``."""
    draws = random.Random(seed)
    with tempfile.TemporaryDirectory() as name:
        process = started(Path(name) / "whole", engine)
        assert process.stdout is not None
        process.stdout.readline()
        start = time.perf_counter()
        wanted, error = ended(process)
        length = time.perf_counter() - start
        if not wanted:
            raise RuntimeError(f"the uninterrupted training on {engine} failed:\n{error}")
        counts = {"engine": engine, "kills": 0, "at work": 0, "exact": 0, "other": 0, "went on within": 0}
        for number in range(kills):
            folder = Path(name) / str(number)
            counts["kills"] += 1
            counts["at work"] += killed(folder, engine, draws.uniform(0, length))
            counts["went on within"] += any(folder.glob("backup-*"))
            found, error = ended(started(folder, engine))
            counts["exact" if found == wanted else "other"] += 1
            if verbose:
                print(text(counts), flush=True)
            if found != wanted:
                print(f"{engine}, kill {number}: {error.strip()[-500:] or 'another result'}", file=sys.stderr)
    return counts


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=40, help="of each engine")
    parser.add_argument("--engines", nargs="+", default=["numpy"])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--verbose", action="store_true", help="print the counts after each kill")
    parser.add_argument("--train", metavar="FOLDER", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.train:
        train(options.train)
        return 0
    faults = 0
    for engine in options.engines:
        counts = run(engine, options.kills, options.seed, options.verbose)
        print(text(counts), flush=True)
        faults += counts["other"]
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main())
