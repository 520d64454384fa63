"""Batches that are read one by one, checked and put where the step runs, ahead of the steps."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from kbackend.training.arrays import Groups
from kbackend.training.data import DataError
from kbackend.training.sources.base import Fed, Feed, Passes, Reading
from kbackend.training.sources.prefetch import prefetched_if_slow

#: the arrays of a step, of the parts of a batch: x, y, sample_weight
Fit = Callable[[Any, Any, Any], Groups]


class Asked(NamedTuple):
    """What the caller asked for, with the names of its arguments.

    Attributes:
        argument: of the data: 'x', 'validation_data', 'generator'.
        counter: of the number of batches: 'steps_per_epoch', 'validation_steps', 'steps'.
        steps: that number, None where it was not given.
        epochs: how often so many batches are read.
    """

    argument: str
    counter: str
    steps: int | None = None
    epochs: int = 1


class Stream:
    """A source of batches that are not all in memory.

    Args:
        passes: gives the raw batches.
        asked: the arguments of the call.
        reading: how far ahead they are read.
        targets: whether batches have targets.
        prepare: makes the arrays of a step.
        build: told the inputs of the first batch, before anything else.

    Raises:
        DataError: there are no batches, an end is needed and there is none, or the first batch does not fit.
    """

    shapes = held = None

    def __init__(
        self,
        passes: Passes,
        asked: Asked,
        reading: Reading,
        targets: bool,
        prepare: Fit,
        build: Callable[[Any], None],
    ) -> None:
        self._passes, self._asked, self._reading, self._targets = passes, asked, reading, targets
        self._prepare = prepare
        _check(passes, asked)
        self._wanted = None if asked.steps == passes.length else asked.steps
        self._going: Iterator[Any] | None = None
        self._epoch = 0
        self._direct: dict[Any, list[int]] = {}
        self._last: _Alike | None = None
        try:
            first = passes.peek()
        except StopIteration:
            raise DataError(f"{asked.argument}: {passes.text} has no batches") from None
        x, y, weight = self._parts(0, first)
        build(x)
        self.sample = self._fitted(0, x, y, weight)

    @property
    def steps(self) -> int | None:
        """Batches of an epoch."""
        return self._passes.length if self._wanted is None else self._wanted

    @property
    def samples(self) -> int | None:
        """Samples of an epoch."""
        return self._passes.samples if self._wanted is None else None

    @property
    def units(self) -> int | None:
        """How many things the order of a pass arranges."""
        return self._passes.units

    @property
    def batch_size(self) -> int | None:
        """Samples of all batches but the last."""
        return self._passes.batch_size

    @property
    def goes_on(self) -> bool:
        """Whether an epoch goes on in the pass in which the one before ended."""
        return self._wanted is not None

    def epoch(self, feed: Feed, order: np.ndarray | None = None, skip: int = 0) -> Fed:
        """(samples, what the step takes) for each batch of the next epoch but the first ``skip``. An order is that of
        the passes that begin in it."""
        if self._wanted is None:
            self._passes.begin()
        raw = self._pass(order, skip) if self._wanted is None else self._some(self._wanted, order, skip)
        made = (self._made(index, batch, feed) for index, batch in enumerate(raw, skip))
        yield from prefetched_if_slow(made, self._reading.max_queue_size) if self._reading.workers else made
        self._epoch += 1
        if self._wanted is None:
            self._end_pass()

    def _end_pass(self) -> None:
        """End a pass that is an epoch; where its number of batches was asked for, the next epoch has as many, even if
        the dataset has another number then."""
        self._passes.end()
        asked = self._asked.steps
        self._wanted = None if asked is None or asked == self._passes.length else asked

    def pass_over(self, order: Callable[[], np.ndarray | None]) -> None:
        """Leave out an epoch. Its batches are read where the next epoch goes on after them; the dataset is told of its
        begin and end, at which it may change."""
        if self._wanted is None:
            self._passes.begin()
            self._end_pass()
        else:
            for _ in self._some(self._wanted, order()):
                pass
        self._epoch += 1

    def _pass(self, order: np.ndarray | None, skip: int) -> Iterator[Any]:
        empty = not skip
        for batch in self._passes.start(order, skip):
            empty = False
            yield batch
        if empty:
            raise DataError(
                f"{self._asked.argument}: {self._passes.text} gave no batches in epoch {self._epoch + 1}; it must give "
                "them again each time that it is iterated"
            )

    def _some(self, wanted: int, order: np.ndarray | None, skip: int = 0) -> Iterator[Any]:
        """So many batches, in as many passes as they take, but the first ``skip``; the next epoch goes on in the last
        of them."""
        for index in range(wanted):
            batch = self._next(order)
            if batch is _NONE:
                raise DataError(self._ended(index, wanted))
            if index >= skip:
                yield batch

    def _next(self, order: np.ndarray | None) -> Any:
        if self._going is not None:
            for batch in self._going:
                return batch
            if self._passes.once:
                return _NONE
            self._passes.end()
        self._passes.begin()
        self._going = self._passes.start(order)
        return next(self._going, _NONE)

    def _ended(self, index: int, wanted: int) -> str:
        argument, count, _, epochs = self._asked
        had = self._epoch * wanted + index
        return (
            f"{argument}: {self._passes.text} ended after {had} batches, {count}={wanted} and {epochs} epochs need "
            f"{wanted * epochs}; give a smaller {count}, or a generator that goes on (`while True:`)"
        )

    # one batch ----------------------------------------------------------------------------------------------

    def _made(self, index: int, raw: Any, feed: Feed) -> tuple[int, list[Any]]:
        last = self._last
        if last is not None and last.is_like(raw):
            return last.size, [feed(raw[place]) for place in last.places]
        parts = self._parts(index, raw)
        leaves = _leaves(parts)
        key = None if leaves is None else _key(parts, leaves)
        places = self._direct.get(key)
        if leaves is not None and places is not None:
            arrays = [leaves[place] for place in places]
            if len({len(a) for a in arrays}) == 1 and len(arrays[0]):
                self._last = _Alike.of(raw, leaves, places)
                return len(arrays[0]), [feed(a) for a in arrays]
        groups = self._fitted(index, *parts)
        self._check_form(index, groups)
        arrays = groups.dense
        if leaves is not None:
            places = [next((i for i, leaf in enumerate(leaves) if leaf is a), -1) for a in arrays]
            if -1 not in places:
                self._direct[key] = places
        return groups.samples, [feed(a) for a in arrays]

    def _parts(self, index: int, raw: Any) -> tuple[Any, Any, Any]:
        """x, y and sample_weight."""
        if isinstance(raw, list) and (self._passes.lists or self._targets):
            raw = tuple(raw)
        if not isinstance(raw, tuple):
            return raw, None, None
        if not 1 <= len(raw) <= 3:
            raise DataError(
                f"{self._name(index)} is a tuple of {len(raw)}; write (x,), (x, y) or (x, y, sample_weight), with a "
                "list or dict for several inputs or outputs"
            )
        x, y, weight = (*raw, None, None)[:3]
        return x, y, weight

    def _fitted(self, index: int, x: Any, y: Any, weight: Any) -> Groups:
        try:
            return self._prepare(x, y, weight)
        except DataError as error:
            hint = "; a batch is (x, y) or (x, y, sample_weight)" if self._targets and y is None else ""
            raise DataError(f"{self._name(index)}: {error}{hint}") from error

    def _name(self, index: int) -> str:
        return f"{self._asked.argument}: batch {index} of {self._passes.text}"

    def _check_form(self, index: int, groups: Groups) -> None:
        first, form = self.sample.form, groups.form
        if form.weighted != first.weighted:
            has, had = ("has", "had none") if form.weighted else ("has no", "had some")
            raise DataError(
                f"{self._name(index)} {has} sample weights, the first batch {had}; give them with each batch or none"
            )
        if form != first:
            shapes = [a.shape for a in groups.targets], [a.shape for a in self.sample.targets]
            raise DataError(
                f"{self._name(index)} has targets of the shapes {shapes[0]}, those of the first batch are {shapes[1]}; "
                "the loss needs the same in each batch"
            )

    def close(self) -> None:
        """End what reads ahead."""
        self._going = None
        self._passes.close()


_NONE: Any = object()


class _Alike(NamedTuple):
    """What batches are like that are tuples of arrays of the same shapes, and are taken as they are.

    Attributes:
        shapes, dtypes: of the arrays.
        places: theirs in the step.
        size: the number of samples.
    """

    shapes: tuple[tuple[int, ...], ...]
    dtypes: tuple[Any, ...]
    places: Sequence[int]
    size: int

    @classmethod
    def of(cls, raw: Any, leaves: Sequence[np.ndarray], places: Sequence[int]) -> _Alike | None:
        """Those that are like a batch with these arrays; None where it is made of others."""
        if type(raw) is not tuple or len(raw) != len(leaves) or any(a is not b for a, b in zip(raw, leaves)):
            return None
        return cls(tuple(a.shape for a in leaves), tuple(a.dtype for a in leaves), places, len(leaves[places[0]]))

    def is_like(self, raw: Any) -> bool:
        """Whether a batch is such; cheap, as batches that are ready cost nothing else."""
        if type(raw) is not tuple or len(raw) != len(self.shapes):
            return False
        for array, shape, dtype in zip(raw, self.shapes, self.dtypes):
            if type(array) is not np.ndarray or array.shape != shape or array.dtype is not dtype:
                return False
            if not array.flags.c_contiguous:
                return False
        return True


def _check(passes: Passes, asked: Asked) -> None:
    argument, count, steps, epochs = asked
    if steps is not None:
        return
    if passes.endless:
        raise DataError(f"{argument}: {passes.text} has no end; say how many batches are an epoch: {count}=100")
    if passes.once and epochs > 1:
        raise DataError(
            f"{argument}: {passes.text} can be read only once, and {epochs} epochs need it as often; say how many "
            f"batches are an epoch ({count}=100), or give an object that can be iterated again, such as a "
            "kbackend.utils.PyDataset"
        )


def _leaves(parts: tuple[Any, Any, Any]) -> list[np.ndarray] | None:
    """The arrays of a batch that is made of NumPy arrays alone."""
    found: list[np.ndarray] = []
    for part in parts:
        if part is None:
            continue
        some = part.values() if isinstance(part, Mapping) else part if isinstance(part, list) else (part,)
        for leaf in some:
            if type(leaf) is not np.ndarray:
                return None
            found.append(leaf)
    return found


def _key(parts: tuple[Any, Any, Any], leaves: list[np.ndarray]) -> Any:
    """Batches with the same key are taken in the same way: names, number of arrays, dtypes and shapes."""
    form = [tuple(p) if isinstance(p, Mapping) else len(p) if isinstance(p, list) else p is None for p in parts]
    return (*form, *((a.dtype, a.shape[1:], a.flags.c_contiguous) for a in leaves))
