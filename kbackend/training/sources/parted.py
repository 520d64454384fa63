"""The part of each batch that one of several processes takes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from kbackend.distribution.team import Team
from kbackend.training.arrays import Groups
from kbackend.training.sources.arrays import Batches
from kbackend.training.sources.base import Fed, Feed, Source


class Parted:
    """The batches of a source, of which the step gets the samples of this process and their place in the batch.

    Sizes are those of whole batches. A process that has no sample of a batch gets its first one, of which nothing
    counts, so that all processes make the same steps.

    Args:
        source: the whole batches, the same in all processes.
        team: the processes.
    """

    def __init__(self, source: Source, team: Team) -> None:
        self._source, self._team = source, team
        self.sample, self.batch_size, self.goes_on = source.sample, source.batch_size, source.goes_on
        self.pass_over, self.close = source.pass_over, source.close

    @property
    def steps(self) -> int | None:
        return self._source.steps

    @property
    def samples(self) -> int | None:
        return self._source.samples

    @property
    def units(self) -> int | None:
        return self._source.units

    @property
    def held(self) -> Groups | None:
        return self._source.held

    @property
    def shapes(self) -> tuple[tuple[int, ...], ...] | None:
        """None where the parts of some batches have different sizes; programs for fixed shapes are made by all
        processes or by none."""
        whole = self._source.shapes
        if not whole or whole[0][0] % self._team.size:
            return None
        return (*((shape[0] // self._team.size, *shape[1:]) for shape in whole), (), ())

    def epoch(self, feed: Feed, order: np.ndarray | None = None, skip: int = 0) -> Fed:
        """As that of the source; without the samples of other processes."""
        if isinstance(self._source, Batches):
            yield from self._of_arrays(self._source, feed, order, skip)
            return
        for size, arrays in self._source.epoch(_as_it_is, order, skip):
            yield size, part_of(arrays, size, self._team, feed)

    def _of_arrays(self, source: Batches, feed: Feed, order: np.ndarray | None, skip: int) -> Fed:
        """Reads the samples of this process alone."""
        for start, stop in source.bounds(skip):
            first, last = _taken(*self._team.part(stop - start))
            chosen = slice(start + first, start + last) if order is None else order[start + first : start + last]
            arrays = source.rows(chosen)
            yield stop - start, [*map(feed, arrays), *_place(stop - start, self._team, feed)]


def part_of(arrays: Sequence[Any], size: int, team: Team, feed: Callable[[np.ndarray], Any]) -> list[Any]:
    """What the step of a process takes of a batch."""
    first, last = _taken(*team.part(size))
    return [*(feed(np.asarray(a)[first:last]) for a in arrays), *_place(size, team, feed)]


def _taken(first: int, last: int) -> tuple[int, int]:
    return (first, last) if last > first else (0, 1)


def _place(size: int, team: Team, feed: Callable[[np.ndarray], Any]) -> Iterator[Any]:
    """The share of a batch that this process has, and the place of its first sample."""
    first, last = team.part(size)
    yield feed(np.array((last - first) / size))
    yield feed(np.array(_taken(first, last)[0], np.int64))


def _as_it_is(array: np.ndarray) -> np.ndarray:
    return array
