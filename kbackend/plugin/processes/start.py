"""Starting the processes of a run on this machine, which speak on loopback alone."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from kbackend.plugin.processes.group import DistributedError
from kbackend.plugin.processes.launch import MPIRUN, TORCHRUN, Launcher


class Ended(NamedTuple):
    """A process that ended.

    Attributes:
        status: its exit status, None where it was killed at the limit.
        text: all that it printed.
        seconds: from the start of all processes to its end.
    """

    status: int | None
    text: str
    seconds: float


def run_together(
    launcher: Launcher, count: int, command: Sequence[str], environment: Mapping[str, str], limit: float
) -> list[Ended]:
    """Run a command in several processes as a launcher would, and end all of them in any case.

    Args:
        launcher: what the engine of the command knows.
        count: the number of processes.
        command: what each runs.
        environment: variables beside those of this process.
        limit: seconds after which those that are running are killed.

    Returns:
        One result for each process, or one for all where the launcher is a program that starts them.

    Raises:
        DistributedError: the launcher is a program that is not installed.
    """
    if launcher is MPIRUN:
        found = mpirun()
        if found is None:
            raise DistributedError(f"{MPIRUN.command} is not installed")
        options = ["-np", str(count), "--oversubscribe", "--allow-run-as-root", "--mca", "btl_tcp_if_include", "lo"]
        return run([([found, *options, *command], {})], environment, limit)
    return run([(command, own) for own in _variables(launcher, count)], environment, limit)


def mpirun() -> str | None:
    """The program that starts processes of MPI: the one beside the interpreter, or on the path."""
    beside = Path(sys.executable).with_name(MPIRUN.command)
    return str(beside) if beside.exists() else shutil.which(MPIRUN.command)


def _variables(launcher: Launcher, count: int) -> list[dict[str, str]]:
    """The environment of each process."""
    ports = _free_ports(count)
    if launcher is TORCHRUN:
        common = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(ports[0]), "GLOO_SOCKET_IFNAME": "lo"}
        ranks, size = launcher.variables[0]
        return [{**common, size: str(count), ranks: str(n), "LOCAL_RANK": str(n)} for n in range(count)]
    cluster = {"worker": [f"127.0.0.1:{port}" for port in ports]}
    tasks = [{"cluster": cluster, "task": {"type": "worker", "index": n}} for n in range(count)]
    return [{launcher.command: json.dumps(task)} for task in tasks]


def _free_ports(count: int) -> list[int]:
    """Ports that the system gave, free again."""
    with contextlib.ExitStack() as opened:
        sockets = [opened.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def run(
    commands: Sequence[tuple[Sequence[str], Mapping[str, str]]], environment: Mapping[str, str], limit: float
) -> list[Ended]:
    """Run commands side by side, each with variables of its own, and end all of them in any case."""
    running: list[subprocess.Popen[bytes]] = []
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as opened:
        files = [opened.enter_context(open(Path(folder, str(n)), "w+b")) for n in range(len(commands))]
        with _ended(running):
            for (command, own), file in zip(commands, files):
                every = {**os.environ, **environment, **own}
                running.append(
                    subprocess.Popen(
                        list(command), env=every, cwd=folder, stdout=file, stderr=subprocess.STDOUT,
                        start_new_session=True,
                    )
                )  # fmt: skip
            ends = _ends(running, started + limit)
        texts = []
        for file in files:
            file.seek(0)
            texts.append(file.read().decode(errors="replace"))
    return [Ended(status, text, end - started) for (status, end), text in zip(ends, texts)]


@contextlib.contextmanager
def _ended(running: Sequence[subprocess.Popen[bytes]]) -> Iterator[None]:
    """A context after which the processes and those that they started are killed."""
    try:
        yield
    finally:
        for process in running:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _ends(running: Sequence[subprocess.Popen[bytes]], limit: float) -> list[tuple[int | None, float]]:
    """The status of each process, and when it ended; None for those that run at the limit."""
    found: dict[int, tuple[int | None, float]] = {}
    while len(found) < len(running) and time.monotonic() < limit:
        for place, process in enumerate(running):
            if place not in found and process.poll() is not None:
                found[place] = process.returncode, time.monotonic()
        time.sleep(0.02)
    return [found.get(place, (None, limit)) for place in range(len(running))]
