"""``set_threads``, ``KBACKEND_THREADS``, and programs that run with a number of threads of their own."""

from __future__ import annotations

import json
import threading
import warnings
from types import SimpleNamespace

import pytest

import kbackend
from kbackend import K, config
from kbackend.plugin import modes, select
from kbackend.plugin.threads import running, setting

CORES = 4


class Engine:
    """A backend with a number of threads for each thread of Python's, for the process, or from the start on."""

    def __init__(self, scope, number=CORES):
        self.name, self.threads_scope, self.number = f"engine of a {scope}", scope, number
        self._own = threading.local()
        self.seen = []

    def threads(self):
        return getattr(self._own, "number", self.number) if self.threads_scope == "thread" else self.number

    def set_threads(self, number):
        if self.threads_scope == "thread":
            self._own.number = number
        else:
            self.number = number

    def program(self, fails=False, measured=True):
        """A runner that notes the number that it ran with."""

        def runner(feeds):
            self.seen.append(self.threads())
            if fails:
                raise ValueError("fails")
            return feeds

        return running.with_threads(runner, SimpleNamespace(backend=self, device="cpu"), measured)


@pytest.fixture(autouse=True)
def fresh(monkeypatch):
    """No choice yet, on a machine of four cores; the real engines are told nothing."""
    state = setting._Setting()
    monkeypatch.setattr(setting, "_setting", state)
    monkeypatch.setattr(running, "_held", {})
    for module in (setting, running):
        monkeypatch.setattr(module, "usable", lambda: CORES)
    monkeypatch.setattr(running, "scheduled", lambda: CORES)
    monkeypatch.setattr(running, "contended", lambda threads: True)
    yield state
    config.changes[0] += 1


@pytest.fixture(params=["thread", "process"])
def engine(request):
    return Engine(request.param)


# ------------------------------------------------------------------------------------------------------ the setting


def test_auto_is_the_default():
    assert kbackend.threads() == "auto"


@pytest.mark.parametrize("wrong", [0, -1, 1.0, 2.5, True, None, "2", "all", [1]])
def test_other_values_are_refused_and_change_nothing(wrong):
    kbackend.set_threads(3)
    with pytest.raises(ValueError, match="must be 'auto' or an integer of 1 or more, not"):
        kbackend.set_threads(wrong)
    assert kbackend.threads() == 3


@pytest.mark.parametrize(("value", "expected"), [("3", 3), ("auto", "auto"), ("AUTO", "auto"), ("", "auto")])
def test_the_environment_variable(monkeypatch, value, expected):
    monkeypatch.setenv("KBACKEND_THREADS", value)
    assert kbackend.threads() == expected


@pytest.mark.parametrize("wrong", ["0", "-2", "many", "1.5"])
def test_a_wrong_environment_variable_is_named(monkeypatch, wrong):
    monkeypatch.setenv("KBACKEND_THREADS", wrong)
    with pytest.raises(ValueError, match="the environment variable KBACKEND_THREADS"):
        kbackend.threads()


def test_call_before_variable_before_file(monkeypatch, tmp_path, fresh):
    monkeypatch.setenv("KBACKEND_HOME", str(tmp_path))
    (tmp_path / "config.json").write_text(json.dumps({"threads": 2}))
    assert kbackend.threads() == 2
    fresh.wanted = None
    monkeypatch.setenv("KBACKEND_THREADS", "3")
    assert kbackend.threads() == 3
    kbackend.set_threads(1)
    assert kbackend.threads() == 1


def test_an_engine_is_told_when_it_is_loaded_and_at_once(engine):
    kbackend.set_threads(2)
    setting.prepare(engine)
    assert engine.threads() == 2
    kbackend.set_threads(3)
    assert engine.threads() == 3
    kbackend.set_threads("auto")
    assert engine.threads() == CORES


def test_never_more_threads_than_cores(engine):
    kbackend.set_threads(100)
    setting.prepare(engine)
    assert engine.threads() == CORES
    assert setting.most(Engine("thread", 64)) == CORES


def test_the_engines_own_limit_holds_with_auto():
    assert setting.most(Engine("thread", 2)) == 2


@pytest.mark.parametrize(("wanted", "number", "expected"), [("auto", 8, CORES), ("auto", 2, 2), (3, 8, 3), (3, 2, 3)])
def test_an_engine_that_starts_with_a_number_gets_it_before(wanted, number, expected):
    kbackend.set_threads(wanted)
    engine = Engine("start", number)
    setting.prepare(engine)
    assert engine.number == expected


