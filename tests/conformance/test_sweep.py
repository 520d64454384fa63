"""The sweep: a trial that is wrong, ends its process or spoils its memory is named, and the others are run."""

import os
import random

import pytest

from kbackend.testing.sweep import FAMILIES, process, sweep
from kbackend.testing.sweep.empty import all_trials
from kbackend.testing.sweep.registry import trials_of
from kbackend.testing.sweep.reused import usable_cases

FAULTY = """
import os
import numpy as np
from kbackend_numpy.engine import NumpyBackend
from kbackend_numpy.kernels import KERNELS

def max_pool(x, **options):
    if min(options["window"]) == 1:
        os.abort()
    return KERNELS["max_pool"](x, **options)

def avg_pool(x, **options):
    found = KERNELS["avg_pool"](x, **options)
    return found * 1.001 if max(options["strides"]) > 1 else found

class Faulty(NumpyBackend):
    name = "faulty"
    kernels = {**KERNELS, "max_pool": max_pool, "avg_pool": avg_pool}

def backend():
    return Faulty()
"""


@pytest.fixture
def faulty(tmp_path):
    """The environment in which a backend of that name is installed."""
    (tmp_path / "kbackend_faulty.py").write_text(FAULTY)
    info = tmp_path / "faulty-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: faulty\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[kbackend.backends]\nfaulty = kbackend_faulty:backend\n")
    return {"PYTHONPATH": os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])}


def test_each_faulty_trial_is_named_and_the_others_run(faulty):
    trials = trials_of("pooling", 3, range(30))
    window = [min(t.case.sample.kwargs["window"]) for t in trials]
    stride = [max(t.case.sample.kwargs["strides"]) for t in trials]
    dying = {n for n, t in enumerate(trials) if t.case.op.name == "max_pool" and window[n] == 1}
    wrong = {n for n, t in enumerate(trials) if t.case.op.name == "avg_pool" and stride[n] > 1}
    assert len(dying) > 2 and len(wrong) > 2 and len(dying | wrong) < 25
    told: list[str] = []
    found = sweep("faulty", ["pooling"], 30, seed=3, environment=faulty, log=told.append)
    assert found.ran == 30
    assert {f.number for f in found.faults} == dying | wrong
    assert {f.number for f in found.faults if "SIGABRT" in f.message} == dying
    assert all(f.trial == str(trials[f.number]) for f in found.faults)
    assert told == [str(f) for f in found.faults]


def test_a_fault_that_shows_late_is_found_by_running_trials_alone(monkeypatch):
    """The child dies at the third trial; alone it is the first that does."""
    def run(backend, seed, items, environment):
        if len(items) > 1:
            return process._Ran(done=2, begun=[("pooling", 2, "third")], died="was ended by SIGSEGV (x)")
        (family, number), = items
        died = None if number else "was ended by SIGABRT (free(): invalid pointer)"
        return process._Ran(done=int(died is None), begun=[(family, number, "first")] if died else [], died=died)

    monkeypatch.setattr(process, "_run", run)
    found = process.sweep("numpy", ["pooling"], 3)
    assert found.ran == 3
    assert [(f.number, f.trial) for f in found.faults] == [(0, "first")]


def test_a_child_that_does_not_start_is_an_error():
    with pytest.raises(RuntimeError, match="nowhere"):
        sweep("nowhere", ["pooling"], 2)


def test_the_same_seed_and_number_give_the_same_trial():
    for family in FAMILIES:
        one, two = (trials_of(family, 5, [7])[0] for _ in range(2))
        assert str(one) == str(two)
    assert len({str(trials_of("convolution", seed, [0])[0]) for seed in range(5)}) > 1


def test_the_family_of_empty_axes_goes_through_all_of_them():
    family = FAMILIES["empty"]
    seen = {id(family.trial(random.Random(0), n)) for n in range(len(all_trials()))}
    assert len(seen) == len(all_trials()) > 5000


def test_the_family_of_reused_results_knows_the_ops_with_several():
    several = {case.op.name for case, count in usable_cases() if count > 1}
    assert {"unstack", "split", "top_k", "svd_reduced", "qr_reduced", "eigh_lower", "lu_factor", "lstm", "rnn",
            "scan", "while_loop", "classic_cond"} <= several  # fmt: skip
