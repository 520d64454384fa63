"""The commands that show, convert, tune, compare and check."""

from __future__ import annotations

import json
from importlib import metadata

import numpy as np
import pytest

import kbackend
from kbackend import Input, Model, layers
from kbackend.tools import cli, installed
from kbackend.tools.commands import COMMANDS, bench, conform
from kbackend.tools.data import arrays_of, drawn_targets
from kbackend.tools.timing import worker
from kbackend.tools.timing.turns import Result, Worker, in_turns
from kbackend.tools.timing.workloads import WORKLOADS

pytestmark = pytest.mark.usefixtures("fresh_session")


@pytest.fixture
def model(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KBACKEND_CACHE", str(tmp_path / "cache"))
    x = Input((5,), name="x1")
    made = Model(x, layers.Dense(3, activation="softmax", name="d")(x), name="small")
    made.compile("sgd", "sparse_categorical_crossentropy")
    made.save("m.kb")
    return made


# ------------------------------------------------------------------------------------- the command line


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(name, capsys):
    with pytest.raises(SystemExit, match="0"):
        cli.main([name, "--help"])
    printed = " ".join(capsys.readouterr().out.split())
    assert f"usage: kbackend {name}" in printed and COMMANDS[name][1:] in printed


def test_help_imports_no_command(fresh_python):
    code = (
        "import sys\nfrom kbackend.tools import cli\ncli.main([])\n"
        "print([m for m in sys.modules if m == 'numpy' or m.startswith('kbackend.tools.commands.')])"
    )
    assert fresh_python(code).splitlines()[-1] == "[]"


@pytest.mark.parametrize("arguments, text", [
    (["show", "none.kb"], "none.kb"), (["show", "."], "directory"), (["show", "no.kb"], "no file of kbackend"),
    (["show", "no.json"], "no.json: "), (["show", "no.yaml"], "no.yaml: "),
    (["show", "m.kb", "--source", "--engine", "nump"], "Did you mean 'numpy'?"),
    (["show", "m.kb", "--picture", "m.txt"], "txt"), (["show", "m.weights.h5"], "--into"),
    (["convert", "m.kb", "m.xyz"], "unknown format of 'm.xyz'"), (["convert", "m.kb", "no.kb"], "--overwrite"),
    (["convert", "m.kb", "w.kb", "--into", "m.kb"], "for weights alone"),
    (["convert", "m.kb", "m.py", "--engine", "theano"], "unknown backend 'theano'"),
    (["show", "cut.kb"], "cut.kb: the file is truncated"), (["show", "cut.h5"], "cut.h5: h5: the file is truncated"),
    (["show", "cut.keras"], "cut.keras: the file is truncated"), (["show", "."], ".: Is a directory"),
    (["show", "m.kb", "--source", "--engine", ""], "unknown backend ''"), (["lint", "m.kb"], "m.kb: it is no text"),
    (["demo", "--engines", ""], "no engine is named"), (["demo", "--out", "c.txt"], "c.txt: a picture's name"),
    (["tune", "m.kb", "--data", "zero.npz"], "zero.npz: the file is empty"), (["run", ""], "the script is empty"),
    (["tune", "m.kb", "--data", "no.kb"], "no.kb is no .npz"), (["tune", "m.kb", "--data", "o.npz"], "o.npz cannot be"),
    (["tune", "m.kb", "--data", "none.npz"], "none.npz"), (["tune", "m.kb", "--data", "a.npy"], "one array"),
    (["tune", "m.kb", "--engines", "theano"], "unknown backend 'theano'"),
    (["bench", "none.kb"], "none.kb"), (["bench", "--data", "a.npz"], "workloads draw their own"),
    (["bench", "m.kb", "--workloads", "dense", "--engines", "numpy"], "either a model or --workloads"),
    (["bench", "--engines", "theano"], "unknown backend 'theano'"), (["conform", "theano"], "unknown backend 'theano'"),
])  # fmt: skip
def test_mistakes_are_one_line(model, tmp_path, capsys, arguments, text):
    for name in ("no.kb", "no.json", "no.yaml"):
        (tmp_path / name).write_text("no model")
    np.save(tmp_path / "a.npy", np.ones(3))
    np.savez(tmp_path / "o.npz", x1=np.array([{}], dtype=object))
    (tmp_path / "zero.npz").write_bytes(b"")
    for end in ("kb", "keras", "h5"):
        if f"cut.{end}" in arguments:
            model.save(f"whole.{end}")
            whole = (tmp_path / f"whole.{end}").read_bytes()
            (tmp_path / f"cut.{end}").write_bytes(whole[: len(whole) // 2])
    assert cli.main(arguments) == 2
    said = capsys.readouterr()
    assert said.err.startswith("kbackend: ") and text in said.err and said.err.count("\n") == 1 and not said.out


@pytest.mark.parametrize("arguments", [
    ["show", ""], ["show", "m.kb", "--picture", ""], ["convert", "m.kb", ""], ["diff", ""], ["lint", ""],
    ["tune", "m.kb", "--data", ""], ["bench", "--json", ""], ["demo", "--out", ""],
])  # fmt: skip
def test_an_empty_name_is_no_file(arguments, capsys):
    with pytest.raises(SystemExit, match="2"):
        cli.main(arguments)
    assert "the name of the file is empty" in capsys.readouterr().err


def test_a_reader_that_has_enough_is_no_mistake(fresh_python):
    code = (
        "import subprocess, sys\n"
        "child = subprocess.Popen([sys.executable, '-m', 'kbackend', '--print-completion', 'bash'],"
        " stdout=subprocess.PIPE, stderr=subprocess.PIPE)\n"
        "child.stdout.close()\nprint(child.stderr.read(), child.wait())"
    )
    pytest.importorskip("shtab")
    assert fresh_python(code).strip() == "b'' 0"


def test_an_interrupt_has_no_traceback(monkeypatch, capsys):
    def interrupted(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "_module", interrupted)  # while the command is imported
    assert cli.main(["info"]) == 130
    assert capsys.readouterr() == ("", "")


def test_completion_knows_commands_options_and_files(capsys):
    pytest.importorskip("shtab")
    assert cli.main(["--print-completion", "bash"]) == 0
    script = capsys.readouterr().out
    assert f"({' '.join(COMMANDS)})" in script and "--first-nan" in script
    assert "_shtab_kbackend_show_pos_0_COMPGEN=_shtab_compgen_files" in script


def test_completion_without_its_package_says_what_to_install(monkeypatch, capsys):
    monkeypatch.setitem(__import__("sys").modules, "shtab", None)
    assert cli.main(["--print-completion", "zsh"]) == 2
    assert "pip install 'kbackend[completion]'" in capsys.readouterr().err


# ------------------------------------------------------------------------------------- info


def test_info_lists_engines_and_what_is_missing(monkeypatch, capsys):
    here = ["h5py>=3; extra == 'keras-files'", "kbackend[yaml]; extra == 'all'", "no_such_package>=1; extra == 'odd'",
            "torch>=2; extra == 'torch'", "tensorflow-cpu; extra == 'tensorflow-cpu'", "numpy>=2"]  # fmt: skip
    monkeypatch.setattr(metadata, "requires", lambda name: here)
    monkeypatch.setattr(installed, "available_backends", lambda: ["numpy"])
    assert cli.main(["info", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["extras"][-1] == {"name": "odd", "packages": {"no_such_package": None}}
    assert [e["name"] for e in found["extras"]] == ["keras-files", "odd"]
    numpy, *others = found["engines"]
    assert (numpy["name"], numpy["version"], numpy["devices"]) == ("numpy", np.__version__, ["cpu"])
    assert {e["name"] for e in others} >= {"torch", "tensorflow"} and not any(e["version"] for e in others)
    assert cli.main(["info"]) == 0
    printed = capsys.readouterr().out
    assert "install torch: pip install" in printed and "pip install 'kbackend[odd]'" in printed
    assert np.__version__ in printed and kbackend.__version__ in printed


def test_an_engine_that_does_not_load_is_found(monkeypatch, capsys):
    def broken(name):
        raise RuntimeError("libfoo is missing")

    monkeypatch.setattr(installed, "available_backends", lambda: ["numpy"])
    monkeypatch.setattr(installed, "get_backend", broken)
    assert cli.main(["info"]) == 1
    assert "numpy does not load: libfoo is missing" in capsys.readouterr().out
    assert cli.main(["backends"]) == 0
    assert "broken" in capsys.readouterr().out


# ------------------------------------------------------------------------------------- show and convert


def test_show(model, capsys, tmp_path):
    assert cli.main(["show", "m.kb"]) == 0
    assert "Total parameters: 18" in capsys.readouterr().out
    assert cli.main(["show", "m.kb", "--source", "--engine", "numpy", "--config"]) == 0
    printed = capsys.readouterr().out
    assert "def small_predict(x1, cells):" in printed and '"class_name": "Model"' in printed
    assert cli.main(["show", "m.kb", "--source", "--step", "train", "--engine", "numpy"]) == 0
    assert "def small_train_step(" in capsys.readouterr().out
    assert cli.main(["show", "m.kb", "--picture", "m.png"]) == 0
    assert (tmp_path / "m.png").read_bytes().startswith(b"\x89PNG") and not capsys.readouterr().out


def test_convert_there_and_back(model, capsys):
    data = np.ones((2, 5), "float32")
    for path in ("m.keras", "m.h5", "m.json"):
        assert cli.main(["convert", "m.kb", path]) == 0
    assert cli.main(["convert", "m.kb", "w.safetensors"]) == 0 and cli.main(["convert", "m.kb", "w.weights.h5"]) == 0
    assert cli.main(["convert", "m.keras", "1.kb"]) == cli.main(["convert", "m.h5", "2.kb"]) == 0
    assert cli.main(["convert", "w.safetensors", "3.kb", "--into", "m.json"]) == 0
    assert cli.main(["convert", "w.weights.h5", "4.kb", "--into", "m.json"]) == 0
    assert "4.kb: " in capsys.readouterr().out
    with kbackend.use_backend("numpy"):
        for path in ("1.kb", "2.kb", "3.kb", "4.kb"):
            assert np.array_equal(kbackend.models.load_model(path).predict(data), model.predict(data)), path
    assert cli.main(["convert", "m.h5", "1.kb", "--overwrite"]) == 0


def test_convert_to_a_program(model, tmp_path):
    assert cli.main(["convert", "m.kb", "m.py", "--engine", "numpy"]) == 0
    assert "def load(" in (tmp_path / "m.py").read_text()


@pytest.mark.engine("torch")
def test_convert_to_torch(model, tmp_path):
    assert cli.main(["convert", "m.kb", "m.pt2"]) == 0
    assert (tmp_path / "m.pt2").stat().st_size > 1000


# ------------------------------------------------------------------------------------- tune and bench


def test_tune_remembers(model, capsys, tmp_path):
    assert cli.main(["tune", "m.kb", "--engines", "numpy", "--rounds", "1", "--json", "t.json"]) == 0
    assert "train, ms" in capsys.readouterr().out and (tmp_path / "cache" / "tuned.json").exists()
    (found,) = json.loads((tmp_path / "t.json").read_text())["candidates"]
    assert found["engine"] == "numpy:cpu" and found["milliseconds"].keys() == {"train", "predict"}
    Model(model.input, model.output).save("plain.kb")
    assert cli.main(["tune", "plain.kb", "--engines", "numpy", "--rounds", "1"]) == 0
    assert "not compiled" in capsys.readouterr().out


def test_bench_times_a_model_in_a_process_of_its_own(model, capsys, tmp_path):
    np.savez("d.npz", x=np.ones((8, 5)), y=np.zeros(8, int))
    options = ["--engines", "numpy", "--rounds", "1", "--batch", "4", "--data", "d.npz", "--json", "b.json"]
    assert cli.main(["bench", "m.kb", *options]) == 0
    assert "one sample, ms" in capsys.readouterr().out
    (found,) = json.loads((tmp_path / "b.json").read_text())
    assert found["seconds"].keys() == {"train", "predict", "one sample"} and found["error"] is None
    assert all(len(times) == 1 and times[0] > 0 for times in found["seconds"].values())


def test_a_process_that_dies_is_an_error_of_its_engine():
    (result,) = in_turns("m", {"workload": "dense", "batch": 2, "jit": False}, [Worker("theano")], 1)
    assert result.error == "the process ended with 1" and not result.seconds


def test_an_engine_that_fails_has_a_row(model, capsys):
    assert cli.main(["bench", "m.kb", "--engines", "numpy", "--data", "m.kb"]) == 1
    printed = " ".join(capsys.readouterr().out.split())
    assert "m.kb on numpy: ValueError: " in printed and "the model wants x1" in printed


def test_turns_count_the_steps():
    calls: list[str] = []
    now = iter([0.0, 0.01, 0.06, 0.08, 0.0, 0.5, 0.6])
    steps = {"train": (lambda: calls.append("train"), 10), "predict": (lambda: calls.append("predict"), 1)}
    found = worker.turn(steps, lambda: next(now))
    assert found == {"train": pytest.approx(0.08 / 20), "predict": pytest.approx(0.6)}
    assert calls == ["train"] * 3 + ["predict"] * 2


def test_ratios_are_to_the_fastest_median_of_a_model():
    results = [Result("m", "a", {"train": [0.002, 0.002, 0.1]}), Result("m", "b", {"train": [0.001] * 3}),
               Result("other", "a", {"train": [1e-5]}), Result("m", "c", error="no")]  # fmt: skip
    cells = [bench._cells(r, "train", results[:2] + results[3:]) for r in (results[0], results[1], results[3])]
    assert cells == [("~2.000", "2.00"), ("1.000", "1.00"), ("failed", "")]


@pytest.mark.parametrize("name", WORKLOADS)
def test_workloads_train_on_drawn_data(name):
    model = WORKLOADS[name]()
    x, _ = arrays_of(model, None, 2)
    with kbackend.use_backend("numpy"):
        assert np.isfinite(model.train_on_batch(x[0], drawn_targets(model, 2)))


# ------------------------------------------------------------------------------------- conform


def test_conform_runs_the_kit(capfd):
    assert cli.main(["conform", "numpy", "-k", "test_every_row", "--pytest=-q"]) == 0
    assert " passed" in capfd.readouterr().out


@pytest.mark.parametrize("status, code", [(0, 0), (1, 1), (2, 2), (4, 2), (5, 2)])
def test_exit_codes_of_conform(monkeypatch, status, code):
    class Ran:
        returncode = status

    monkeypatch.setattr(conform.subprocess, "run", lambda command, check: Ran)
    assert cli.main(["conform", "numpy"]) == code