def test_an_engine_that_has_started_says_that_it_keeps_its_number():
    engine = Engine("start", 4)
    setting.prepare(engine)
    with pytest.warns(UserWarning, match="has started with 4 threads and keeps them; choose the number before") as told:
        kbackend.set_threads(1)
    assert told[0].filename == __file__ and engine.number == 4
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        kbackend.set_threads(4)  # what it has
        kbackend.set_threads("auto")


# --------------------------------------------------------------------------------------------------------- programs


def test_a_program_runs_with_the_number_and_leaves_the_engines(engine):
    program = engine.program()
    kbackend.set_threads(2)  # the engine was not loaded through select, so that it keeps its own
    assert program([1]) == [1]
    assert engine.seen == [2] and engine.threads() == CORES


def test_the_engines_number_comes_back_after_an_error(engine):
    program = engine.program(fails=True)
    for number in (2, "auto"):
        kbackend.set_threads(number)
        for _ in range(5):
            with pytest.raises(ValueError, match="fails"):
                program([])
            assert engine.threads() == CORES
    program = engine.program()
    kbackend.set_threads(2)
    program([])
    assert engine.seen[-1] == 2  # nothing is held any more


def test_auto_tries_both_numbers_and_leaves_the_engines(engine):
    program = engine.program()
    for _ in range(50):
        program([])
        assert engine.threads() == CORES
    assert engine.seen[0] == CORES and set(engine.seen) == {1, CORES}


def test_set_threads_reaches_programs_that_are_being_measured_and_auto_measures_anew(engine):
    program = engine.program()
    for _ in range(6):
        program([])
    kbackend.set_threads(3)
    engine.seen.clear()
    for _ in range(20):
        program([])
    assert set(engine.seen) == {3}
    kbackend.set_threads("auto")
    engine.seen.clear()
    for _ in range(50):
        program([])
    assert set(engine.seen) == {1, CORES}


def test_other_settings_leave_a_measurement_alone(engine):
    program = engine.program()
    for _ in range(50):
        program([])
    engine.seen.clear()
    config.changes[0] += 1  # as floatx and the kind of draws do
    program([])
    assert len(engine.seen) == 1
    plan = next(c.cell_contents for c in program.__closure__ if isinstance(c.cell_contents, running.Plan))
    assert plan.seen == config.changes[0] and plan.number is not None


def test_deterministic_mode_fixes_the_number(engine, monkeypatch):
    program = engine.program()
    monkeypatch.setattr(modes.modes.read(), "deterministic", True)
    config.changes[0] += 1
    for _ in range(50):
        program([])
    assert set(engine.seen) == {CORES}
    kbackend.set_threads(1)
    program([])
    assert engine.seen[-1] == 1


def test_compiled_programs_are_not_measured(engine):
    program = engine.program(measured=False)
    for _ in range(50):
        program([])
    assert set(engine.seen) == {CORES}


@pytest.mark.parametrize(("scope", "device"), [("start", "cpu"), (None, "cpu"), ("thread", "cuda:0")])
def test_other_engines_and_devices_run_as_they_are(scope, device):
    def runner(feeds):
        return feeds

    target = SimpleNamespace(backend=Engine(scope), device=device)
    assert running.with_threads(runner, target, True) is runner


def test_a_quota_holds_from_the_first_call(engine, monkeypatch):
    for module in (setting, running):
        monkeypatch.setattr(module, "usable", lambda: 2)
    engine.program()([])
    assert engine.seen == [2] and engine.threads() == CORES


# ----------------------------------------------------------------------------------------------- threads of Python's


def at_once(functions, times):
    """Run functions in threads of their own; the errors."""
    errors, start = [], threading.Barrier(len(functions))

    def repeat(function):
        try:
            start.wait(30)
            for _ in range(times):
                function()
        except BaseException as error:
            errors.append(error)

    workers = [threading.Thread(target=repeat, args=(f,)) for f in functions]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return errors


def test_programs_at_once_leave_the_engines_number(engine):
    programs = [engine.program() for _ in range(3)]

    def call(program):
        assert program([7]) == [7]

    assert not at_once([lambda p=p: call(p) for p in programs * 3], 400)
    assert engine.threads() == CORES and set(engine.seen) <= {1, CORES}
    kbackend.set_threads(2)
    engine.seen.clear()
    assert not at_once([lambda p=p: call(p) for p in programs * 3], 50)
    assert set(engine.seen) == {2} and engine.threads() == CORES


