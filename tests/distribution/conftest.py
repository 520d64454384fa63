"""What several processes do, started once for many tests."""

from __future__ import annotations

import shutil
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest
from support import distributed as worker
from support.processes import Ended, missing, run_module

import kbackend
from kbackend.distribution import DataParallel

#: engine -> how many processes, and what the last one does at the end
RUNS = {"numpy": (2, "hangs"), "torch": (4, "killed"), "tensorflow": (2, "leaves")}


class Run(NamedTuple):
    engine: str
    count: int
    folder: Path
    ended: list[Ended]

    @property
    def texts(self) -> str:
        return "\n".join(each.text[-3000:] for each in self.ended)


def run_once(engine: str, count: int, folder: Path, module: str, *arguments: str) -> Run:
    """Run a module in several processes to its end, which is the failure of the last one."""
    ended = run_module(engine, count, module, *arguments)
    if any("did not meet" in each.text for each in ended):  # gloo gives up a connection that is refused for a second
        ended = run_module(engine, count, module, *arguments)
    made = Run(engine, count, folder, ended)
    assert all((folder / f"{rank}.began").exists() for rank in range(count)), made.texts
    return made


@pytest.fixture(scope="session")
def started(tmp_path_factory, request):
    """A function that gives the run of an engine, which it starts at its first call: all that several processes do with
    whole weights. On torch their training goes on from that of two processes with divided weights."""

    @cache
    def start(engine: str) -> Run:
        (count, how), folder = RUNS[engine], tmp_path_factory.mktemp("run")
        if engine == "torch":
            shutil.copytree(request.getfixturevalue("sharded").folder / "backups", folder / "backups")
        return run_once(engine, count, folder, "support.distributed", "same", str(folder), how)

    return start


@pytest.fixture(scope="module", params=[pytest.param(name, marks=pytest.mark.engine(name)) for name in RUNS])
def run(request, started):
    """The run of each engine."""
    if why := missing(request.param):
        pytest.skip(why)
    with kbackend.use_backend(request.param):
        yield started(request.param)


@pytest.fixture(scope="session")
def sharded(tmp_path_factory):
    """All that two processes do with divided weights; their training goes on from that of one process."""
    folder = tmp_path_factory.mktemp("sharded")
    with kbackend.use_backend("torch"):
        worker.until_interrupted(DataParallel(), folder / "backups", (0, 5))
    return run_once("torch", 2, folder, "support.sharded", str(folder), "raises")
