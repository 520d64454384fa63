"""One thread or all for one program: measured on a busy machine, watched, measured again.

The first two calls of a program are left alone: the kernels load what they need, and a program that is called once or
twice pays nothing. Where other processes leave enough cores to all threads, the engine keeps its own number, so that
values do not depend on a measurement, and steps are only watched. Else steps are timed in four phases, as many threads
as before, the other number twice, as before again, so that a machine that slows down favours neither, and an even
number of steps in each, so that batches of two sizes in turns do not. All threads must be a tenth faster to be chosen:
beside busy processes they wait for each other, one waits for none. Where a step is so short that setting the number
would show, one thread must be faster by more than that takes.

Afterwards some calls are timed, one in 64 of the shortest, every one of 1 ms or more. It is measured again after three
in a row that took three times as long as measured; with all threads, after twice four whose median took 1.5 times as
long while other processes used the cores; and 5 to 300 seconds after a choice, unless that is one thread and others
still use the cores, for they are why. The pause doubles while the choice stays.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Generator
from time import perf_counter

#: the number of threads of the next timed call -> the seconds it took; None leaves the engine's number
Course = Generator[int | None, float, None]

#: calls with the engine's own number before anything is measured
_ALONE = 2
#: a phase ends after four to eight steps, as soon as they took so many seconds together; of steps that each take as
#: long as the second number, two are enough
_LEAST_STEPS, _MOST_STEPS = 4, 8
_PHASE, _LONG = 0.002, 0.1
#: the other number is given up when it took ten times as long as the current one, and this
_TOO_SLOW, _PATIENCE = 10, 0.02
#: how much slower than measured a step is when it is measured again, and how often in a row
_SLOWER, _OFTEN = 3.0, 3
#: the same for the median of so many calls, twice in a row, with all threads on cores that others use
_DISTURBED, _WINDOW, _TWICE = 1.5, 4, 2
#: all threads take at most this part of the time of one
_WORTH = 0.9
#: two phases are enough where one number is so many times faster
_CLEAR = 1.5
#: a step is short below so many times the price of setting the number, and one thread must take this part of the time
_SHORT, _GAIN = 300, 0.95
#: a step that might take longer than this on one thread is not tried
_TOO_LONG = 10.0
#: one call is timed in so many seconds, at least one in so many calls
_SAMPLED, _SELDOM = 0.001, 64
_FIRST_PAUSE, _LONGEST_PAUSE = 5.0, 300.0

NEVER = sys.maxsize


class Choice:
    """The number of threads of one program, and when to time its next call.

    Args:
        most: the number that all threads are, asked for once the first calls have been made.
        price: seconds that it takes to set the number for a call and to set it back.
        clock: seconds, for the pauses between measurements.
        contended: whether other processes use cores that all threads need.

    Attributes:
        number: for calls that are not timed; None leaves the engine's own.
        left: untimed calls until the next timed one.
        course: gives the number for each timed call and takes the seconds that it took.
    """

    __slots__ = ("number", "left", "course", "wanted", "_most", "_price", "_clock", "_contended", "_ran")

    def __init__(
        self, most: Callable[[], int], price: float = 0.0, clock: Callable[[], float] = perf_counter,
        contended: Callable[[int], bool] = lambda threads: True,
    ) -> None:
        self.number: int | None = None
        self.left = 0
        self._most, self._price, self._clock, self._contended = most, price, clock, contended
        self._ran: int | None = None
        self.course = self._life()
        #: the number for the next timed call
        self.wanted = next(self.course)

    def took(self, seconds: float) -> None:
        """Note how long the call with the wanted number of threads took."""
        self._ran = self.wanted
        try:
            self.wanted = self.course.send(seconds)
        except StopIteration:  # an interrupt came while it ran, which ended it
            self.course = self._life()
            self.wanted = next(self.course)

    def _life(self) -> Course:
        for _ in range(_ALONE):
            yield None
        current = self._ran = most = self._most()
        if most == 1:
            self.number, self.left = 1, NEVER
        elif not (yield from self._crowded(most)):
            yield from self._undisturbed(most)
        pause = _FIRST_PAUSE
        while most > 1:
            before = current
            current, seconds = yield from self._measured(current, most)
            pause = min(2 * pause, _LONGEST_PAUSE) if current == before else _FIRST_PAUSE
            self.number = current
            pause = yield from self._watched(current, seconds, most, pause)
        while True:
            yield None

    def _crowded(self, most: int) -> Generator[int | None, float, bool]:
        """Whether others use the cores after two calls in a row, so that a process that runs for a moment is none."""
        if not self._contended(most):
            return False
        yield None
        return self._contended(most)

    def _undisturbed(self, most: int) -> Course:
        """Watch steps with the engine's own number, until they are slow."""
        times: list[float] = []
        while not _enough(times):
            times.append((yield None))
        yield from self._watched(None, max(_median(times), 1e-9), most, math.inf)

    def _measured(self, current: int, most: int) -> Generator[int | None, float, tuple[int, float]]:
        """The faster of the current number and the other, with the seconds of a step."""
        other = most if current == 1 else 1
        times: dict[int, list[float]] = {current: [], other: []}
        yield from self._phase(current, times[current])
        first = _median(times[current])
        if other == 1 and first * most > _TOO_LONG:
            return current, first
        for number in (other, other, current):
            limit = _TOO_SLOW * _median(times[current]) + _PATIENCE
            yield from self._phase(number, times[number], limit if number == other else math.inf)
            one, every = (max(_median(times[n]), 1e-9) for n in (1, most))
            if not 1 / _CLEAR < one / every < _CLEAR:
                break
        alone = one + self._price < _GAIN * every if one < _SHORT * self._price else every >= _WORTH * one
        return (1, one) if alone else (most, every)

    def _phase(self, number: int, times: list[float], limit: float = math.inf) -> Generator[int | None, float, None]:
        """Time steps, until there are enough or they took longer than the limit together."""
        total, found = 0.0, list[float]()
        if self._ran != number:
            total = yield number  # wakes threads or lets them go to sleep, and counts only if it is all that there is
            if total > limit:
                found.append(total)
        while total <= limit and not _enough(found):
            seconds = yield number
            found.append(seconds)
            total += seconds
        times += found

    def _watched(
        self, number: int | None, seconds: float, most: int, pause: float
    ) -> Generator[int | None, float, float]:
        """Time some of the calls, until they are slow or the time has come; the pause that it took."""
        every = max(1, min(_SELDOM, int(_SAMPLED / seconds)))
        slow, disturbed, until, recent = 0, 0, self._clock() + pause, list[float]()
        while slow < _OFTEN and disturbed < _TWICE:
            if self._clock() >= until:
                if number != 1 or pause >= _LONGEST_PAUSE or not self._contended(most):
                    break
                pause = min(2 * pause, _LONGEST_PAUSE)
                until = self._clock() + pause
            self.left = every - 1
            recent.append((yield number))
            slow = slow + 1 if recent[-1] > _SLOWER * seconds else 0
            if len(recent) == _WINDOW:
                late = number != 1 and _median(recent) > _DISTURBED * seconds
                disturbed = disturbed + 1 if late and self._contended(most) else 0
                recent.clear()
        self.left = 0
        return pause


def _median(times: list[float]) -> float:
    import statistics  # late: a process that predicts once never needs it

    return statistics.median(times)


def _enough(found: list[float]) -> bool:
    if len(found) % 2 or not found:
        return False
    if len(found) < _LEAST_STEPS:
        return min(found) >= _LONG
    return len(found) >= _MOST_STEPS or sum(found) >= _PHASE


__all__ = ["NEVER", "Choice"]
