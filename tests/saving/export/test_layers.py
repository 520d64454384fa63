"""Every configuration of the table of layers as a program of its own, run in a process that has no kbackend."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from layers import table

import kbackend
from kbackend.testing.compare import difference

pytestmark = pytest.mark.usefixtures("fresh_session")

#: what the process may not import: kbackend and what only kbackend needs
ABSENT = ("kbackend", "kbackend_numpy", "kbackend_torch", "kbackend_tensorflow", "autograd", "randomgen", "rich")

RUNNER = """
import importlib, json, sys
from pathlib import Path

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {absent}:
            raise ImportError(f"{{name}} is not there")

sys.meta_path.insert(0, Absent())
sys.path.insert(0, {folder!r})
import numpy as np

found, failed = {{}}, {{}}
for path in sorted(Path({folder!r}).glob("row_*.npz")):
    values = [array for _, array in sorted(np.load(path).items())]
    try:
        made = importlib.import_module(path.stem).load().predict(values)
    except Exception as error:
        failed[path.stem] = f"{{type(error).__name__}}: {{error}}"
        continue
    for place, array in enumerate(made if isinstance(made, (list, tuple)) else [made]):
        found[f"{{path.stem}}/{{place}}"] = np.asarray(array)
np.savez({folder!r} + "/found", **found)
Path({folder!r}, "failed.json").write_text(json.dumps(failed))
"""


def model_of(row: table.Row) -> kbackend.Model:
    made = table.made(row, **table.last(row))
    return kbackend.Model([*made.inputs, *made.masks], made.outputs)


def run_apart(folder: Path) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """Outputs and errors of all programs of a folder."""
    code = RUNNER.format(absent=ABSENT, folder=str(folder))
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return dict(np.load(folder / "found.npz")), json.loads((folder / "failed.json").read_text())


@pytest.mark.timeout(900)  # 500 programs
def test_every_layer_computes_the_same_without_kbackend(each_backend, tmp_path, monkeypatch):
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)  # of 3,000 files, which live as long as the test
    wanted, rows = {}, table.all_rows()
    for number, row in enumerate(rows):
        model, values, name = model_of(row), [*row.inputs(), *row.masks()], f"row_{number}"
        model.export(tmp_path / f"{name}.py")
        np.savez(tmp_path / name, **{f"{i:02}": value for i, value in enumerate(values)})
        predicted = model.predict(values)
        for place, array in enumerate(predicted if isinstance(predicted, list) else [predicted]):
            wanted[f"{name}/{place}"] = array
    found, failed = run_apart(tmp_path)
    assert not {str(rows[int(name[4:])]): why for name, why in failed.items()}
    assert found.keys() == wanted.keys()
    faults = {key: difference(found[key], right, rows[int(key[4:].partition("/")[0])].bound)
              for key, right in wanted.items()}
    assert not {str(rows[int(k[4:].partition("/")[0])]): why for k, why in faults.items() if why is not None}
    print(f"{each_backend}: {len(rows)} configurations equal")
    pytest.importorskip("ruff", reason="ruff is not installed")
    for rules in ([], ["--select", "E,F,W,I,UP,B", "--ignore", "B905"]):  # the rules that it has by itself, and these
        ruff = [sys.executable, "-m", "ruff", "check", "--isolated", "--line-length", "120", *rules, str(tmp_path)]
        checked = subprocess.run(ruff, capture_output=True, text=True, check=False)
        assert checked.returncode == 0, checked.stdout[-3000:]
