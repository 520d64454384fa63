"""jit="auto", model.tune, KBACKEND=auto:fastest: what is chosen, what is remembered, and that nothing else changes.

Times come from a clock of the tests, so that the winner is known.
"""

from __future__ import annotations

import json

import numpy as np
import pytest

import kbackend
from kbackend import Input, K, Model, layers
from kbackend.graph.walk import Graph
from kbackend.lowering import measure
from kbackend.lowering.fingerprint import fingerprint
from kbackend.plugin import remembered
from kbackend.plugin.select import active_target
from kbackend.training.measuring import tuning

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(12, 4)).astype("float32"), RNG.integers(0, 3, 12)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("KBACKEND_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "tuned.json"


@pytest.fixture
def of_rng():
    before = kbackend.rng()
    yield kbackend.set_rng
    kbackend.set_rng(before)


@pytest.fixture
def compiler(monkeypatch):
    """A compiler for NumPy's backend that notes what it compiles; programs stay as they are."""
    from kbackend_numpy.engine import NumpyBackend

    compiled = []
    whole = NumpyBackend.compile

    def noted(self, emitted, target, jit):
        compiled.append((emitted.graph.name, jit))
        return whole(self, emitted, target, jit)

    monkeypatch.setattr(NumpyBackend, "compiler", "a compiler of the tests", raising=False)
    monkeypatch.setattr(NumpyBackend, "compile", noted)
    with kbackend.use_backend("numpy"):
        yield compiled


def clock_by_turns(monkeypatch, *seconds):
    """Steps take these times in turn."""
    now, count = [0.0], [0]

    def clock():
        if count[0] % 2:
            now[0] += measure.STEPS * seconds[count[0] // 2 % len(seconds)]
        count[0] += 1
        return now[0]

    whole = tuning.tune
    monkeypatch.setattr(tuning, "tune", lambda *args: whole(*args, clock=clock))


def model(jit=None):
    K.reset_uids()
    x = Input((4,))
    h = layers.Dropout(0.2)(layers.Dense(5, activation="relu")(x))
    made = Model(x, layers.Dense(3, activation="softmax")(h))
    made.compile("adam", "sparse_categorical_crossentropy", jit=jit)
    return made


def test_the_faster_mode_is_kept_and_remembered(compiler, monkeypatch, cache, capsys):
    clock_by_turns(monkeypatch, 3.0, 1.0, 2.0, 5.0)  # plain: train, predict; compiled: train, predict
    tuned = model().tune(X, Y, batch_size=4)
    assert [(c.jit, c.milliseconds) for c in tuned.candidates] == [
        (False, {"train": 3000.0, "predict": 1000.0}), (True, {"train": 2000.0, "predict": 5000.0})]
    assert tuned.best().jit and not tuned.best("predict").jit
    assert "compiled" in capsys.readouterr().out and str(tuned).count("1.00") == 2
    assert len(json.loads(cache.read_text())) == 2
    monkeypatch.setattr(tuning, "tune", None)  # a model compiled with jit="auto" asks the disk
    compiler.clear()
    later = model(jit="auto")
    later.fit(X, Y, batch_size=4, verbose=0)
    later.predict(X, batch_size=4)
    assert [c for c in compiler if c[0] != "eval"] == [("model_1_train_step", True), ("model_1_predict", False)]


def test_auto_measures_when_nothing_is_remembered(compiler, monkeypatch):
    clock_by_turns(monkeypatch, 3.0, 1.0, 2.0, 5.0)
    made = model(jit="auto")
    made.train_on_batch(X, Y)
    assert ("model_1_train_step", True) in compiler and made.programs_made("train") == 1
    made.predict_on_batch(X)
    assert compiler[-1] == ("model_1_predict", False)


@pytest.mark.parametrize("rng", ["portable", "native"])
def test_training_after_tuning_is_training(each_backend, rng, of_rng, monkeypatch):
    of_rng(rng)

    def trained(tune):
        kbackend.set_seed(3)
        made = model()
        made.train_on_batch(X, Y)
        if tune:
            monkeypatch.setattr(active_target().backend, "compiler", None, raising=False)
            made.tune(X, Y, rounds=2, batch_size=4, verbose=0)
            made.profile(X, Y, rounds=2, verbose=0)
        made.fit(X, Y, batch_size=4, epochs=2, verbose=0)
        return made.get_weights()

    for ours, theirs in zip(trained(True), trained(False), strict=True):
        assert ours.tobytes() == theirs.tobytes()


@pytest.mark.together
def test_all_engines_are_tried_and_the_model_stays(monkeypatch):
    installed = kbackend.available_backends()
    for name in installed:
        with kbackend.use_backend(name):
            monkeypatch.setattr(type(active_target().backend), "compiler", None)
    with kbackend.use_backend("numpy"):
        made = model()
        weights = made.get_weights()
        tuned = made.tune(X, Y, engines="all", rounds=1, batch_size=4, verbose=0)
        assert sorted(c.engine.partition(":")[0] for c in tuned.candidates) == sorted(installed)
        assert all(c.error is None and set(c.milliseconds) == {"train", "predict"} for c in tuned.candidates)
        assert made.engine == "numpy:cpu" and ("OMP_NUM_THREADS" in str(tuned)) == (len(installed) > 1)
        for a, b in zip(weights, made.get_weights(), strict=True):
            assert a.tobytes() == b.tobytes()
        with pytest.raises(ValueError, match="'jax'"):
            made.tune(X, Y, engines=["jax"])


def test_a_candidate_that_fails_says_why(compiler, monkeypatch):
    from kbackend_numpy.engine import NumpyBackend

    whole = NumpyBackend.compile

    def failing(self, emitted, target, jit):
        if jit:
            raise RuntimeError("no compiler for this\nand more")
        return whole(self, emitted, target, jit)

    monkeypatch.setattr(NumpyBackend, "compile", failing)
    made = model(jit="auto")
    made.fit(X, Y, verbose=0)
    tuned = made.tune(X, Y, verbose=0)
    assert tuned.candidates[1].error == "RuntimeError: no compiler for this and more" and not tuned.best().jit
    assert "no compiler for this" in str(tuned)


def test_another_engine_version_machine_or_graph_is_another_entry(compiler, monkeypatch):
    made = model()
    made.tune(X, Y, rounds=1, verbose=0)
    target = active_target()
    graph = made.training_graph()
    assert tuning.mode(graph, target, 32) is not None
    other = Model(made.inputs, layers.Dense(2)(made.outputs[0]))
    assert tuning.mode(other._steps.graph("predict"), target, 32) is None
    with monkeypatch.context() as patch:
        patch.setattr(type(target.backend), "version", lambda self: "0")
        assert tuning.mode(graph, target, 32) is None
    with monkeypatch.context() as patch:
        patch.setattr(remembered, "machine", lambda: "another x1")
        assert tuning.mode(graph, target, 32) is None
    with monkeypatch.context() as patch:
        patch.setattr(type(target.backend), "hardware", lambda self, device: "another accelerator")
        assert tuning.mode(graph, target, 32) is None
    assert tuning.mode(model().training_graph(), target, 32) is not None
    assert tuning.mode(model().training_graph(), target, 60) is not None
    assert tuning.mode(graph, target, 64) is tuning.mode(graph, target, 31) is None


@pytest.mark.parametrize("content", ["", "{", "[]", '{"mode": 3}', "\x00"])
def test_a_broken_file_counts_as_empty(content, cache):
    cache.parent.mkdir()
    cache.write_text(content)
    assert remembered.recall("a") is None
    remembered.remember(5, "a")
    assert remembered.recall("a") == 5


def test_a_folder_that_cannot_be_written_costs_time_only(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("KBACKEND_CACHE", str(tmp_path / "file" / "below"))
    remembered.remember(5, "a")
    assert remembered.recall("a") is None


def test_the_oldest_entries_give_way(monkeypatch):
    monkeypatch.setattr(remembered, "_LIMIT", 2)
    for key in "abc":
        remembered.remember(key, key)
    assert [remembered.recall(key) for key in "abc"] == [None, "b", "c"]


def test_fingerprints_do_not_see_names_seeds_or_values():
    def graph(units=3, axis=-1):
        x = K.placeholder((None, 4))
        w = K.variable(RNG.normal(size=(4, units)))
        return Graph([x], [K.softmax(K.dropout(K.dot(x, w), 0.3), axis)])

    assert fingerprint(graph()) == fingerprint(graph())
    assert len({fingerprint(g) for g in (graph(), graph(units=2), graph(axis=0))}) == 3
    assert fingerprint(model().training_graph()) == fingerprint(model().training_graph())


def test_jit_takes_four_values():
    with pytest.raises(ValueError, match="'always'"):
        model(jit="always")
    with pytest.raises(ValueError, match="'always'"):
        K.function([], [K.constant(1.0)], jit="always")


def counted():
    """A function that draws and counts, with its variable."""
    K.reset_uids()
    kbackend.set_seed(5)
    x, n = K.placeholder((None, 4)), K.variable(1.0)
    return K.function([x], [K.dropout(x, 0.5) * n], updates=[K.update_add(n, 1.0)], name="counted", jit="auto"), n


@pytest.mark.parametrize("seconds, jit", [((2.0, 1.0), True), ((1.0, 2.0), False)])
def test_a_function_measures_its_first_call(compiler, monkeypatch, cache, seconds, jit):
    from kbackend.lowering import automatic
    from kbackend.runtime import function

    whole, times = automatic.faster, []
    for place in range(20):  # readings of the clock, by pairs: before and after a turn
        times += [0.0, seconds[place % 2]]
    now = iter(times)
    monkeypatch.setattr(function, "faster", lambda *args: whole(*args, clock=lambda: next(now)))
    function, n = counted()
    assert "dropout" in function.source and not cache.exists()
    fed = np.ones((3, 4), "float32")
    first = function([fed])[0]
    assert float(K.get_value(n)) == 2.0
    (kept,) = function.programs.values()
    assert kept.jit is (True if jit else None)
    assert json.loads(cache.read_text()).popitem()[1]["jit"] is jit
    monkeypatch.setattr(automatic, "alternated", None)  # the next one asks the disk
    again, _ = counted()
    assert again([fed])[0].tobytes() == first.tobytes()
    assert next(iter(again.programs.values())).jit is (True if jit else None)


def test_a_function_that_does_not_compile_runs_plain_and_says_so(compiler, monkeypatch, cache):
    from kbackend_numpy.engine import NumpyBackend

    whole = NumpyBackend.compile

    def failing(self, emitted, target, jit):
        if jit:
            raise RuntimeError("no compiler for this")
        return whole(self, emitted, target, jit)

    monkeypatch.setattr(NumpyBackend, "compile", failing)
    function, n = counted()
    with pytest.warns(UserWarning, match="counted .*jit='auto'.* no compiler for this"):
        function([np.ones((3, 4), "float32")])
    assert float(K.get_value(n)) == 2.0 and not cache.exists()


def test_errors_of_a_function_that_measures_are_its_own(compiler):
    x = K.placeholder((None,), dtype="int32")
    function = K.function([x], [K.gather(K.constant([1.0, 2.0]), x)], jit="auto")
    with pytest.raises(IndexError):
        function([np.array([5])])
    np.testing.assert_array_equal(function([np.array([1])])[0], [2.0])


FASTEST = """
import warnings
import numpy as np
from kbackend import Input, Model, layers
import kbackend
x = Input((4,))
model = Model(x, layers.Dense(2)(x))
model.compile("sgd", "mse")
data, targets = np.ones((8, 4), np.float32), np.ones((8, 2), np.float32)
"""


@pytest.mark.engine("torch")
def test_the_fastest_engine_is_picked(fresh_python, tmp_path):
    env = {"KBACKEND": "auto:fastest", "KBACKEND_CACHE": str(tmp_path)}
    told = FASTEST + """
with warnings.catch_warnings(record=True) as found:
    warnings.simplefilter("always")
    model.predict(data); model.predict(data)
print(model.engine, len(found), f"{found[0].filename} {found[0].message}" if found else "")
"""
    engine, count, source, message = fresh_python(told, env=env).strip().split(" ", 3)
    assert count == "1" and source == "<string>" and "model.tune" in message
    assert engine == f"{kbackend.available_backends()[0]}:cpu"
    remember = """
from kbackend.training.measuring import tuning
times = {"numpy:cpu": 1.0, "torch:cpu": 2.0}
made = tuning.Tuned([tuning.Candidate(engine, False, {"train": ms}) for engine, ms in times.items()], 8)
tuning.keep({kind: model._steps.graph(kind) for kind in ("train", "predict")}, made)
"""
    fresh_python(FASTEST + remember, env=env)
    assert fresh_python(told, env=env).strip() == "numpy:cpu 0"
    file = tmp_path / "tuned.json"
    whole, version = file.read_text(), f'"{np.__version__}"'
    assert version in whole
    file.write_text(whole.replace(version, '"0"'))  # what an older engine did says nothing of this one
    assert fresh_python(told, env=env).split(" ")[1] == "1"
    file.write_text(whole)
    chosen = told.replace("model.predict(data);", "kbackend.set_backend('torch'); model.predict(data);")
    assert fresh_python(chosen, env=env).strip() == "torch:cpu 0"
    assert fresh_python(told, env={"KBACKEND": "auto"}).startswith(kbackend.available_backends()[0])
