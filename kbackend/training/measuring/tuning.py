"""Which way a model runs fastest here: eager or compiled, and on which engine. Measured, and remembered on disk."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from time import perf_counter
from typing import Any

from kbackend.graph.walk import Graph
from kbackend.lowering.fingerprint import fingerprint
from kbackend.lowering.measure import WARM, alternated, engine_key, step_of, untouched
from kbackend.plugin import remembered, select
from kbackend.plugin.discover import available_backends
from kbackend.runtime.function import Function

KINDS = ("train", "predict")


@dataclass
class Candidate:
    """One way to run the model.

    Attributes:
        engine: the engine and device, as 'torch:cpu'.
        jit: whether the engine's compiler is used.
        milliseconds: 'train' and 'predict' -> the medians of the rounds, for one batch.
        error: why it did not run, None else.
    """

    engine: str
    jit: bool
    milliseconds: dict[str, float] = field(default_factory=dict)
    error: str | None = None


@dataclass
class Tuned:
    """What :meth:`Model.tune` found; printing it shows a table.

    Attributes:
        candidates: all that was tried.
        batch_size: the samples of a batch.
    """

    candidates: list[Candidate]
    batch_size: int

    def best(self, kind: str = "train", engine: str | None = None) -> Candidate:
        """The fastest way to do a step of a kind ('train' or 'predict'), on any engine or on one.

        Raises:
            ValueError: nothing of that kind ran.
        """
        ran = [c for c in self.candidates if kind in c.milliseconds and engine in (None, c.engine)]
        if not ran:
            raise ValueError(f"no candidate ran a {kind} step: {[c.error for c in self.candidates]}")
        return min(ran, key=lambda c: c.milliseconds[kind])

    def __str__(self) -> str:
        lines = [f"{'engine':18}{'mode':10}" + "".join(f"{k + ', ms':>14}{'ratio':>8}" for k in KINDS)]
        for c in self.candidates:
            cells = ""
            for kind in KINDS:
                ms = c.milliseconds.get(kind)
                cells += f"{'-':>14}{'':>8}" if ms is None else (
                    f"{ms:14.3f}{ms / self.best(kind).milliseconds[kind]:8.2f}")
            lines.append(f"{c.engine:18}{'compiled' if c.jit else 'plain':10}{cells}"
                         + (f"  {c.error}" if c.error else ""))
        if len({c.engine.partition(":")[0] for c in self.candidates}) > 1:
            lines.append("engines in one process share its cores; set OMP_NUM_THREADS where their threads fight")
        return "\n".join(lines)


# ------------------------------------------------------------------------------------- measuring


def tune(
    graphs: Mapping[str, Graph],
    variables: Sequence[Any],
    targets: Sequence[Any],
    feeds: Mapping[str, Sequence[Any]],
    batch: int,
    rounds: int,
    clock: Callable[[], float] = perf_counter,
) -> Tuned:
    """Time steps on targets, with and without the engines' compilers, in turns.

    Args:
        graphs: 'predict' and perhaps 'train' -> the graph of the step.
        variables: of the model and its optimizer; these and those of the graphs are the same to the bit afterwards.
        targets: where to try them.
        feeds: kind -> the arrays of a batch, in the order of the graph's inputs.
        batch: how many samples they have.
        rounds: how often each candidate takes its turn.
    """
    candidates: list[Candidate] = []
    steps: list[tuple[Candidate, str, Callable[[], None]]] = []
    with untouched([*variables, *(v for graph in graphs.values() for v in graph.variables())]):
        for target in targets:
            for jit in (False, True) if target.backend.compiler else (False,):
                candidate = Candidate(target.key, jit)
                candidates.append(candidate)
                steps += _warmed(candidate, graphs, feeds, target)
        times = alternated([step for *_, step in steps], rounds, clock)
    for (candidate, kind, _), seconds in zip(steps, times):
        candidate.milliseconds[kind] = seconds * 1e3
    return Tuned(candidates, batch)


def names_of(engines: Any, current: str) -> list[str]:
    """The names of the engines to try.

    Raises:
        ValueError: one is not installed.
    """
    installed = available_backends()
    if engines is None:
        return [current]
    names = list(installed) if engines == "all" else [engines] if isinstance(engines, str) else list(engines)
    unknown = [n for n in names if n not in installed]
    if unknown or not names:
        raise ValueError(f"engines must be of {', '.join(installed)}, or 'all'; given were {engines!r}")
    return names


def _warmed(candidate: Candidate, graphs: Any, feeds: Any, target: Any) -> list[tuple[Candidate, str, Any]]:
    """The steps of a candidate, each run before; none where it cannot run, with the reason in the candidate."""
    found = []
    try:
        for kind, graph in graphs.items():
            function = Function(
                graph.inputs, graph.outputs, graph.updates, f"{graph.name}_tuned", candidate.jit, int(kind == "train")
            )
            shapes = tuple(a.shape for a in feeds[kind]) if kind == "train" else None  # as fit has them
            program = function.program(target, int(kind == "train"), shapes=shapes)
            step = step_of(program, partial(_fed, feeds[kind], target), target)
            for _ in range(WARM):
                step()
            found.append((candidate, kind, step))
    except Exception as error:  # whatever an engine's compiler says
        candidate.error = f"{type(error).__name__}: {' '.join(str(error).split())[:160]}"
        return []
    return found


def _fed(arrays: Sequence[Any], target: Any) -> list[Any]:
    return [target.feed(a) for a in arrays]


# ------------------------------------------------------------------------------------- remembering


def keep(graphs: Mapping[str, Graph], tuned: Tuned) -> None:
    """Remember the faster mode of each engine, and the faster engine where several were tried."""
    for kind, graph in graphs.items():
        ran = [c for c in tuned.candidates if kind in c.milliseconds]
        engines = {c.engine for c in ran}
        for engine in engines:
            best = min((c for c in ran if c.engine == engine), key=lambda c: c.milliseconds[kind])
            remembered.remember(
                {"jit": best.jit, "ms": best.milliseconds[kind], "batch": tuned.batch_size},
                "mode", fingerprint(graph), remembered.magnitude(tuned.batch_size), *_engine(engine),
            )
        if len(engines) > 1:
            key, *made = _engine(tuned.best(kind).engine)
            remembered.remember({"engine": key, "made": made}, "engine", kind, fingerprint(graphs["predict"]))


def _engine(key: str) -> tuple[str, str, str]:
    return engine_key(select.target(*key.partition(":")[::2]))


def mode(graph: Graph, target: Any, batch: int) -> bool | None:
    """Whether the remembered mode of a step on a target, on about as many samples, is compiled; None where nothing is
    remembered."""
    found = remembered.recall("mode", fingerprint(graph), remembered.magnitude(batch), *engine_key(target))
    return bool(found["jit"]) if isinstance(found, dict) and "jit" in found else None


def fastest_engine(prediction: Graph) -> str | None:
    """The engine and device remembered as the fastest for a model with this prediction, None where none is, it is not
    there, or it is of another version now."""
    predict = fingerprint(prediction)
    for kind in KINDS:
        found = remembered.recall("engine", kind, predict)
        if isinstance(found, dict) and _is_there(found.get("engine"), found.get("made")):
            return found["engine"]
    return None


def _is_there(key: Any, made: Any) -> bool:
    if not isinstance(key, str) or key.partition(":")[0] not in available_backends():
        return False
    try:
        return [*_engine(key)[1:]] == made
    except select.DeviceError:
        return False
