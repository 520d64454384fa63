"""What an install brings and what an import loads."""

from __future__ import annotations

import json
import re
import zlib
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

import pytest

PACKAGES = ("kbackend", "kbackend_numpy", "kbackend_torch", "kbackend_tensorflow")
#: bytes of the wheel: 1.41 million when this was written, of Python text but for the digits of 45,000. A data set, a
#: picture or a generated table that gets in by accident is larger than what is left.
LARGEST = 1_600_000
#: what everyone installs, docs/decisions/0005-dependencies.md; an engine or a format is an extra
BASE = {"numpy", "autograd", "randomgen", "rich", "matplotlib", "ml-dtypes", "pillow", "threadpoolctl"}
LOADED = """
import json, sys
before = set(sys.modules)
{statement}
new = set(sys.modules) - before
ours = sorted(m for m in new if m.split(".")[0].startswith("kbackend"))
others = {{m.split(".")[0] for m in new - set(ours) if "cython" not in m}} - sys.stdlib_module_names
print(json.dumps([ours, sorted(others)]))
"""


@pytest.mark.tree
def test_the_wheel_stays_small():
    size = 0
    for package in PACKAGES:
        files = [p for p in Path(find_spec(package).origin).parent.rglob("*") if p.is_file()]
        size += sum(len(zlib.compress(p.read_bytes())) for p in files if "__pycache__" not in p.parts)
    assert 1_000_000 < size < LARGEST


def test_a_plain_install_brings_no_more_than_was_decided():
    wanted = [line for line in metadata.requires("kbackend") if "extra ==" not in line]
    names = {re.match(r"[\w.-]+", line)[0].lower().replace("_", "-") for line in wanted}
    assert names == BASE


@pytest.mark.parametrize("statement, most, others", [
    ("import kbackend", 3, set()),
    ("from kbackend import K", 240, {"numpy"}),
    ("from kbackend import Input, K, Model, layers", 530, {"numpy"}),
    ("import kbackend.tools.cli", 10, set()),
    # docs/guide/deploy.md lists what serving needs; a file of Keras needs h5py besides
    ("from kbackend import layers, Sequential; Sequential([layers.Dense(1, input_shape=(2,))]).predict([[0.0, 0.0]])",
     600, {"numpy", "autograd", "ml_dtypes", "randomgen", "threadpoolctl", "kbackend_numpy"}),
])  # fmt: skip
def test_an_import_loads_little(statement, most, others, fresh_python):
    """Modules are counted, since seconds depend on the machine."""
    ours, foreign = json.loads(fresh_python(LOADED.format(statement=statement), env={"KBACKEND": "numpy"}))
    assert len(ours) <= most and set(foreign) <= others
