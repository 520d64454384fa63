"""Variables that several threads update and read, and interrupts during an update."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterator

import numpy as np
import pytest

import kbackend
from kbackend import K, optimizers
from kbackend.graph.variable import assign_all, values_of
from kbackend.ground.interrupts import hold_interrupts, release_interrupts


@pytest.fixture(autouse=True)
def frequent_switches() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


@pytest.fixture
def interrupts() -> Iterator[list[int]]:
    """The interrupts that arrived at a handler of the test's own."""
    arrived: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, frame: arrived.append(number))
    yield arrived
    signal.signal(signal.SIGINT, before)


def in_threads(*functions: Callable[[], None]) -> None:
    errors: list[BaseException] = []
    start = threading.Barrier(len(functions))

    def caught(function: Callable[[], None]) -> None:
        start.wait()
        try:
            function()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=caught, args=(f,)) for f in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def repeated(count: int, function: Callable[[], object]) -> Callable[[], None]:
    def run() -> None:
        for _ in range(count):
            function()

    return run


def test_two_programs_lose_no_updates_of_one_variable(each_backend):
    v, w = K.variable(np.zeros(3)), K.variable(np.zeros(4))
    first = K.function([], [], updates=[(v, v + 1.0), (w, w + 1.0)])
    second = K.function([], [], updates=[(w, w + 1.0)])
    in_threads(*[repeated(100, lambda: first([])) for _ in range(4)],
               *[repeated(100, lambda: second([])) for _ in range(4)])
    assert K.get_value(v).tolist() == [400.0] * 3
    assert K.get_value(w).tolist() == [800.0] * 4


def test_readers_see_all_updates_of_a_call_or_none(each_backend):
    v, w = K.variable(np.zeros(20_000)), K.variable(np.zeros(30_000))
    update = K.function([], [], updates=optimizers.SGD(1.0).get_updates(-K.sum(v) - K.sum(w), [v, w]))
    read = K.function([], [K.mean(v), K.mean(w)])
    update([]), read([])  # makes the programs, in which time the others would read all that they are to read
    pairs: list[tuple[float, float]] = []
    ended = threading.Event()

    def updating() -> None:
        for _ in range(300):
            update([])
        ended.set()

    def reading(values: Callable[[], tuple[float, float]]) -> Callable[[], None]:
        def run() -> None:  # to the end of the updates: so many reads may be over before the first
            while not ended.is_set():
                pairs.append(values())

        return run

    in_threads(updating,
               reading(lambda: tuple(float(x) for x in read([]))),
               reading(lambda: tuple(float(x[0]) for x in K.batch_get_value([v, w]))))
    assert [p for p in pairs if p[0] != p[1]] == []
    assert len({p[0] for p in pairs}) > 1


def test_values_set_together_are_read_together(each_backend):
    v, w = K.variable(np.zeros(3)), K.variable(np.zeros(4))
    read = K.function([], [K.sum(v) / 3.0, K.sum(w) / 4.0])
    pairs: list[tuple[float, float]] = []
    numbers = iter(range(10_000))

    def set_both() -> None:
        number = next(numbers)
        K.batch_set_value([(v, np.full(3, number)), (w, np.full(4, number))])

    in_threads(repeated(300, set_both), repeated(300, lambda: pairs.append(tuple(float(x) for x in read([])))))
    assert [p for p in pairs if p[0] != p[1]] == []


def test_programs_joined_later_see_whole_updates(each_backend):
    v, w = K.variable(0.0), K.variable(0.0)
    both: list[float] = []
    read = K.function([], [v, w])
    singles = [K.function([], [], updates=[(x, x + 1.0)]) for x in (v, w)]
    in_threads(*[repeated(100, lambda f=f: f([])) for f in singles],
               repeated(20, lambda: K.function([], [], updates=[(v, v + 1.0), (w, w + 1.0)])([])),
               repeated(100, lambda: both.append(float(read([])[0]))))
    assert K.batch_get_value([v, w]) == [120.0, 120.0]


def test_a_refused_value_changes_no_variable_of_the_batch():
    v, w = K.variable(1.0), K.variable(2.0)
    with pytest.raises(ValueError, match="shape"):
        K.batch_set_value([(v, 5.0), (w, [1.0, 2.0])])
    with pytest.raises(TypeError, match="variable"):
        K.batch_set_value([(v, 5.0), (K.placeholder(()), 1.0)])
    assert K.batch_get_value([v, w]) == [1.0, 2.0]


@pytest.mark.engine("numpy", "torch")
def test_a_variable_moves_between_engines_while_another_thread_updates_it():
    v = K.variable(np.zeros(2))

    def on(engine: str) -> Callable[[], None]:
        def run() -> None:
            with kbackend.use_backend(engine):
                step = K.function([], [], updates=[(v, v + 1.0)])
                for _ in range(100):
                    step([])

        return run

    in_threads(on("numpy"), on("torch"))
    assert K.get_value(v).tolist() == [200.0, 200.0]


# ---------------------------------------------------------------------- interrupts


def test_an_interrupt_waits_until_it_is_released(interrupts):
    handler = signal.getsignal(signal.SIGINT)
    hold_interrupts()
    signal.raise_signal(signal.SIGINT)
    assert interrupts == []
    release_interrupts()
    assert interrupts == [signal.SIGINT]
    assert signal.getsignal(signal.SIGINT) is handler


def test_release_without_an_interrupt_restores_the_handler(interrupts):
    handler = signal.getsignal(signal.SIGINT)
    hold_interrupts()
    hold_interrupts()
    release_interrupts()
    release_interrupts()
    assert signal.getsignal(signal.SIGINT) is handler and interrupts == []


@pytest.fixture
def stop_inside() -> Iterator[list[bool]]:
    """A flag, and a handler of SIGINT that raises KeyboardInterrupt only while the flag is set."""
    inside = [False]

    def handler(number: int, frame: object) -> None:
        if inside[0]:
            inside[0] = False
            raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, handler)
    yield inside
    signal.signal(signal.SIGINT, before)


def test_a_keyboard_interrupt_never_tears_the_updates_of_a_call(each_backend, stop_inside):
    """Interrupts at many instants of a step that updates six variables in place: all have changed as often."""
    variables = [K.variable(np.zeros(20_000)) for _ in range(6)]
    loss = -sum(K.sum(v) for v in variables)
    step = K.function([], [], updates=optimizers.SGD(1.0).get_updates(loss, variables))
    main = threading.main_thread().ident
    step([])
    caught = 0
    for delay in np.linspace(0.0, 0.004, 40):
        timer = threading.Timer(float(delay), lambda: signal.pthread_kill(main, signal.SIGINT))
        timer.start()
        try:
            stop_inside[0] = True
            while timer.is_alive():
                step([])
        except KeyboardInterrupt:
            caught += 1
        stop_inside[0] = False
        timer.join()
        values = values_of(variables)
        assert len({float(x) for value in values for x in (value.min(), value.max())}) == 1
    assert caught > 0


def test_values_set_together_survive_an_interrupt(monkeypatch, stop_inside):
    v, w = K.variable(0.0), K.variable(0.0)
    assign = type(v)._assign

    def interrupted(self, array):
        signal.raise_signal(signal.SIGINT)
        assign(self, array)

    monkeypatch.setattr(type(v), "_assign", interrupted)
    stop_inside[0] = True
    with pytest.raises(KeyboardInterrupt):
        assign_all([v, w], [1.0, 2.0])
    assert K.batch_get_value([v, w]) == [1.0, 2.0]
