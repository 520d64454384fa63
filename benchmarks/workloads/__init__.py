"""The four networks: sizes, data and initial weights, with no engine in sight."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

NAMES = ("autoencoder", "lstm", "convnet", "transformer")


def load(name: str) -> ModuleType:
    """The module of a workload: `data(samples)`, `initial_weights()`, `LOSS` and its sizes."""
    if name not in NAMES:
        raise ValueError(f"unknown workload {name!r}; there are {', '.join(NAMES)}")
    return import_module(f"benchmarks.workloads.{name}")
