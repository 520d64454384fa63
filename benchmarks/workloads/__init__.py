"""The networks: sizes, data and initial weights, with no engine in sight."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

import numpy as np

NAMES = (
    "autoencoder",
    "lstm",
    "convnet",
    "transformer",
    "resnet",
    "unet",
    "translator",
    "tagger",
    "depthwise",
    "rows",
)


def load(name: str) -> ModuleType:
    """The module of a workload: `data(samples)`, `initial_weights()`, `LOSS` and its sizes.

    It may have `counted(inputs)`, the outputs that a mask leaves; `SMALL`, sizes for trials of the same network; and
    `LEARN`, what is other than usual where a trial is to learn; `STEPS_TOLERANCE`, how far outputs may be afterwards.
    """
    if name not in NAMES:
        raise ValueError(f"unknown workload {name!r}; there are {', '.join(NAMES)}")
    return import_module(f"benchmarks.workloads.{name}")


def counted(workload: ModuleType, inputs: tuple[np.ndarray, ...]) -> np.ndarray | None:
    """Which outputs count, None where all do."""
    return workload.counted(inputs) if hasattr(workload, "counted") else None
