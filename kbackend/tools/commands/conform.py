"""``kbackend conform``: the conformance kit on one backend."""

from __future__ import annotations

import argparse
import importlib.util
import shlex
import subprocess
import sys

from kbackend.plugin.discover import check_installed

#: exit status of pytest -> that of the command: tests that failed are what it looks for
_STATUS = {0: 0, 1: 1}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.epilog = "The exit code is 1 where a test fails. KBACKEND_DEVICE names the device."
    parser.add_argument("backend", help="an installed backend, such as numpy")
    parser.add_argument("-k", dest="only", metavar="EXPRESSION", help="only tests whose names match, such as tanh")
    parser.add_argument(
        "--pytest", default="", metavar="OPTIONS", help='further options of pytest, as in --pytest="-x -n 2"'
    )


def run(options: argparse.Namespace) -> int:
    """Run the kit in a process of its own; return 0, or 1 where a test fails."""
    check_installed(options.backend)
    if importlib.util.find_spec("pytest") is None:
        raise RuntimeError("the conformance kit needs pytest: pip install pytest")
    chosen = ["-k", options.only] if options.only else []
    kit = [sys.executable, "-m", "kbackend.testing", options.backend, "-p", "no:cacheprovider"]
    status = subprocess.run([*kit, *chosen, *shlex.split(options.pytest)], check=False).returncode
    if status == 5:
        which = f"matches {options.only!r}" if options.only else f"is left by {options.pytest!r}"
        print(f"kbackend: no test of the kit {which}", file=sys.stderr)
    return _STATUS.get(status, 2)
