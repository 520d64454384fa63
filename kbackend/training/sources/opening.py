"""The source of the data that a call of ``fit``, ``evaluate`` or ``predict`` was given."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any, NamedTuple

import numpy as np

from kbackend.training import data
from kbackend.training.arrays import Groups, groups_of, prediction_groups
from kbackend.training.arrays import held_out as split_groups
from kbackend.training.data import DataError
from kbackend.training.sources.arrays import Batches, Repeated
from kbackend.training.sources.base import Passes, Reading, Source
from kbackend.training.sources.indexed import NumberedBatches, NumberedSamples, batched
from kbackend.training.sources.iterables import Iterables, TensorFlowDataset
from kbackend.training.sources.stream import Asked, Stream
from kbackend.training.steps import Steps, not_compiled


class Given:
    """The data arguments of a call.

    Args:
        steps: of the model.
        build: makes the model for the inputs of the first batch where it is not built.
        x, y, sample_weight, class_weight: the arguments; y alone is None where inputs are enough.
        batch_size: the argument.
        reading: how batches are read that are not arrays.
        targets: whether targets are needed.
    """

    def __init__(
        self,
        steps: Steps,
        build: Callable[[Any], None],
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        class_weight: Any = None,
        batch_size: int | None = None,
        reading: Reading | None = None,
        targets: bool = True,
    ) -> None:
        self._steps, self._build, self._x, self._y = steps, build, x, y
        self._weights, self._class_weight = sample_weight, class_weight
        self._size, self._reading, self._targets = batch_size, reading or Reading(), targets

    def source(self, asked: Asked) -> Source:
        """The batches.

        Raises:
            DataError: they do not fit the model or the arguments.
            RuntimeError: the model is not compiled.
        """
        passes = passes_of(self._x, asked.argument, self._size, self._reading)
        if passes is None:
            return self._batches(self.groups(), asked.steps)
        if self._targets and self._steps.settings is None:
            raise not_compiled(self._steps.model.name)
        self._refuse(asked.argument, passes)
        reading = _own(self._x, self._reading) if isinstance(passes, NumberedBatches) else self._reading
        return Stream(passes, asked, reading, self._targets, self._fitted, self._build)

    def split(self, asked: Asked, held_out: HeldOut) -> tuple[Source, Source]:
        """The batches of the first part of arrays, and of the rest.

        Raises:
            DataError: there is no such part, or they are not arrays.
        """
        passes = passes_of(self._x, asked.argument, self._size, self._reading)
        if passes is not None:
            raise DataError(
                f"validation_split={held_out.split} needs arrays, not {passes.text} as {asked.argument}; give "
                "validation_data"
            )
        first, last = split_groups(self.groups(), held_out.split)
        return self._batches(first, asked.steps), self._batches(last, held_out.steps)

    def apart(self, held_out: HeldOut) -> Source:
        """The batches of ``validation_data``.

        Raises:
            DataError: it is not (x, y) or (x, y, sample_weight) and no source of batches, or does not fit.
        """
        found, size = held_out.data, self._size
        asked = Asked("validation_data", "validation_steps", held_out.steps, held_out.times)
        parts: Any = (found,)
        if isinstance(found, (list, tuple)):
            if len(found) not in (2, 3):
                raise DataError("validation_data must be (x, y) or (x, y, sample_weight)")
            parts = found
        elif isinstance(found, Mapping):
            parts = (found,)
        else:
            passes = passes_of(found, asked.argument, size, self._reading)
            if passes is None:
                raise DataError("validation_data must be (x, y) or (x, y, sample_weight)")
            size = passes.batch_size
        x, y, weight = (*parts, None, None)[:3]
        return Given(self._steps, self._build, x, y, weight, None, size, self._reading).source(asked)

    def _batches(self, groups: Groups, steps: int | None) -> Batches | Repeated:
        size = self._size
        if groups.held is not None and (steps is not None or not groups.flat):
            return Repeated(groups, steps)
        fixed = groups.held or _fixed_batch_size(self._steps.model)
        if fixed is not None and size is None and steps is None:
            size = fixed
        size = data.batch_size(size, steps, groups.samples)
        if groups.held is not None or fixed is not None and self._steps.model.stateful:
            _check_divided(self._steps.model, groups.samples, size, fixed)
        return Batches(groups, size, steps)

    def groups(self) -> Groups:
        """The arrays.

        Raises:
            DataError: they do not fit the model.
            RuntimeError: the model is not compiled.
        """
        self._build(self._x)
        return self._fitted(self._x, self._y, self._weights)

    def _fitted(self, x: Any, y: Any, weights: Any) -> Groups:
        if not self._targets:
            return prediction_groups(self._steps, x)
        return groups_of(self._steps, x, y, weights, self._class_weight)

    def _refuse(self, argument: str, passes: Passes) -> None:
        for name, value in (("y", self._y), ("sample_weight", self._weights)):
            if value is not None:
                raise DataError(
                    f"{name} was given beside {passes.text} as {argument}, whose batches have it: leave {name} out and "
                    "write (x, y) or (x, y, sample_weight) for each batch"
                )
        if isinstance(self._class_weight, str):
            raise DataError(
                f"class_weight={self._class_weight!r} needs all labels at once, {argument} is {passes.text}; give the "
                "weights by label"
            )
        if self._size is not None and passes.batch_size is None:
            raise DataError(
                f"batch_size={self._size} was given beside {passes.text} as {argument}, whose batches have their own "
                "sizes; leave it out"
            )


def _fixed_batch_size(model: Any) -> int | None:
    """The samples of a batch that the inputs of a model say; None where they say none, or the model has none."""
    if getattr(model, "has_no_call", False):
        return None
    for tensor in model.inputs:
        shape = tensor.shape
        if shape and shape[0] is not None:
            return shape[0]
    return None


def _check_divided(model: Any, samples: int, size: int, fixed: Any) -> None:
    """Refuse batches for which the model has no states, or that its variables and constants are not for.

    Raises:
        DataError: they are of another size, or the last one is.
    """
    stateful = f"is stateful and keeps states of {fixed} samples"
    reason = stateful if model.stateful else f"has variables or constants of {fixed} samples as inputs or targets"
    if size != fixed:
        raise DataError(
            f"the model {model.name} {reason}, the batches have {size}; leave batch_size out, or write "
            f"batch_size={fixed}"
        )
    if samples % fixed:
        raise DataError(f"the model {model.name} {reason}; {samples} samples cannot be cut into batches of that size")


class HeldOut(NamedTuple):
    """The arguments of ``fit`` for held-out data, and how often it is read."""

    data: Any
    split: float
    steps: int | None
    times: int


@contextmanager
def training_sources(given: Given, asked: Asked, held_out: HeldOut) -> Iterator[tuple[Source, Source | None]]:
    """The batches to train on, and those to evaluate, None without them. Reading ends with the context.

    Raises:
        DataError: they do not fit the model or the arguments.
        RuntimeError: the model is not compiled.
    """
    apart: Source | None = None
    with ExitStack() as opened:
        if held_out.data is None and held_out.split:
            batches, apart = given.split(asked, held_out)
        else:
            batches = given.source(asked)
            opened.callback(batches.close)
            apart = given.apart(held_out) if held_out.data is not None else None
        if apart is not None:
            opened.callback(apart.close)
        yield batches, apart


def passes_of(given: Any, argument: str, batch_size: int | None, reading: Reading) -> Passes | None:
    """What reads batches from an argument; None where it is arrays.

    Raises:
        DataError: a function, which must be called first.
    """
    if given is None or isinstance(given, (np.ndarray, list, tuple, dict, range, str, int, float, np.generic)):
        return None
    known = {(t.__module__.partition(".")[0], t.__name__) for t in type(given).__mro__}
    if _BATCHES & known:
        return NumberedBatches(given, _own(given, reading))
    if ("torch", "DataLoader") in known:
        return Iterables(given, "a DataLoader", lists=True)
    if ("torch", "IterableDataset") in known:
        return _TorchIterable(given, data.batch_size(batch_size))
    if ("torch", "Dataset") in known:
        return NumberedSamples(given, data.batch_size(batch_size), reading)
    if ("tensorflow", "DatasetV2") in known:
        return TensorFlowDataset(given)
    if hasattr(given, "__array__") or hasattr(given, "to_numpy") or hasattr(given, "tocsr"):
        return None
    if hasattr(given, "__iter__"):
        return Iterables(given, f"the {type(given).__name__}")
    if callable(given):
        raise DataError(f"{argument} is the function {getattr(given, '__name__', given)!r}; call it: {argument}=f()")
    return None


#: by the package and name of a class, so that no engine is imported
_BATCHES = {(package, name) for package in ("kbackend", "keras", "tensorflow") for name in ("PyDataset", "Sequence")}


class _TorchIterable(Iterables):
    """Batches of the samples of torch's IterableDataset."""

    def __init__(self, samples: Any, size: int) -> None:
        super().__init__(samples, f"the dataset {type(samples).__name__}")
        self.batch_size, self._size = size, size
        self.length = None if self.length is None else -(-self.length // size)

    def _iterator(self) -> Any:
        return batched(iter(self._data), self._size)


def _own(given: Any, reading: Reading) -> Reading:
    """The arguments of ``fit``, and those of the dataset in place of the ones that were not given."""
    each = zip(Reading._fields, reading, Reading())
    return Reading.of(*(getattr(given, n, default) if value == default else value for n, value, default in each))
