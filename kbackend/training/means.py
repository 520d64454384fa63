"""Means over an epoch of the values of its steps."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Protocol
from weakref import ref

from kbackend.callbacks.base import Logs

_FOLD = 512


def _nothing() -> None:
    return None


class Elsewhere(Protocol):
    """What gives values that are not computed in each step.

    ``places`` are theirs among the values; ``values()`` gives, of all batches since its last call, the numbers of
    samples and the values with their own masses.
    """

    @property
    def places(self) -> Sequence[int]: ...
    def values(self) -> Sequence[tuple[int, Sequence[Any]]]: ...


class Means:
    """Means of the values of steps, fetched from the engine only when they are read.

    Args:
        names: of the values, and of the results of metrics among them.
        own_mass: the places of the values that have a mass of their own; the mass of the others is the batch size.
        number: makes a float of a scalar of the engine.
        results: gives the results of metrics by their places among the names.
        count: the number of values, that of the names when None.
        totals: by their places the values that are sums, and of how many numbers of each sample, or of one times its
            mass; the others are means.
        elsewhere: what gives the values that steps do not; None where they give all.

    Attributes:
        not_finite: the number of the first step whose first value, the loss, is NaN or infinite, and that value; known
            once the values are read.

    >>> means = Means(["loss", "mae"], [1], float)
    >>> means.add(3, [1.0, 4.0, 1.0])
    >>> means.add(1, [5.0, 8.0, 3.0])
    >>> dict(means.logs())
    {'loss': 2.0, 'mae': 7.0}
    """

    def __init__(
        self,
        names: Sequence[str],
        own_mass: Collection[int],
        number: Callable[[Any], float],
        results: Callable[[], Mapping[int, Any]] = dict,
        count: int | None = None,
        totals: Mapping[int, int] | None = None,
        elsewhere: Elsewhere | None = None,
    ) -> None:
        self.names = names
        self._own_mass = frozenset(own_mass)
        self._number = number
        self._results = results
        self._totals = totals or {}
        self._elsewhere = elsewhere
        count = len(names) if count is None else count
        self._places: Sequence[int] = range(count)
        if elsewhere is not None:
            self._places = [p for p in range(count) if p not in elsewhere.places]
        self._by_size = not self._own_mass and not self._totals
        self._sums = [0.0] * count
        self._masses = [0.0] * count
        self._pending: list[tuple[int, Sequence[Any]]] = []
        self._folded = 0
        self.not_finite: tuple[int, float] | None = None
        self._last: Callable[[], Logs | None] = _nothing

    def add(self, size: int, outputs: Sequence[Any]) -> None:
        """Take the outputs of a step on ``size`` samples: the values that it gives, then their own masses."""
        self._pending.append((size, outputs))
        if len(self._pending) >= _FOLD:
            self._fold()

    def _fold(self) -> None:
        for size, outputs in self._pending:
            values = [*map(self._number, outputs)]
            if self.not_finite is None and not math.isfinite(values[0]):
                self.not_finite = self._folded, values[0]
            self._folded += 1
            self._take(self._places, size, values)
        self._pending.clear()
        if self._elsewhere is not None:
            for size, outputs in self._elsewhere.values():
                self._take(self._elsewhere.places, size, [self._number(t) for t in outputs])

    def _take(self, places: Sequence[int], size: int, values: Sequence[float]) -> None:
        if self._by_size:
            for place, value in zip(places, values) if size else ():
                self._sums[place] += value * size
                self._masses[place] += size
            return
        for place, value, mass in self._weighed(places, size, values):
            if place in self._totals:
                self._sums[place] += value
                self._masses[place] += mass
            elif mass:
                self._sums[place] += value * mass
                self._masses[place] += mass

    def _weighed(
        self, places: Sequence[int], size: int, values: Sequence[float]
    ) -> list[tuple[int, float, float]]:
        """(place, value, mass) for the outputs of a step."""
        found, own = [], len(places)  # where the next mass of its own is
        for place, value in zip(places, values):
            if place in self._own_mass:
                found.append((place, value, values[own]))
                own += 1
            else:
                found.append((place, value, size * self._totals.get(place, 1)))
        return found

    def fetch(self) -> list[Any]:
        """The means and results so far, in the order of the names."""
        self._fold()
        values = [total / (mass or 1.0) for total, mass in zip(self._sums, self._masses)]
        results = self._results()
        if not results:
            return values
        means = iter(values)
        return [results[place] if place in results else next(means) for place in range(len(self.names))]

    def state_dict(self) -> dict[str, Any]:
        """What the means so far are made of, for :meth:`load_state_dict`."""
        self._fold()
        return {"sums": self._sums, "masses": self._masses, "steps": self._folded, "not_finite": self.not_finite}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from other means.

        Raises:
            KeyError, ValueError: they are of other values.
        """
        if not len(state["sums"]) == len(state["masses"]) == len(self._sums):
            raise ValueError(f"there are means of {len(state['sums'])} values, the step has {len(self._sums)}")
        self._sums, self._masses = ([float(v) for v in state[key]] for key in ("sums", "masses"))
        self._folded = state["steps"]
        self.not_finite = None if state["not_finite"] is None else tuple(state["not_finite"])

    def logs(self) -> Logs:
        """The means so far by name, fetched when they are read."""
        return Logs(self.names, self.fetch)

    def batch_logs(self, index: int, size: int, outputs: Sequence[Any]) -> Logs:
        """The values of one batch alone, fetched when they are read, and its number and size."""

        def fetch() -> list[Any]:
            found = self._weighed(self._places, size, [self._number(t) for t in outputs])
            values = iter([v / (mass or 1.0) if place in self._totals else v for place, v, mass in found])
            results = self._results()
            return [results[place] if place in results else next(values) for place in range(len(self.names))]

        made = Logs(self.names, fetch, {"batch": index, "size": size}, self.logs)
        self._last = ref(made)
        return made

    def settle(self) -> None:
        """Read the results of metrics for logs that somebody kept: another step is about to change their states."""
        last, self._last = self._last(), _nothing
        if last is not None and len(self._sums) < len(self.names):
            last.read()
