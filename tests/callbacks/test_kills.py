"""A short run of benchmarks/files/kill_training.py: kills at random instants, and the result of going on."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_a_training_that_was_killed_equals_one_that_was_not(bytecode_apart):
    if not (ROOT / "benchmarks" / "files" / "kill_training.py").exists():
        pytest.skip("the benchmark is part of the sources, not of the package")
    options = ["--kills", "3", "--engines", "numpy", "--seed", "11"]
    command = [sys.executable, "-m", "benchmarks.files.kill_training", *options]
    environment = {**os.environ, **bytecode_apart}
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "kills: 3" in done.stdout and "exact: 3  other: 0" in done.stdout
