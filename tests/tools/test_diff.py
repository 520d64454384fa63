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


def test_targets_are_drawn_for_training(tmp_path, capsys, model):
    assert run(tmp_path, "m.kb", "--engines", "numpy,numpy+float64", "--train", "1") == 0
    assert "weights after 1 step differ" in capsys.readouterr().out


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


def test_data_out_of_range_is_a_mistake(tmp_path, capsys):
    x = Input((2,), name="ids", dtype="int32")
    Model(x, layers.Embedding(3, 2)(x)).save(tmp_path / "e.kb")
    np.savez(tmp_path / "ids.npz", ids=np.full((4, 2), 7, "int32"))
    assert run(tmp_path, "e.kb", "--engines", "numpy,numpy+float64", "--data", "ids.npz") == 2
    error = capsys.readouterr().err
    assert "embedding" in error and "index 7 is out of" in error and error.startswith("kbackend: ")


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


def test_every_call_against_keras(tmp_path, capsys, keras):
    """Shared layers, a model inside that is called twice, several inputs and outputs, masks, ops between layers."""
    a, b, words = keras.Input((4,)), keras.Input((4,)), keras.Input((5,), dtype="int32")
    shared = keras.layers.Dense(4, name="shared")
    inner = keras.Sequential([keras.Input((4,)), keras.layers.Dense(4, activation="tanh")], name="inner")
    read = keras.layers.GRU(4, name="read")(keras.layers.Embedding(2, 3, mask_zero=True)(words))
    joined = keras.layers.Concatenate(name="joined")([inner(inner(shared(a))), shared(b), read])
    outputs = [keras.layers.Dense(1, name="one")(joined), joined * 2.0]
    keras.Model([a, b, words], outputs).save(tmp_path / "k.keras")
    assert run(tmp_path, "k.keras", "--keras", "--engines", "numpy", "--json", "k.json") == 0
    rows = [r["node"] for r in json.loads((tmp_path / "k.json").read_text())["rows"]]
    assert rows.count("shared") == rows.count("inner") == 2 and {"read", "joined", "one"} < set(rows)


@pytest.mark.parametrize("arguments, text", [
    (["m.kb", "--keras"], "reads .keras and .h5 files, not m.kb"),
    (["m.kb", "m.kb", "--keras"], "leave the other file out"),
    (["m.kb", "--train", "1", "--data", "x.npz"], "x.npz has no array y"),
    (["plain.kb", "--train", "1"], "plain.kb must hold a compiled model"),
    (["m.kb", "--engines", "numpy"], "two different engines"), (["none.kb"], "none.kb"),
    (["m.kb", "--data", "e.npz"], "the model wants x1, or x for one input")])  # fmt: skip
def test_mistakes_are_one_line(tmp_path, capsys, model, arguments, text):
    np.savez(tmp_path / "e.npz", z=X)
    np.savez(tmp_path / "x.npz", x=X)
    Model(model.input, model.output).save(tmp_path / "plain.kb")
    assert run(tmp_path, *arguments) == 2
    error = capsys.readouterr().err
    assert text in error and error.count("\n") == 1
