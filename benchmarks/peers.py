"""Who is measured: which module, on which engine, in which variant, with which environment."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from importlib.util import find_spec

ENGINES = ("torch", "tensorflow", "numpy")
FAMILIES = ("by hand", "Keras 3", "kbackend")


@dataclass(frozen=True)
class Peer:
    """One program of a workload; `module` is its file, `imports` what a user of it imports first."""

    name: str
    family: str
    engine: str
    variant: str
    module: str
    imports: str
    environment: dict[str, str] = field(default_factory=dict, compare=False)


#: variants that need no compiler, and the one through each engine's compiler
PLAIN = {"torch": "eager", "tensorflow": "graph", "numpy": "autograd"}
COMPILED = {"torch": "compile", "tensorflow": "xla"}


def peers_of(workload: str, engines: list[str], families: list[str], compilers: Collection[str]) -> list[Peer]:
    """The peers of a workload, engine by engine, on the engines that have a program by hand for it.

    Args:
        compilers: the engines whose compiler takes part: by hand, and as kbackend's jit="auto", which measures in its
            first step whether the compiler pays. Keras has it on TensorFlow.
    """
    found = []
    for engine in (e for e in engines if find_spec(f"benchmarks.by_hand.{e}.{workload}")):
        plain, compiled = [PLAIN[engine]], [COMPILED[engine]] if engine in compilers else []
        if "by hand" in families:
            # On tensorflow "block" is the CPU kernel that runs a whole LSTM sequence; only that workload has it.
            extra = ["block"] if (workload, engine) == ("lstm", "tensorflow") else []
            found += [by_hand(workload, engine, variant) for variant in plain + compiled + extra]
        if "Keras 3" in families and engine != "numpy":
            variants = plain + compiled if engine == "tensorflow" else plain
            found += [keras(engine, variant) for variant in variants]
        if "kbackend" in families:
            found += [kbackend(engine, variant) for variant in ["plain", *(["auto"] if compiled else [])]]
    return found


def by_hand(workload: str, engine: str, variant: str) -> Peer:
    imports = "autograd" if engine == "numpy" else engine
    module = f"benchmarks.by_hand.{engine}.{workload}"
    return Peer(f"{engine} by hand, {variant}", "by hand", engine, variant, module, imports)


def keras(engine: str, variant: str) -> Peer:
    name, environment = f"Keras 3 {engine}, {variant}", {"KERAS_BACKEND": engine}
    return Peer(name, "Keras 3", engine, variant, "benchmarks.keras3.program", "keras", environment)


def kbackend(engine: str, variant: str) -> Peer:
    name = f"kbackend {engine}" if variant == "plain" else f"kbackend {engine}, {variant}"
    module = "benchmarks.kbackend_.program"
    return Peer(name, "kbackend", engine, variant, module, "kbackend", {"KBACKEND": engine})