def test_a_program_that_another_thread_times_runs_as_an_ordinary_one(engine):
    inside, go = threading.Event(), threading.Event()
    first = []

    def runner(feeds):
        if feeds == ["wait"]:
            inside.set()
            assert go.wait(30)
        return feeds

    program = running.with_threads(runner, SimpleNamespace(backend=engine, device="cpu"), True)
    waiting = threading.Thread(target=lambda: first.append(program(["wait"])))
    waiting.start()
    assert inside.wait(30)
    assert program(["other"]) == ["other"]
    go.set()
    waiting.join()
    assert first == [["wait"]]


def test_a_program_inside_another_keeps_its_number_and_sets_nothing_back_too_early():
    engine = Engine("process")
    inner = engine.program()

    def runner(feeds):
        inner(feeds)
        engine.seen.append(engine.threads())
        return feeds

    outer = running.with_threads(runner, SimpleNamespace(backend=engine, device="cpu"), True)
    kbackend.set_threads(2)
    outer([])
    assert engine.seen == [2, 2] and engine.threads() == CORES


# --------------------------------------------------------------------------------------------------- the real engines


@pytest.mark.parametrize("name", ["numpy", pytest.param("torch", marks=pytest.mark.engine("torch"))])
def test_engines_take_the_number_for_a_program(name, fresh):
    backend = select.get_backend(name)
    fresh.loaded.clear()  # so that it keeps its own outside programs
    before = backend.threads()
    seen = []
    program = running.with_threads(lambda feeds: seen.append(backend.threads()), select.target(name, "cpu"), True)
    try:
        for number in (1, 2):
            kbackend.set_threads(number)
            program([])
            assert seen[-1] == number and backend.threads() == before
    finally:
        backend.set_threads(before)


@pytest.mark.parametrize("name", ["numpy", pytest.param("torch", marks=pytest.mark.engine("torch"))])
def test_programs_of_engines_at_once(name):
    """Each has results of its own, whatever the others set meanwhile."""
    before = select.get_backend(name).threads()
    with kbackend.use_backend(name):
        x = K.placeholder((40, 40))
        functions = [K.function([x], [K.dot(x, x) * float(k)]) for k in range(1, 4)]
        data = [[float(i == j) for j in range(40)] for i in range(40)]

        def call(k):
            with kbackend.use_backend(name):
                (y,) = functions[k]([data])
            assert y[0, 0] == k + 1 and y.sum() == 40 * (k + 1)

        assert not at_once([lambda k=k: call(k) for k in (0, 1, 2) * 2], 60)
    assert select.get_backend(name).threads() == before


WHOLE = """
import kbackend
from kbackend.plugin import select
from kbackend.plugin.threads import setting
setting.usable = lambda: 2
kbackend.set_backend({name!r})
print(kbackend.threads(), select.active_target().backend.threads())
"""


def test_the_variable_reaches_each_engine_when_it_is_loaded(each_backend, fresh_python):
    environment = {"KBACKEND_THREADS": "2", "OMP_NUM_THREADS": "1", "TF_NUM_INTRAOP_THREADS": "1"}
    assert fresh_python(WHOLE.format(name=each_backend), environment).split() == ["2", "2"]


def test_a_program_of_one_call_loads_nothing_to_measure(fresh_python):
    code = """
import sys
from kbackend import K, use_backend
with use_backend("numpy"):
    x = K.placeholder((2, 2))
    K.function([x], [K.dot(x, x)])([[[1.0, 2.0], [3.0, 4.0]]])
print("threadpoolctl" in sys.modules)
"""
    assert fresh_python(code).split() == ["False"]


@pytest.mark.engine("torch")
def test_an_engine_is_not_given_the_number_that_it_has(fresh_python):
    """Once torch is given a number of threads, even its own, its attention kernel takes one thread."""
    code = """
import torch
given = []
torch.set_num_threads = given.append
from kbackend import K
x = K.placeholder((64, 64))
program = K.function([x], [K.dot(x, x)])
for _ in range(300):
    program([[[1.0] * 64] * 64])
print(len(given))
"""
    env = {"KBACKEND": "torch", "KBACKEND_THREADS": "auto", "OMP_NUM_THREADS": "1"}
    assert fresh_python(code, env).strip() == "0"
