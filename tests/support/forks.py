"""Programs in forks of one process that has imported the library, which takes longer than most of them run."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

#: reads a folder and a program a line, and answers with the status of the fork that ran it
SERVER = """
import json, os, signal, sys, traceback
import numpy
from kbackend import K, Model, layers

K.backend()
for line in sys.stdin:
    folder, code, limit = json.loads(line)
    fork = os.fork()
    if not fork:
        signal.alarm(limit)
        os.chdir(folder)
        os.environ["HOME"] = os.environ["USERPROFILE"] = folder
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(os.open("printed.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 1)
        os.dup2(1, 2)
        status = 1
        try:
            exec(code, {"__name__": "__main__"})
            status = 0
        except BaseException:
            traceback.print_exc()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
    print(json.dumps(os.waitstatus_to_exitcode(os.waitpid(fork, 0)[1])), flush=True)
"""


class Forks:
    """The process, with variables of its own."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", SERVER], env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def run(self, code: str, folder: Path, limit_s: int = 120) -> str:
        """What a program printed that ran in the folder, without a name of any other."""
        assert self.process.stdin is not None and self.process.stdout is not None
        print(json.dumps([str(folder), code, limit_s]), file=self.process.stdin, flush=True)
        status = json.loads(self.process.stdout.readline())
        printed = (folder / "printed.txt").read_text(encoding="utf-8")
        assert status == 0, f"the fork ended with {status}\n{printed}"
        return printed

    def __enter__(self) -> Forks:
        return self

    def __exit__(self, *raised: object) -> None:
        self.process.communicate()


__all__ = ["Forks"]
