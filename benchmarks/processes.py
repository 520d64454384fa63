"""Workers as the parent sees them."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

from benchmarks.peers import Peer

ROOT = Path(__file__).resolve().parents[1]
QUIET = {"TF_CPP_MIN_LOG_LEVEL": "3"}


class WorkerError(Exception):
    """A worker answered with an error, died, or took too long."""


def environment(peer: Peer) -> dict[str, str]:
    return {**os.environ, **QUIET, **peer.environment}


class WorkerProcess:
    """Starts at once and imports its engine; `ask` sends a command and waits for the answer."""

    def __init__(self, workload: str, peer: Peer) -> None:
        self.peer = peer
        self._errors = tempfile.TemporaryFile()
        self._remembered = tempfile.TemporaryDirectory()  # of kbackend; empty, so that its first step measures
        command = [
            sys.executable,
            "-m",
            "benchmarks.worker",
            workload,
            peer.engine,
            peer.module,
            peer.variant,
        ]
        self._process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment(peer) | {"KBACKEND_CACHE": self._remembered.name},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            bufsize=1,
        )
        self._answers: queue.SimpleQueue[str] = queue.SimpleQueue()
        threading.Thread(target=self._read, daemon=True).start()
        self.send("import")

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._answers.put(line)
        self._answers.put("")

    def send(self, do: str, **arguments: Any) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps({"do": do, **arguments}) + "\n")
        except OSError as error:
            raise WorkerError(f"died: {self.last_words()}") from error

    def receive(self, timeout: float) -> dict[str, Any]:
        try:
            line = self._answers.get(timeout=timeout)
        except queue.Empty:
            raise WorkerError(f"no answer in {timeout:.0f} s") from None
        if not line:
            raise WorkerError(f"died: {self.last_words()}")
        answer = json.loads(line)
        if "error" in answer:
            raise WorkerError(answer["error"])
        return answer

    def ask(self, do: str, timeout: float = 600, **arguments: Any) -> dict[str, Any]:
        self.send(do, **arguments)
        return self.receive(timeout)

    def last_words(self) -> str:
        self._process.wait(5)
        self._errors.seek(0)
        lines = self._errors.read().decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else f"exit status {self._process.returncode}"

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:
                    pass
        self._errors.close()
        self._remembered.cleanup()
