"""The process of one peer: reads a command a line from stdin, answers a JSON object a line.

Commands are objects with "do": "import", "build" (batch, samples), "train" (epochs), "predict" (calls),
"trial" (batch, samples, epochs, dropout, file) and "memory". An error is an answer too: {"error": "..."}.
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import sys
import traceback
from importlib import import_module
from time import perf_counter
from typing import Any, TextIO

import numpy as np

from benchmarks import workloads
from benchmarks.program import Program

PREDICT_ROWS = 64


class Worker:
    def __init__(self, workload: str, engine: str, module: str, variant: str) -> None:
        self.workload = workloads.load(workload)
        self.engine, self.module_name, self.variant = engine, module, variant
        self.program: Program | None = None

    def do_import(self) -> dict[str, Any]:
        """The engine too, which kbackend loads on use, so that no first step holds the engine's import."""
        import_module(self.engine)
        self.module = import_module(self.module_name)
        return {}

    def do_build(self, batch: int, samples: int) -> dict[str, Any]:
        """Build and run the first step, timed; an epoch warms the rest, a second one is timed."""
        self.data = self.workload.data(samples)
        start = perf_counter()
        program: Program = self.module.build(self.workload, self.data, batch, self.variant)
        program.train(1, rows=batch)
        first_step = perf_counter() - start
        program.train(1)
        start = perf_counter()
        program.train(1)
        epoch = perf_counter() - start
        self.rows = [tuple(array[i : i + 1] for array in self.data.inputs) for i in range(PREDICT_ROWS)]
        for row in self.rows[:5]:
            program.predict(row)
        self.program = program
        return {"first_step_s": first_step, "parameters": program.parameter_count(), "epoch_s": epoch}

    def do_train(self, epochs: int) -> dict[str, Any]:
        start = perf_counter()
        losses = self.built().train(epochs)
        return {
            "ms": (perf_counter() - start) / len(losses) * 1e3,
            "steps": len(losses),
            "last_loss": losses[-1],
        }

    def do_predict(self, calls: int) -> dict[str, Any]:
        """Median of single calls, each on another sample, from NumPy to NumPy."""
        program, times = self.built(), []
        for call in range(calls):
            row = self.rows[call % PREDICT_ROWS]
            start = perf_counter()
            program.predict(row)
            times.append(perf_counter() - start)
        return {"ms": statistics.median(times) * 1e3}

    def do_trial(self, batch: int, samples: int, epochs: int, dropout: bool, file: str) -> dict[str, Any]:
        """Train from the common weights; outputs for all samples, before and after, go to a file."""
        vars(self.workload).update(getattr(self.workload, "SMALL", {}))
        if not dropout and hasattr(self.workload, "RATE"):
            vars(self.workload)["RATE"] = 0.0
        data = self.workload.data(samples)
        self.program = self.module.build(self.workload, data, batch, self.variant)
        before = self.program.predict(data.inputs)
        losses = self.program.train(epochs)
        np.savez(file, before=before, after=self.program.predict(data.inputs), losses=losses)
        return {"parameters": self.program.parameter_count()}

    def do_memory(self) -> dict[str, Any]:
        return {"peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}

    def built(self) -> Program:
        if self.program is None:
            raise RuntimeError("nothing is built")
        return self.program

    def answer(self, line: str) -> dict[str, Any]:
        command = json.loads(line)
        try:
            return getattr(self, "do_" + command.pop("do"))(**command)
        except Exception as error:
            traceback.print_exc()
            return {"error": f"{type(error).__name__}: {error}"}


def private_stdout() -> TextIO:
    """The real stdout; what engines print goes to stderr, so that answers stay clean."""
    sys.stdout.flush()
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    return answers


def main() -> None:
    answers = private_stdout()
    worker = Worker(*sys.argv[1:])
    for line in sys.stdin:
        print(json.dumps(worker.answer(line)), file=answers, flush=True)


if __name__ == "__main__":
    main()
