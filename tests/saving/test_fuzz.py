"""A short run of the fuzzer of benchmarks/files/fuzz_files.py over each format."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("h5py")
ROOT = Path(__file__).parents[2]


# Files of HDF5 are read by a library in C, which loops on some of those that are changed by the byte; see
# docs/security.md. What is changed inside of them is in test_security.py.
@pytest.mark.parametrize("kind", [".kb", ".keras", ".safetensors", ".json"])
def test_changed_files_are_refused_or_do_no_harm(kind, bytecode_apart):
    if not (ROOT / "benchmarks" / "files" / "fuzz_files.py").exists():
        pytest.skip("the fuzzer is part of the sources, not of the package")
    command = [sys.executable, "-m", "benchmarks.files.fuzz_files", "--count", "60", "--seed", "7", "--formats", kind]
    environment = {**os.environ, "KBACKEND": "numpy", **bytecode_apart}
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    counts = done.stdout.splitlines()[1].split()[1:]
    assert sum(map(int, counts)) == 60 and int(counts[0]) > 20
