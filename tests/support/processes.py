"""Processes of a distributed run, started on loopback."""

from __future__ import annotations

import importlib.util
import os
import sys

from kbackend.plugin.processes import start
from kbackend.plugin.processes.start import Ended
from kbackend.plugin.select import get_backend
from support.places import ROOT


def missing(engine: str) -> str | None:
    """Why several processes cannot run on an engine here, None where they can."""
    if engine != "numpy":
        return None
    if importlib.util.find_spec("mpi4py") is None:
        return "mpi4py is not installed"
    return None if start.mpirun() else "there is no mpirun"


def _environment(engine: str) -> dict[str, str]:
    paths = [str(ROOT / "tests"), *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    one = dict.fromkeys(("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"), "1")
    return {"KBACKEND": engine, "PYTHONPATH": os.pathsep.join(paths), **one}


def run_module(engine: str, count: int, module: str, *arguments: str, limit: float = 240.0) -> list[Ended]:
    """Run a module in several processes on an engine; see :func:`kbackend.plugin.processes.start.run_together`."""
    command = [sys.executable, "-m", module, *arguments]
    return start.run_together(get_backend(engine).launcher, count, command, _environment(engine), limit)


def run_torchrun(count: int, restarts: int, module: str, *arguments: str, limit: float = 240.0) -> Ended:
    """Run a module under torchrun, which starts all processes again after one failed."""
    options = ["--standalone", "--local-addr", "127.0.0.1", "--nproc-per-node", str(count)]
    options += ["--max-restarts", str(restarts), "--monitor-interval", "0.1", "-m", module]
    command = [sys.executable, "-m", "torch.distributed.run", *options, *arguments]
    return start.run([(command, {})], {**_environment("torch"), "GLOO_SOCKET_IFNAME": "lo"}, limit)[0]
