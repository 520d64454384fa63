"""The programs in examples/ run as a user would run them, and print the same on every engine."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.py"))


def numbers(text: str) -> list[float]:
    return [float(n) for n in re.findall(r"-?\d+\.\d+", text)]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: p.stem)
def test_example_prints_the_same_on_every_engine(path, each_backend, fresh_python):
    code = path.read_text(encoding="utf-8")
    found = numbers(fresh_python(code, env={"KBACKEND": each_backend}))
    expected = numbers(fresh_python(code, env={"KBACKEND": "numpy"}))
    assert found
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=2e-6)
