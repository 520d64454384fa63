"""Who started the processes of a distributed run."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import NamedTuple

from kbackend.plugin.processes.group import DistributedError


class Launcher(NamedTuple):
    """What starts the processes of a run.

    Attributes:
        command: what users type or set.
        variables: pairs of environment variables in which it tells each process its rank and the number of processes.
    """

    command: str
    variables: tuple[tuple[str, str], ...] = ()


TORCHRUN = Launcher("torchrun", (("RANK", "WORLD_SIZE"),))
TF_CONFIG = Launcher("TF_CONFIG")
MPIRUN = Launcher("mpirun", (("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"), ("PMI_RANK", "PMI_SIZE")))


class Launch(NamedTuple):
    """How this process was started: by what, and as which of how many."""

    launcher: Launcher
    rank: int
    size: int


def launched(environment: Mapping[str, str] = os.environ) -> Launch | None:
    """How this process was started; None where it is the only one.

    Raises:
        DistributedError: variables that are not complete or not right.

    >>> launched({"RANK": "1", "WORLD_SIZE": "4"}).rank
    1
    >>> launched({}) is None
    True
    """
    found = _by_cluster(environment)
    for launcher in (TORCHRUN, MPIRUN):
        for rank, size in launcher.variables:
            if found is None and size in environment:
                found = _checked(launcher, environment.get(rank), environment[size], f"{rank} and {size}")
    return None if found is None or found.size == 1 else found


def _by_cluster(environment: Mapping[str, str]) -> Launch | None:
    """That of a cluster in JSON: the workers, the chief first, in the order of their ranks."""
    text = environment.get(TF_CONFIG.command)
    if not text:
        return None
    try:
        given = json.loads(text)
        cluster, task = given.get("cluster", {}), given.get("task", {})
        chiefs = len(cluster.get("chief", ()))
        size = chiefs + len(cluster.get("worker", ()))
        rank = int(task.get("index", 0)) + (chiefs if task.get("type") == "worker" else 0)
    except (ValueError, AttributeError, TypeError) as error:
        raise DistributedError(f"{TF_CONFIG.command} is no description of a cluster: {error}") from error
    return None if size == 0 else _checked(TF_CONFIG, rank, size, TF_CONFIG.command)


def _checked(launcher: Launcher, rank: object, size: object, where: str) -> Launch:
    try:
        found = Launch(launcher, int(str(rank)), int(str(size)))
    except ValueError:
        raise DistributedError(f"{where} must be integers, they are {rank!r} and {size!r}") from None
    if not 0 <= found.rank < found.size:
        raise DistributedError(f"{where}: there is no process {found.rank} of {found.size}")
    return found
