"""Who is measured: which module, on which engine, in which variant, with which environment."""

from __future__ import annotations

from dataclasses import dataclass, field

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


BY_HAND_VARIANTS = {"torch": ["eager"], "tensorflow": ["graph", "xla"], "numpy": ["autograd"]}
# On tensorflow "block" is the CPU kernel that runs a whole LSTM sequence; only that workload has it.
EXTRA_VARIANTS = {("lstm", "tensorflow"): ["block"]}
KERAS_VARIANTS = {"torch": ["eager"], "tensorflow": ["graph", "xla"]}


def peers_of(workload: str, engines: list[str], families: list[str], compiled: bool = False) -> list[Peer]:
    """The peers of a workload, engine by engine; `compiled` adds torch.compile.

    kbackend's "auto" is jit="auto", which measures in its first step whether the engine's compiler pays; it is
    there where programs by hand have a compiled variant.
    """
    found = []
    for engine in engines:
        if "by hand" in families:
            variants = BY_HAND_VARIANTS[engine] + EXTRA_VARIANTS.get((workload, engine), [])
            if compiled and engine == "torch":
                variants = [*variants, "compile"]
            found += [by_hand(workload, engine, variant) for variant in variants]
        if "Keras 3" in families:
            found += [keras(engine, variant) for variant in KERAS_VARIANTS.get(engine, [])]
        if "kbackend" in families:
            variants = ["plain", "auto"] if engine == "tensorflow" or compiled and engine == "torch" else ["plain"]
            found += [kbackend(engine, variant) for variant in variants]
    return found


def by_hand(workload: str, engine: str, variant: str) -> Peer:
    imports = "autograd" if engine == "numpy" else engine
    module = f"benchmarks.by_hand.{engine}_{workload}"
    return Peer(f"{engine} by hand, {variant}", "by hand", engine, variant, module, imports)


def keras(engine: str, variant: str) -> Peer:
    name, environment = f"Keras 3 {engine}, {variant}", {"KERAS_BACKEND": engine}
    return Peer(name, "Keras 3", engine, variant, "benchmarks.keras3.program", "keras", environment)


def kbackend(engine: str, variant: str) -> Peer:
    name = f"kbackend {engine}" if variant == "plain" else f"kbackend {engine}, {variant}"
    module = "benchmarks.kbackend_.program"
    return Peer(name, "kbackend", engine, variant, module, "kbackend", {"KBACKEND": engine})
