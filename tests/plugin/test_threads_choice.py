"""When one thread is chosen, when all are, and when it is measured again; the clock is simulated."""

from __future__ import annotations

import pytest

from kbackend.plugin.threads.choice import Choice

ALL = 4
MS = 1e-3


class Machine:
    """Runs the calls of one program; a step takes what ``cost(number)`` says.

    Attributes:
        calls: the number of threads of each call, None for the engine's own.
        timed: whether each call was timed.
        now: seconds.
    """

    def __init__(self, most=ALL, price=0.0):
        self.choice = Choice(lambda: most, price, lambda: self.now, lambda threads: self.crowded)
        self.crowded = True
        self.calls, self.timed, self.now, self._left = [], [], 0.0, 0

    def run(self, cost, calls):
        for _ in range(calls):
            self._left -= 1
            timed = self._left < 0
            number = self.choice.wanted if timed and self.choice.wanted is not None else self.choice.number
            seconds = cost(ALL if number is None else number)
            self.now += seconds
            self.calls.append(number)
            self.timed.append(timed)
            if timed:
                self.choice.took(seconds)
                self._left = self.choice.left
        return self.choice.number


def taking(one, every):
    return lambda number: one if number == 1 else every


@pytest.mark.parametrize("unit", [1e-5, MS, 0.1])
def test_the_faster_number_is_chosen(unit):
    assert Machine().run(taking(unit, 2 * unit), 60) == 1
    assert Machine().run(taking(2 * unit, unit), 60) == ALL


def test_the_first_calls_are_left_alone():
    machine = Machine()
    machine.run(taking(MS, MS), 4)
    assert machine.calls == [None, None, None, ALL]


def test_an_interrupt_while_it_decides_lets_it_begin_anew():
    machine = Machine()
    machine.run(taking(MS, 2 * MS), 3)
    with pytest.raises(KeyboardInterrupt):
        machine.choice.course.throw(KeyboardInterrupt)
    assert machine.run(taking(MS, 2 * MS), 60) == 1


def test_one_thread_is_chosen_where_all_gain_little():
    assert Machine().run(taking(1.0 * MS, 0.95 * MS), 60) == 1


def test_short_steps_keep_the_engines_number_unless_one_is_faster_by_more_than_its_price():
    assert Machine(price=2e-6).run(taking(1e-5, 1e-5), 200) == ALL
    assert Machine(price=2e-6).run(taking(1e-5, 1.15e-5), 200) == ALL
    assert Machine(price=2e-6).run(taking(1e-5, 1.4e-5), 200) == 1


def test_a_stall_in_a_phase_decides_nothing():
    stalls = iter([0, 0, 20, 0, 0, 0, 20, *[0] * 1000])
    assert Machine().run(lambda n: (MS if n != 1 else 2 * MS) + next(stalls) * MS, 60) == ALL


@pytest.mark.parametrize("first", [1, 50])
@pytest.mark.parametrize(("one", "every", "chosen"), [(1.0, 0.7, 2), (0.7, 1.0, 1)])
@pytest.mark.parametrize("unit", [1e-5, MS, 0.1])
def test_batches_of_two_sizes_in_turns_favour_neither(first, one, every, chosen, unit):
    """Each second batch takes 50 times as long."""
    sizes = iter([first, 51 - first] * 200)
    assert Machine(most=2).run(lambda n: taking(one, every)(n) * next(sizes) * unit, 40) == chosen


def test_a_machine_that_slows_down_favours_neither():
    """Each step takes 3% more of the first one's time than the one before."""
    slowness = iter(1 + 0.03 * step for step in range(100))
    assert Machine().run(lambda n: MS * next(slowness), 25) == 1


def test_one_core_is_never_measured():
    machine = Machine(most=1)
    assert machine.run(taking(MS, MS), 500) == 1
    assert sum(machine.timed) == 2


def test_the_choice_takes_few_steps():
    machine = Machine()
    machine.run(taking(2 * MS, 1.5 * MS), 30)
    assert machine.choice.number == ALL and machine.calls.count(1) == 9


@pytest.mark.parametrize("every", [0.05, 2.0])
def test_a_number_that_takes_much_longer_is_given_up_at_once(every):
    machine = Machine()
    machine.run(taking(MS, MS), 60)
    assert machine.choice.number == 1
    before = len(machine.calls)
    machine.now, machine.crowded = machine.now + 1000, False  # measured again, on a machine that seems idle and is not
    machine.run(taking(MS, every), 100)
    assert machine.choice.number == 1 and machine.calls[before:].count(ALL) == 1


