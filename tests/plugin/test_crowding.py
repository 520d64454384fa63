"""Engines that take turns in one process are warned of once, and only then."""

from __future__ import annotations

import warnings
from types import SimpleNamespace

import pytest

import kbackend
from kbackend import K
from kbackend.plugin import crowding


def engine(name, threads):
    variable = f"{name.upper()}_THREADS"
    return SimpleNamespace(backend=SimpleNamespace(name=name, threads=lambda: threads, threads_variable=variable))


@pytest.fixture
def turns(monkeypatch):
    """Run two targets in turns, so many seconds a turn; the warnings' texts."""

    def run(one, other, times, seconds):
        clock = iter(range(10**6))
        monkeypatch.setattr(crowding, "perf_counter", lambda: next(clock) * seconds)
        with warnings.catch_warnings(record=True) as found:
            warnings.simplefilter("always")
            for _ in range(times):
                crowding.changed(one)
                crowding.changed(other)
        return [str(w.message) for w in found]

    monkeypatch.setattr(crowding, "last", [None])
    monkeypatch.setattr(crowding, "_told", [False])
    monkeypatch.setattr(crowding, "_cores", lambda: 2)
    crowding._changes.clear()
    yield run
    crowding._changes.clear()


def test_fast_turns_are_told_once(turns):
    (text,) = turns(engine("a", 2), engine("b", 2), 100, 0.01)
    assert "(2 threads) and " in text and "take turns on 2 cores" in text
    assert "A_THREADS=1 and B_THREADS=1, set before the start" in text
    assert not turns(engine("a", 2), engine("b", 2), 100, 0.01)


@pytest.mark.parametrize(
    ("one", "other", "times", "seconds"),
    [
        (engine("a", 2), engine("b", 2), 100, 0.1),  # slow turns
        (engine("a", 2), engine("b", 2), 20, 0.01),  # few
        (engine("a", 2), engine("b", 1), 100, 0.01),  # of one thread
    ],
)
def test_others_are_not_told(turns, one, other, times, seconds):
    assert not turns(one, other, times, seconds)


def test_devices_of_one_engine_are_not_told(turns):
    one = engine("a", 2)
    assert not turns(one, SimpleNamespace(backend=one.backend), 100, 0.01)


@pytest.mark.engine("torch")
def test_programs_in_turns_bring_the_warning(fresh_python):
    code = """
import warnings
import kbackend
from kbackend import K
from kbackend.plugin import crowding
crowding._cores = lambda: 2
x = K.placeholder((2,))
f = K.function([x], [x + 1])
with warnings.catch_warnings(record=True) as found:
    warnings.simplefilter("always")
    for turn in range(400):
        with kbackend.use_backend(("torch", "numpy")[turn % 2]):
            f([[1.0, 2.0]])
print(len([w for w in found if "take turns" in str(w.message)]))
"""
    for threads, expected in (("2", "1"), ("1", "0")):
        assert fresh_python(code, {"OMP_NUM_THREADS": threads}).split() == [expected], threads


def test_a_program_notes_where_it_ran():
    with kbackend.use_backend("numpy"):
        K.function([], [K.constant(1.0) + 1])([])
        assert crowding.last[0].backend.name == "numpy"
