"""The cores of the process, from files as Linux has them."""

from __future__ import annotations

import os

import pytest

from kbackend.plugin.threads import cores
from kbackend.plugin.threads.cores import contended


@pytest.fixture
def system(tmp_path):
    """Write files under a root folder and read the quota there."""

    def write(files):
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return cores.quota.__wrapped__(tmp_path)

    return write


V2, V1 = "0::/jobs/mine\n", "5:memory:/jobs/mine\n4:cpu,cpuacct:/jobs/mine\n1:name=systemd:/\n"


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, None),
        ({"proc/self/cgroup": V2}, None),
        ({"proc/self/cgroup": V2, "sys/fs/cgroup/jobs/mine/cpu.max": "max 100000\n"}, None),
        ({"proc/self/cgroup": V2, "sys/fs/cgroup/jobs/mine/cpu.max": "300000 100000\n"}, 3),
        ({"proc/self/cgroup": V2, "sys/fs/cgroup/jobs/mine/cpu.max": "350000 100000\n"}, 3),
        ({"proc/self/cgroup": V2, "sys/fs/cgroup/jobs/mine/cpu.max": "50000 100000\n"}, 1),
        ({"proc/self/cgroup": V2, "sys/fs/cgroup/jobs/mine/cpu.max": "what?"}, None),
        ({"proc/self/cgroup": V2, "sys/fs/cgroup/jobs/mine/cpu.max": "100000 0"}, None),
        # the group around it allows less; a container shows its own group as the root
        ({"proc/self/cgroup": V2, "sys/fs/cgroup/jobs/mine/cpu.max": "800000 100000",
          "sys/fs/cgroup/jobs/cpu.max": "200000 100000"}, 2),
        ({"proc/self/cgroup": V2, "sys/fs/cgroup/cpu.max": "400000 200000"}, 2),
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "400000 100000"}, 4),
        # version 1
        ({"proc/self/cgroup": V1, "sys/fs/cgroup/cpu,cpuacct/jobs/mine/cpu.cfs_quota_us": "250000\n",
          "sys/fs/cgroup/cpu,cpuacct/jobs/mine/cpu.cfs_period_us": "100000\n"}, 2),
        ({"proc/self/cgroup": V1, "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "500000\n",
          "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n"}, 5),
        ({"proc/self/cgroup": V1, "sys/fs/cgroup/cpu,cpuacct/jobs/mine/cpu.cfs_quota_us": "-1\n",
          "sys/fs/cgroup/cpu,cpuacct/jobs/mine/cpu.cfs_period_us": "100000\n"}, None),
        # memory's group says nothing of cores
        ({"proc/self/cgroup": "5:memory:/jobs/mine\n", "sys/fs/cgroup/memory/jobs/mine/cpu.cfs_quota_us": "100000",
          "sys/fs/cgroup/memory/jobs/mine/cpu.cfs_period_us": "100000"}, None),
    ],
)  # fmt: skip
def test_quota(system, files, expected):
    assert system(files) == expected


@pytest.mark.parametrize(("affinity", "quota", "expected"), [(8, None, 8), (8, 3, 3), (2, 3, 2), (1, 1, 1)])
def test_the_lesser_of_affinity_and_quota(monkeypatch, affinity, quota, expected):
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(affinity)), raising=False)
    monkeypatch.setattr(cores, "quota", lambda root: quota)
    assert cores.usable() == expected


def test_systems_without_affinity_count_processors(monkeypatch):
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 6)
    monkeypatch.setattr(cores, "quota", lambda root: None)
    assert cores.usable() == 6


@pytest.mark.parametrize(("running", "ours", "threads", "expected"), [
    (1, 1, 4, False), (3, 1, 2, False), (4, 1, 2, True), (2, 1, 4, True), (4, 4, 4, False), (5, 4, 4, True)])
def test_processes_that_run_beside_ours_are_counted(tmp_path, monkeypatch, running, ours, threads, expected):
    monkeypatch.setattr(os, "cpu_count", lambda: 4)
    (tmp_path / "proc/self/task").mkdir(parents=True)
    (tmp_path / "proc/stat").write_text(f"cpu 1 2 3\nprocs_running {running}\nprocs_blocked 0\n")
    for number in range(6):
        (tmp_path / f"proc/self/task/{number}").mkdir()
        (tmp_path / f"proc/self/task/{number}/stat").write_text(
            f"{number} (a (b) R) {'R' if number < ours else 'S'} 1 2")
    assert contended(threads, tmp_path) is expected


@pytest.mark.parametrize("ours", [(1, 2), (2, 1)])
def test_threads_of_ours_that_stop_or_begin_between_readings_are_no_others(tmp_path, monkeypatch, ours):
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/stat").write_text("procs_running 2\n")
    readings = iter(ours)
    monkeypatch.setattr(cores, "_running", lambda root: next(readings))
    assert not contended(2, tmp_path)


def test_without_proc_the_load_of_the_system_decides(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    for load, expected in ((1.0, False), (2.4, False), (3.0, True)):
        monkeypatch.setattr(os, "getloadavg", lambda load=load: (load, 0, 0))
        assert contended(2, tmp_path) is expected