def test_one_thread_is_not_tried_where_it_might_take_minutes():
    machine = Machine()
    machine.run(taking(400.0, 10.0), 10)
    assert 1 not in machine.calls and machine.choice.number == ALL


@pytest.mark.parametrize(("seconds", "every"), [(1e-6, 64), (1e-4, 10), (MS, 1), (0.5, 1)])
def test_settled_programs_are_timed_now_and_then(seconds, every):
    machine = Machine()
    machine.run(taking(seconds, 2 * seconds), 100)
    before = len(machine.timed)
    machine.run(taking(seconds, 2 * seconds), 640)
    assert sum(machine.timed[before:]) == pytest.approx(640 / every, abs=1 if every > 1 else 20)


def test_it_is_measured_again_when_steps_become_slower():
    machine = Machine()
    assert machine.run(taking(2 * MS, MS), 60) == ALL
    assert machine.run(taking(3 * MS, 8 * MS), 20) == 1  # well before the pause is over
    assert machine.now < 5


def test_single_slow_steps_are_no_reason():
    machine = Machine()
    machine.run(taking(2 * MS, MS), 60)
    machine.crowded = False
    slow = iter([20, 20, 1, 1] * 100)
    before = len(machine.calls)
    machine.run(lambda n: next(slow) * MS, 100)
    assert 1 not in machine.calls[before:]


def test_it_is_measured_again_after_a_pause_that_doubles():
    machine = Machine()
    starts = []
    for _ in range(2000):
        machine.run(taking(200 * MS, 100 * MS), 1)
        if machine.calls[-1] == 1 and (not starts or machine.now > starts[-1] + 3):
            starts.append(machine.now)
    pauses = [b - a for a, b in zip(starts, starts[1:])]
    assert len(pauses) >= 3 and all(b > 1.5 * a for a, b in zip(pauses, pauses[1:]))


def test_all_threads_are_found_again_once_the_machine_is_idle():
    machine = Machine()
    assert machine.run(taking(2 * MS, 9 * MS), 100) == 1
    machine.crowded = False
    assert machine.run(taking(2 * MS, MS), 10_000) == ALL


def test_one_thread_is_not_measured_again_while_others_use_the_cores():
    machine = Machine()
    assert machine.run(taking(20 * MS, 90 * MS), 100) == 1
    before = len(machine.calls)
    machine.run(taking(20 * MS, 90 * MS), 10_000)
    assert machine.now > 200 and set(machine.calls[before:]) == {1}
    machine.run(taking(20 * MS, 90 * MS), 30_000)
    assert 0 < machine.calls[before:].count(ALL) < 5, "after five minutes all the same"


@pytest.mark.parametrize("number", [ALL, None])
def test_all_threads_that_take_half_as_long_again_beside_others_are_measured(number):
    machine = Machine() if number else Idle()
    machine.run(taking(2 * MS, MS), 60)
    assert machine.choice.number == number
    machine.crowded = True
    assert machine.run(taking(1.2 * MS, 2 * MS), 60) == 1 and machine.now < 5


def test_slower_steps_on_a_machine_that_nobody_else_uses_are_no_reason():
    machine = Idle()
    machine.run(taking(2 * MS, MS), 60)
    machine.run(taking(1.2 * MS, 2 * MS), 2000)
    assert set(machine.calls) == {None}


# ---------------------------------------------------------------------- a machine that nobody else uses


class Idle(Machine):
    """Other processes leave all cores to the program, but for the calls in ``busy``."""

    def __init__(self, busy=()):
        super().__init__()
        self.crowded = False
        self.choice = Choice(
            lambda: ALL, 0.0, lambda: self.now, lambda threads: self.crowded or len(self.calls) in busy
        )


@pytest.mark.parametrize("busy", [(), (2,), (3,)])
def test_on_an_idle_machine_the_engine_keeps_its_number_and_values_do_not_depend_on_time(busy):
    machine = Idle(busy)
    machine.run(taking(MS, 2 * MS), 5000)
    assert set(machine.calls) == {None} and machine.now > 9


def test_a_machine_that_is_busy_in_the_first_calls_is_measured():
    assert Idle((2, 3)).run(taking(MS, 2 * MS), 60) == 1


def test_an_idle_machine_that_becomes_busy_is_measured():
    machine = Idle()
    machine.run(taking(2 * MS, MS), 200)
    assert machine.run(taking(2 * MS, 9 * MS), 60) == 1
    assert machine.run(taking(2 * MS, MS), 10_000) == ALL
