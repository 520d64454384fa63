"""``K.function(..., jit="auto")``: the faster of the plain and the compiled program, measured on the first feeds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import perf_counter
from typing import Any

from kbackend.declare.shapes import product
from kbackend.graph.walk import Graph
from kbackend.ground.warn import warn_caller
from kbackend.lowering.fingerprint import fingerprint
from kbackend.lowering.measure import WARM, alternated, engine_key, step_of, untouched
from kbackend.lowering.program import Program
from kbackend.plugin import remembered
from kbackend.plugin.contract import Target

_ROUNDS = 5


def faster(
    graph: Graph, target: Target, phase: int, rng: str, feeds: Sequence[Any], clock: Callable[[], float] = perf_counter
) -> Program:
    """The faster of the plain and the compiled program of a graph.

    The choice is read from the cache on disk, or measured on these feeds and cached. If compilation fails, a warning is
    issued and the plain program is returned. Errors of the plain program propagate.
    """
    plain = Program(graph, target, phase, None, rng)
    if not target.backend.compiler:
        return plain
    size = remembered.magnitude(sum(product(target.backend.spec(f).shape) or 0 for f in feeds))
    key = ("mode", f"{fingerprint(graph)} phase {phase} {rng}", size, *engine_key(target))
    found = remembered.recall(*key)
    known = isinstance(found, dict) and "jit" in found
    if known and not found["jit"]:
        return plain
    with untouched(graph.variables()):
        step = _warmed(plain, feeds, target)
        try:
            compiled = Program(graph, target, phase, True, rng)
            compiled_step = _warmed(compiled, feeds, target)
        except Exception as error:  # of any kind; not cached, since another version of the compiler may succeed
            warn_caller(f"{graph.name} with jit='auto' runs without the compiler: {error}")
            return plain
        if known:
            return compiled
        times = alternated([step, compiled_step], _ROUNDS, clock)
    jit = times[1] < times[0]
    remembered.remember({"jit": jit, "ms": times[jit] * 1e3}, *key)
    return compiled if jit else plain


def _warmed(program: Program, feeds: Sequence[Any], target: Target) -> Callable[[], None]:
    step = step_of(program, lambda: feeds, target)
    for _ in range(WARM):
        step()
    return step


__all__ = ["faster"]
