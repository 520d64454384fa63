"""Batches of arrays."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain

import numpy as np

from kbackend.training.arrays import Groups
from kbackend.training.data import DataError
from kbackend.training.sources.base import Fed, Feed


class Batches:
    """Batches of arrays in a given order. The last one is smaller when the size does not divide the length.

    Args:
        groups: the arrays, with as many samples each.
        batch_size: of all batches but the last.
        steps: how many batches an epoch has, which are the first in its order; all that there are for None.

    Raises:
        DataError: there are less batches than ``steps``, or that is not positive.
    """

    def __init__(self, groups: Groups, batch_size: int, steps: int | None = None) -> None:
        self.sample = self.held = groups
        self.arrays = groups.flat
        self.batch_size = batch_size
        self.samples = self.units = len(self.arrays[0]) if self.arrays else 0
        there = -(-self.samples // batch_size)
        if steps is not None and not 0 < steps <= there:
            raise DataError(f"{self.samples} samples make {there} batches of {batch_size}, not {steps}")
        self._taken = self.samples if steps is None else min(steps * batch_size, self.samples)
        different = {id(a): a for a in self.arrays}  # an autoencoder's targets are its inputs
        self._different = list(different.values())
        self._places: list[int] | None = None
        if len(different) < len(self.arrays):
            places = {key: place for place, key in enumerate(different)}
            self._places = [places[id(a)] for a in self.arrays]

    @property
    def steps(self) -> int:
        """Batches of an epoch."""
        return -(-self._taken // self.batch_size)

    @property
    def shapes(self) -> tuple[tuple[int, ...], ...] | None:
        """Of the arrays of every batch; None where the last batch is smaller than the others."""
        size = min(self.batch_size, self._taken)
        return None if size == 0 or self._taken % size else tuple((size, *a.shape[1:]) for a in self.arrays)

    goes_on = False

    def epoch(self, feed: Feed, order: np.ndarray | None = None, skip: int = 0) -> Fed:
        """(size, arrays) in an order, that of the data when None, without the first ``skip`` batches."""
        return self.slices(feed, skip) if order is None else self.shuffled(feed, order, skip)

    def pass_over(self, order: Callable[[], np.ndarray | None]) -> None:
        """The batches of an epoch do not depend on those before it."""

    def slices(self, feed: Feed, skip: int = 0) -> Fed:
        """(size, arrays) in the order of the data; views, no copies."""
        for start, stop in self.bounds(skip):
            yield stop - start, [feed(a[start:stop]) for a in self.arrays]

    def shuffled(self, feed: Feed, order: np.ndarray, skip: int = 0) -> Fed:
        """(size, arrays) in the order given."""
        for start, stop in self.bounds(skip):
            yield stop - start, [feed(a) for a in self.rows(order[start:stop])]

    def bounds(self, skip: int = 0) -> Iterator[tuple[int, int]]:
        """The first and the last place, not included, of each batch but the first ``skip``."""
        starts = range(skip * self.batch_size, self._taken, self.batch_size)
        return zip(starts, chain(starts[1:], (self._taken,)))

    def rows(self, chosen: slice | np.ndarray) -> list[np.ndarray]:
        """Some rows of each array: a slice, which gives views, or places."""
        if isinstance(chosen, slice):
            return [a[chosen] for a in self.arrays]
        taken = [a.take(chosen, axis=0) for a in self._different]
        return taken if self._places is None else [taken[place] for place in self._places]

    def close(self) -> None:
        """There is nothing to end."""


class Repeated:
    """The same batch again and again, for a model whose other inputs or targets are variables and constants.

    Args:
        groups: the arrays of the batch; there may be none.
        steps: how many batches an epoch has.

    Raises:
        DataError: the number is not given, not positive, or the arrays have another number of samples than those.
    """

    units: int | None = None
    goes_on = False

    def __init__(self, groups: Groups, steps: int | None) -> None:
        if steps is None or steps <= 0:
            raise DataError(
                "the data is in variables and constants, which have no end; say how many batches are an epoch, with "
                f"steps_per_epoch, steps or validation_steps, which is {steps}"
            )
        if groups.samples != groups.held:
            raise DataError(
                f"the variables and constants among inputs and targets have {groups.held} samples, the arrays "
                f"{groups.samples}; each of {steps} steps takes all"
            )
        self.sample = self.held = groups
        self.steps, self.batch_size = steps, groups.samples
        self.samples = steps * groups.samples
        self.shapes = tuple(a.shape for a in groups.flat)

    def epoch(self, feed: Feed, order: np.ndarray | None = None, skip: int = 0) -> Fed:
        """(size, arrays) for each step but the first ``skip``."""
        for _ in range(skip, self.steps):
            yield self.batch_size, [feed(a) for a in self.sample.dense]

    def pass_over(self, order: Callable[[], np.ndarray | None]) -> None:
        """The batches of an epoch do not depend on those before it."""

    def close(self) -> None:
        """There is nothing to end."""
