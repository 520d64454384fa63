"""The command line and the demo."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

import kbackend
from kbackend.tools import cli


@pytest.mark.together
def test_the_demo_trains_on_every_engine_and_draws(tmp_path, capsys):
    picture = tmp_path / "sub" / "curves.png"
    assert cli.main(["demo", "--epochs", "2", "--out", str(picture)]) == 0
    printed = capsys.readouterr().out
    engines = kbackend.available_backends()
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert f"Programs made for the train step over both fits: {', '.join(f'{e} 1' for e in engines)}" in printed
    assert max(len(line) for line in printed.splitlines()) <= 80
    accuracy = [float(a) for a in re.findall(r"([\d.]+)%", printed)]
    assert len(accuracy) == len(engines) and min(accuracy) > 50
    losses = re.findall(r"autoencoder, \w+\s*│\s*([\d.e+-]+)", printed)
    assert len(losses) == len(engines) - 1 and all(float(x) < 1e-5 for x in losses)


def test_an_unknown_engine_is_an_error_without_traceback(capsys):
    assert cli.main(["demo", "--engines", "theano"]) == 2
    assert "unknown backend 'theano'; available are" in capsys.readouterr().err


def test_backends_are_listed(capsys):
    assert cli.main(["backends"]) == 0
    printed = capsys.readouterr().out
    for name in ("numpy", "torch", "tensorflow"):
        assert name in printed
    assert "cpu" in printed


def test_the_version_and_wrong_usage(capsys):
    with pytest.raises(SystemExit, match="0"):
        cli.main(["--version"])
    assert kbackend.__version__ in capsys.readouterr().out
    assert cli.main([]) == 2
    with pytest.raises(SystemExit, match="2"):
        cli.main(["demo", "--epochs", "0"])


def test_engines_may_be_divided_by_commas(monkeypatch):
    import kbackend.tools.arguments
    import kbackend.tools.demo

    seen = []
    monkeypatch.setattr(kbackend.tools.arguments, "check_installed", lambda name: None)
    monkeypatch.setattr(kbackend.tools.demo, "run", lambda engines, *rest: seen.append(engines) or 0)
    for given in (["a,b"], ["a,", "b"], ["a", "b"]):
        assert cli.main(["demo", "--engines", *given]) == 0
    assert seen == [["a", "b"]] * 3


def test_the_package_runs_as_a_module():
    ran = subprocess.run([sys.executable, "-m", "kbackend", "--version"], capture_output=True, text=True, check=True)
    assert ran.stdout == f"kbackend {kbackend.__version__}\n"


@pytest.mark.engine("numpy")
def test_a_single_epoch_shows_no_rate_where_none_was_measured(tmp_path, capsys):
    assert cli.main(["demo", "--engines", "numpy", "--epochs", "1", "--out", str(tmp_path / "curves.png")]) == 0
    printed = capsys.readouterr().out
    assert "nan" not in printed and "classifier, steps a second" in printed
