"""One thread or all for one program: measured, watched, measured again.

The first call of a program is left alone: it loads what the kernels need. Then steps are timed in four phases, as many
threads as before, the other number twice, as before again, so that batches of two sizes in turns favour neither. All
threads must be a tenth faster to be chosen: beside busy processes they wait for each other, one waits for none.

Afterwards some calls are timed, one in 64 of the shortest, every one of 1 ms or more. Three in a row that took three times
as long as measured, or 5 to 300 seconds, and it is measured again; the pause doubles while the choice stays.
"""

from __future__ import annotations

import math
import statistics
import sys
from collections.abc import Callable, Generator
from time import perf_counter

#: the number of threads of the next timed call -> the seconds it took; None leaves the engine's number
Course = Generator[int | None, float, None]

#: seconds: a phase ends after three steps that took as long as the first together, and however few took the second
_PHASE, _LONG = 0.002, 0.02
_LEAST_STEPS, _MOST_STEPS = 3, 8
#: how much slower than measured a step is when it is measured again, and how often in a row
_SLOWER, _OFTEN = 3.0, 3
#: all threads take at most this part of the time of one
_WORTH = 0.9
#: two phases are enough where one number is so many times faster
_CLEAR = 1.5
#: steps below these seconds keep the engine's number unless another gains a twentieth: to set it has a price too
_SHORT, _GAIN = 1e-4, 0.95
#: a step that might take longer than this on one thread is not tried
_TOO_LONG = 10.0
#: one call is timed in so many seconds, at least one in so many calls
_SAMPLED, _SELDOM = 0.001, 64
_FIRST_PAUSE, _LONGEST_PAUSE = 5.0, 300.0

NEVER = sys.maxsize


class Choice:
    """The number of threads of one program, and when to time its next call.

    Args:
        most: the number that all threads are, asked for once the first call has been made.
        clock: seconds, for the pauses between measurements.

    Attributes:
        number: for calls that are not timed; None leaves the engine's own.
        left: untimed calls until the next timed one.
        course: gives the number for each timed call and takes the seconds that it took.
    """

    __slots__ = ("number", "left", "course", "wanted", "_most", "_clock", "_ran")

    def __init__(self, most: Callable[[], int], clock: Callable[[], float] = perf_counter) -> None:
        self.number: int | None = None
        self.left = 0
        self._most, self._clock = most, clock
        self._ran: int | None = None
        self.course = self._life()
        #: the number for the next timed call
        self.wanted = next(self.course)

    def took(self, seconds: float) -> None:
        """Note how long the call with the wanted number of threads took."""
        self._ran = self.wanted
        self.wanted = self.course.send(seconds)

    def _life(self) -> Course:
        yield None
        current = self._ran = most = self._most()
        if most == 1:
            self.number, self.left = 1, NEVER
        pause = _FIRST_PAUSE
        while most > 1:
            before = current
            current, seconds = yield from self._measured(current, most)
            pause = min(2 * pause, _LONGEST_PAUSE) if current == before else _FIRST_PAUSE
            self.number = current
            yield from self._watched(current, seconds, self._clock() + pause)
        while True:
            yield None

    def _measured(self, current: int, most: int) -> Generator[int | None, float, tuple[int, float]]:
        """The faster of the current number and the other, with the seconds of a step."""
        other = most if current == 1 else 1
        times: dict[int, list[float]] = {current: [], other: []}
        yield from self._phase(current, times[current])
        first = statistics.median(times[current])
        if other == 1 and first * most > _TOO_LONG:
            return current, first
        for number in (other, other, current):
            limit = 10 * statistics.median(times[current]) + _LONG
            yield from self._phase(number, times[number], limit if number == other else math.inf)
            one, every = (statistics.median(times[n]) for n in (1, most))
            if not 1 / _CLEAR < one / every < _CLEAR:
                break
        found = _better(one, every, most)
        return found, one if found == 1 else every

    def _phase(self, number: int, times: list[float], limit: float = math.inf) -> Generator[int | None, float, None]:
        """Time steps, until there are enough or they took longer than the limit together."""
        total, counted = 0.0, 0
        if self._ran != number:
            total = yield number  # wakes threads or lets them go to sleep, and counts only if it is all that there is
            if total > limit:
                times.append(total)
        while total <= limit and not _enough(counted, total):
            seconds = yield number
            times.append(seconds)
            total += seconds
            counted += 1

    def _watched(self, number: int, seconds: float, until: float) -> Course:
        """Time some of the calls, until they are slow or the time has come."""
        every = max(1, min(_SELDOM, int(_SAMPLED / max(seconds, 1e-9))))
        slow = 0
        while slow < _OFTEN and self._clock() < until:
            self.left = every - 1
            slow = slow + 1 if (yield number) > _SLOWER * seconds else 0
        self.left = 0


def _enough(counted: int, total: float) -> bool:
    return counted >= _MOST_STEPS or counted >= _LEAST_STEPS and total >= _PHASE or counted >= 1 and total >= _LONG


def _better(one: float, every: float, most: int) -> int:
    if max(one, every) < _SHORT:
        return 1 if one < _GAIN * every else most
    return most if every < _WORTH * one else 1


__all__ = ["NEVER", "Choice"]
