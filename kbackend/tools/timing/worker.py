"""The process of one engine: ``python -m kbackend.tools.timing.worker ENGINE`` reads requests and answers, JSON lines.

``{"workload": NAME}`` or ``{"file": PATH}``, with ``"batch"``, ``"jit"`` and perhaps ``"data"``, builds a model and
answers ``{"kinds": [...]}``; ``{"turn": true}`` times each kind of step and answers ``{KIND: seconds}``. An answer of
``{"error": text}`` says why a request failed.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any, TextIO

import kbackend
from kbackend.tools.data import arrays_of, drawn_targets
from kbackend.tools.files import read_model
from kbackend.tools.timing.workloads import WORKLOADS
from kbackend.training.placement import JitChoice

#: batches of an epoch of ``fit``, and least seconds of a turn of predictions
_BATCHES, _LEAST = 10, 0.05

Steps = dict[str, tuple[Callable[[], Any], int]]


def steps_of(request: dict[str, Any]) -> Steps:
    """Kind -> a function that runs steps of that kind, and how many it runs."""
    batch = request["batch"]
    model = WORKLOADS[request["workload"]]() if "workload" in request else read_model(Path(request["file"]))
    if request["jit"]:
        model._steps.use_jit(JitChoice(True))
    x, y = arrays_of(model, Path(request["data"]) if request.get("data") else None, batch * _BATCHES)
    size = len(x[0])
    data: Any = x if len(x) > 1 else x[0]
    one: Any = [a[:1] for a in x] if len(x) > 1 else x[0][:1]
    steps: Steps = {}
    if model.optimizer is not None:
        if y is None:
            y = drawn_targets(model, size)
        steps["train"] = (lambda: model.fit(data, y, batch_size=batch, verbose=0, shuffle=False), -(-size // batch))
    steps["predict"] = (lambda: model.predict(data, batch_size=batch, verbose=0), -(-size // batch))
    steps["one sample"] = (lambda: model.predict_on_batch(one), 1)
    for call, _ in steps.values():
        call()
        call()
    return steps


def turn(steps: Steps, clock: Callable[[], float] = perf_counter) -> dict[str, float]:
    """The seconds of one step of each kind, after one call that is not timed, in which idle threads wake up."""
    found = {}
    for kind, (call, count) in steps.items():
        call()
        start, calls = clock(), 0
        while not calls or clock() - start < _LEAST:
            call()
            calls += 1
        found[kind] = (clock() - start) / (calls * count)
    return found


def serve(requests: TextIO, answers: TextIO) -> None:
    """Answer requests until there are no more."""
    steps: Steps = {}
    for line in requests:
        request = json.loads(line)
        try:
            if "turn" in request:
                answer: dict[str, Any] = turn(steps)
            else:
                steps = steps_of(request)
                answer = {"kinds": list(steps)}
        except Exception as error:  # whatever an engine says; the parent prints it in the row of this engine
            answer = {"error": f"{type(error).__name__}: {' '.join(str(error).split())}"}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    output, sys.stdout = sys.stdout, sys.stderr  # what an engine prints is no answer
    kbackend.set_backend(sys.argv[1])
    serve(sys.stdin, output)
