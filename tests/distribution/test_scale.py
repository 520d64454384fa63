"""How training grows with processes is measured and compared with a model of rings."""

from __future__ import annotations

import pytest
from support.processes import missing

from kbackend.tools import cli, scale
from kbackend.tools.scale import Ring, Scaled


def test_the_ring_that_made_times_is_found():
    made = Ring(2e-5, 5e8)
    for processes in (2, 4, 7):
        found = Ring.of(processes, {size: made.seconds(processes, size) for size in (1 << 12, 1 << 16, 1 << 22)})
        assert found.latency == pytest.approx(made.latency) and found.rate == pytest.approx(made.rate)


def test_what_is_lost_is_what_sums_add():
    assert Scaled(2, 0.02, 0.015, {}).lost == pytest.approx(0.25)
    assert Scaled(2, 0.02, 0.03, {}).lost == 0.0


def test_processes_are_timed(capsys):
    counts = [1] if missing("numpy") else [1, 2]
    arguments = ["bench", "--engines", "numpy", "--batch", "8", "--rounds", "1", "--scale", *map(str, counts)]
    assert cli.main(arguments) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert [int(row[0]) for row in rows[2 : 2 + len(counts)]] == counts
    assert all(float(row[1]) > 0 for row in rows[2 : 2 + len(counts)])
    sums = [row for row in rows[2 + len(counts) + 2 :] if row]
    assert [row[:2] for row in sums] == [["2", kib] for kib in ("4", "64", "1024", "4096")][: 4 * (len(counts) - 1)]


def test_processes_that_fail_are_told(monkeypatch, capsys):
    monkeypatch.setattr(scale, "_MARK", "another mark ")
    assert scale.run(["numpy"], [1], 8, 1) == 1
    assert "1 processes on numpy ended without a result" in capsys.readouterr().out


def test_a_model_has_no_part(capsys):
    assert cli.main(["bench", "--scale", "--jit"]) == 2
    assert "--scale times a network of its own" in capsys.readouterr().err
