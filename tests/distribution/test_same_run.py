"""Several processes train as one does, refuse to begin where they differ, and end where one of them is lost."""

from __future__ import annotations

import json
import shutil

import numpy as np
from support import distributed as worker

import kbackend
from kbackend.distribution import DataParallel


def test_they_train_as_one_process_does(run):
    alone = {**worker.trained(DataParallel(sync_batch_norm=True)), **worker.branched(DataParallel(), False)}
    for rank in range(run.count):
        with np.load(run.folder / f"{rank}.npz") as found:
            assert found.keys() == alone.keys()
            for name, value in alone.items():
                np.testing.assert_allclose(found[name], value, rtol=1e-5, atol=1e-5, err_msg=f"{name} of {rank}")


def test_all_processes_hold_the_same_bits(run):
    first, *others = [np.load(run.folder / f"{rank}.npz") for rank in range(run.count)]
    for other in others:
        assert [n for n in first if first[n].tobytes() != other[n].tobytes()] == []


def test_processes_that_differ_do_not_begin(run):
    for rank in range(run.count):
        told = json.loads((run.folder / f"{rank}.json").read_text())
        assert told["size"] == str(run.count)
        assert "process 1 differs from process 0 in the random streams" in told["seeds"]
        assert "process 1 differs from process 0 in the graph of the step" in told["graphs"]
        assert "process 1 differs from process 0 in the data: [1, 9" in told["shapes"]


def test_no_process_stops_alone(run):
    assert [json.loads((run.folder / f"{rank}.json").read_text())["epochs"] for rank in range(run.count)] == (
        ["2"] * run.count)


def test_one_process_writes_and_all_learn_of_a_failure(run):
    told = [json.loads((run.folder / f"{rank}.json").read_text())["files"] for rank in range(run.count)]
    assert told == ["FileNotFoundErrorTrue", *["DistributedErrorFalse"] * (run.count - 1)]
    assert len((run.folder / "log.csv").read_text().splitlines()) == 3
    assert kbackend.models.load_model(run.folder / "best.kb").epochs_seen == 2


def test_one_process_goes_on_where_several_were_interrupted(run, tmp_path):
    assert [p.name[:9] for p in (run.folder / "backups").iterdir()] == ["backup-2-"]
    whole = worker.resumed(DataParallel(), tmp_path / "whole")
    shutil.copytree(run.folder / "backups", tmp_path / "copied")
    for found, wanted in zip(worker.resumed(DataParallel(), tmp_path / "copied"), whole):
        np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-5)


def test_a_lost_process_ends_the_others(run):
    first = run.ended[0]
    assert first.status not in (0, None), run.texts
    if run.engine == "numpy":  # mpirun ends all of them together
        assert "which has stopped or hangs" in first.text and "DistributedError" in first.text
        return
    for each in run.ended[:-1]:
        assert each.status not in (0, None) and "DistributedError" in each.text, run.texts
        assert each.seconds - run.ended[-1].seconds < worker.TIMEOUT + 15
