"""Processes that hold pieces of weights train as one process does; trainings go on in another number of processes."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from support import distributed as worker
from support import sharded as pieces
from support.processes import run_torchrun

import kbackend
from kbackend.distribution import DataParallel

pytestmark = pytest.mark.engine("torch")


@pytest.fixture(scope="module", autouse=True)
def torch():
    with kbackend.use_backend("torch"):
        yield


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The weights of a training in one process that nothing interrupts."""
    return worker.resumed(DataParallel(), tmp_path_factory.mktemp("whole"))


def close(found, wanted, label=""):
    np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-5, err_msg=label)


def test_they_train_as_one_process_does(sharded):
    alone = DataParallel(sync_batch_norm=True)
    wanted = {**worker.trained(alone), **worker.branched(alone, False), **pieces.by_optimizer(alone)}
    wanted |= pieces.around(alone)
    for rank in range(2):
        with np.load(sharded.folder / f"{rank}.npz") as found:
            assert found.keys() == wanted.keys() | {"held", "histograms", "jit"}
            for name, value in wanted.items():
                close(found[name], value, f"{name} of {rank}")


def test_each_holds_a_half(sharded):
    for rank in range(2):
        with np.load(sharded.folder / f"{rank}.npz") as found:
            own, together = found["held"]
            assert together / 2 <= own < together / 2 * 1.01
            assert "TensorBoard reads weights in the first process alone" in str(found["histograms"])
            assert "compile without jit=True" in str(found["jit"])


def test_files_hold_the_whole_values(sharded):
    with np.load(sharded.folder / "saved.npz") as found:
        wanted = [found[name] for name in found]
    kbackend.set_seed(7)
    model = pieces.small("adam")
    model.load_weights(sharded.folder / "weights.safetensors")
    loaded = kbackend.models.load_model(sharded.folder / "model.kb")
    for made in (model, loaded):
        assert all((a == b).all() for a, b in zip(made.get_weights(), wanted, strict=True))
    model.load_checkpoint(sharded.folder / "checkpoint.safetensors")
    for a, b in zip(model.optimizer.get_weights(), loaded.optimizer.get_weights(), strict=True):
        assert (a == b).all()


def test_the_failure_of_one_ends_the_other(sharded):
    first, last = sharded.ended
    assert first.status == last.status == 1
    assert "DistributedError" in first.text and "ValueError: this process fails" in last.text
    assert first.seconds - last.seconds < worker.TIMEOUT


def test_one_process_goes_on(sharded, whole, tmp_path):
    shutil.copytree(sharded.folder / "backups", tmp_path / "copied")
    for found, wanted in zip(worker.resumed(DataParallel(), tmp_path / "copied"), whole, strict=True):
        close(found, wanted)


def test_torchrun_starts_two_processes_again_that_go_on_with_the_training_of_four(started, whole, tmp_path):
    """One hangs once, and once it is interrupted; before, one, two and four processes had trained."""
    shutil.copytree(started("torch").folder / "backups", tmp_path / "backups")
    ended = run_torchrun(2, 4, "support.distributed", "restarts", str(tmp_path), "")
    assert ended.status == 0, ended.text[-3000:]
    assert (tmp_path / "interrupted").exists() and (tmp_path / "hangs").exists()
    assert "another process has stopped" in ended.text
    for rank in range(2):
        with np.load(tmp_path / f"restarted{rank}.npz") as found:
            for name, wanted in zip(found, whole, strict=True):
                close(found[name], wanted)
