"""The command ``kbackend diff``."""

from __future__ import annotations

import json

import numpy as np
import pytest

import kbackend
from kbackend import Input, Model, layers
from kbackend.tools import cli

pytestmark = pytest.mark.usefixtures("fresh_session")
X = np.random.default_rng(0).normal(size=(4, 5)).astype("float32")


@pytest.fixture
def model(tmp_path):
    x = Input((5,), name="x1")
    made = Model(x, layers.Dense(2, activation="tanh", name="d")(x))
    made.compile("sgd", "mse")
    made.save(tmp_path / "m.kb")
    np.savez(tmp_path / "d.npz", x=X, y=X[:, :2])
    return made


def run(tmp_path, *arguments):
    return cli.main(["diff", *(str(tmp_path / a) if "." in a else a for a in arguments)])


def test_engines(tmp_path, capsys, model):
    options = ["--data", "d.npz", "--train", "2", "--json", "r.json", "--html", "r.html"]
    assert run(tmp_path, "m.kb", "--engines", "numpy,numpy+float64", *options) == 0
    printed = capsys.readouterr().out
    assert "numpy against numpy+float64" in printed and "weights after 2 steps" in printed
    found = json.loads((tmp_path / "r.json").read_text())
    assert found["ok"] and {"value", "gradient", "result"} == {r["kind"] for r in found["rows"]}
    assert "<svg" in (tmp_path / "r.html").read_text()


def test_inputs_are_drawn_without_data(tmp_path, capsys, model):
    assert run(tmp_path, "m.kb", "--engines", "numpy,numpy+float64") == 0
    assert "(8, 2)" in capsys.readouterr().out


def test_two_versions(tmp_path, capsys, model):
    model.save(tmp_path / "same.kb")
    assert run(tmp_path, "m.kb", "same.kb", "--engines", "numpy") == 0
    kernel, bias = model.get_weights()
    kernel[1, 0] += 0.25
    model.set_weights([kernel, bias])
    model.save(tmp_path / "other.kb")
    assert run(tmp_path, "m.kb", "other.kb", "--engines", "numpy") == 1
    assert "first: weight of d/kernel" in capsys.readouterr().out


def test_other_models_are_no_versions(tmp_path, capsys, model):
    x = Input((5,))
    Model(x, layers.Dense(2, activation="relu")(x)).save(tmp_path / "other.kb")
    assert run(tmp_path, "m.kb", "other.kb", "--engines", "numpy") == 2
    assert "the models differ" in capsys.readouterr().err


def test_nan(tmp_path, capsys):
    x = Input((2,))
    h = layers.Rescaling(1e38, name="r")(x) * 1e38
    Model(x, layers.Activation("log_softmax", name="a")(h)).save(tmp_path / "n.kb")
    assert run(tmp_path, "n.kb", "--engines", "numpy,numpy+float64", "--first-nan") == 1
    assert "first NaN or infinity: nan of" in capsys.readouterr().out


def test_layers_against_keras(tmp_path, capsys, keras):
    inputs = keras.Input((5,))
    keras.Model(inputs, keras.layers.Dense(3, activation="relu", name="dense")(inputs)).save(tmp_path / "k.keras")
    with kbackend.use_backend("numpy"):
        assert run(tmp_path, "k.keras", "--keras") == 0
    assert "numpy:cpu against Keras 3" in capsys.readouterr().out


@pytest.mark.parametrize("arguments, text", [
    (["m.kb", "--engines", "numpy"], "two different engines"), (["none.kb"], "none.kb"),
    (["m.kb", "--data", "e.npz"], "the model wants x1, or x for one input")])  # fmt: skip
def test_mistakes_are_one_line(tmp_path, capsys, model, arguments, text):
    np.savez(tmp_path / "e.npz", z=X)
    assert run(tmp_path, *arguments) == 2
    error = capsys.readouterr().err
    assert text in error and error.count("\n") == 1
