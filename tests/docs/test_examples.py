"""The programs in examples/ run, and print the same numbers on every engine.

One process an engine runs them all, because importing an engine takes longer than any of them.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

FOLDER = Path(__file__).parents[2] / "examples"
#: these go through all engines by themselves
TRAVELS, SAME_RUN = "two_engines_one_process", "same_run"
NAMES = sorted(path.stem for path in FOLDER.glob("*.py") if path.stem not in (TRAVELS, SAME_RUN))
LINE = "=== "


def code(names: list[str]) -> str:
    calls = [f"print({LINE + n!r}); runpy.run_path({str(FOLDER / n)!r} + '.py', run_name='__main__')" for n in names]
    return "\n".join(["import runpy", *calls])


def numbers(text: str) -> list[float]:
    return [float(n) for n in re.findall(r"-?\d+\.\d+", text)]


def run_all(fresh_python, engine: str) -> dict[str, str]:
    printed = fresh_python(code(NAMES), env={"KBACKEND": engine})
    parts = [part.partition("\n") for part in printed.split(LINE)[1:]]
    return {name: text for name, _, text in parts}


by_numpy: dict[str, str] = {}


@pytest.fixture
def expected(fresh_python) -> dict[str, str]:
    if not by_numpy:
        by_numpy.update(run_all(fresh_python, "numpy"))
    return by_numpy


def test_there_is_the_training_example_and_each_prints_numbers(expected):
    assert list(expected) == NAMES and "train" in NAMES
    assert all(numbers(text) for text in expected.values())
    assert len(re.findall(r"step +\d+: loss", expected["train"])) == 4


@pytest.mark.parametrize("engine", [pytest.param(n, marks=pytest.mark.engine(n)) for n in ("torch", "tensorflow")])
def test_examples_print_the_same_as_on_numpy(engine, expected, fresh_python):
    found = run_all(fresh_python, engine)
    assert list(found) == NAMES
    for name in NAMES:
        assert f"# {engine}" in found[name], f"{name} did not run on {engine}"
        # Weights agree to 1e-5 after twenty steps; what is printed is rounded to six places or fewer.
        np.testing.assert_allclose(
            numbers(found[name]), numbers(expected[name]), rtol=1e-5, atol=2e-6, err_msg=name
        )


@pytest.mark.engine("torch", "tensorflow")
def test_a_model_that_travels_ends_where_one_that_stays_does(fresh_python):
    printed = fresh_python(code([TRAVELS]))
    assert all(f"# {engine}: loss" in printed for engine in ("torch", "tensorflow", "numpy"))
    pairs = re.findall(r"loss (\d\.\d+), numpy alone (\d\.\d+)", printed)
    assert len(pairs) == 3
    np.testing.assert_allclose(*np.array(pairs, float).T, rtol=1e-5)
    assert "the weights of both agree" in printed


#: what examples/same_run.py draws from its seed on every engine and machine, as docs/guide/same_run.md shows it
DRAWN = {"weights": "27899978", "first mask": "f8fe5731", "all masks": "4fd2df0b", "batches": "ecc9ac07"}
printed_by_same_run: list[str] = []


def test_one_seed_gives_one_run(each_backend, fresh_python):
    if not printed_by_same_run:
        printed_by_same_run.append(fresh_python(code([SAME_RUN])))
    (printed,) = printed_by_same_run
    runs = dict(re.findall(r"^# (\w+): (.*)\n +losses .*$", printed, re.M))
    assert dict(re.findall(r"([a-z][a-z ]*[a-z]) ([0-9a-f]{8})", runs[each_backend])) == DRAWN
    assert float(re.findall(r"differ by at most (\S+)", printed)[0]) < 1e-5
    assert printed.count("# ") == len(runs)
