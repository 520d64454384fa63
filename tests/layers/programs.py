"""What is checked of a row of the table on an engine, as one program.

It holds the layer up to three times: as it is, with the channels first, and with a policy of mixed precision; the
results, masks and gradients of each, and a step of gradient descent. One graph and one program for all that: making
programs is what most of the time of these tests goes into.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from layers import table
from layers.table import Found, Made, Row

import kbackend
from kbackend import K, dtypes, mixed_precision, optimizers
from kbackend.testing.compare import difference

RATE = 0.02
#: of the loss of mixed precision; small enough for sums of some hundred sines
SCALE = 256.0
#: error of results, and of a step relative to the largest change of a weight, in 16 bits (docs/semantics.md)
BOUNDS = {"mixed_float16": (1e-2, 2e-2), "mixed_bfloat16": (5e-2, 1e-1)}


def policy_of(row: Row) -> str:
    """One of the two policies of mixed precision; the rows of a layer have both."""
    return sorted(BOUNDS)[zlib.crc32(str(row).encode()) % 2]


@dataclass
class Part:
    """A layer in a program.

    Attributes:
        made: the layer and its tensors.
        values: of its inputs.
        slopes: the gradients of the loss of the table; none in mixed precision.
        step: the updates of a training step.
        before: the trained weights before it.
    """

    made: Made
    values: list[np.ndarray]
    slopes: list[Any]
    step: list[Any]
    before: list[np.ndarray]

    def after(self) -> list[np.ndarray]:
        return [w.numpy() for w in trained(self.made)]


def trained(made: Made) -> list[Any]:
    return [w for w in made.layer.weights if w.trainable]


def _step(made: Made, optimizer: Any, known: list[Any]) -> list[Any]:
    """The updates of a step on the loss of the table and what the layer adds to it; none where a weight does not
    count.

    Args:
        known: the gradients of the loss of the table by the weights, which are those of the step where the layer adds
            nothing, so that the part has one pass backwards; empty to make them.
    """
    weights, loss = trained(made), table.loss_of(made.outputs)
    if loss is None or not weights:
        return []
    if known and not made.layer.losses:
        return [] if None in known else optimizer.updates_for(known, weights)
    for added in made.layer.losses:
        loss = loss + added
    slopes = K.gradients(optimizer.scale_loss(loss), weights)
    return [] if None in slopes else optimizer.updates_for(optimizer.unscaled(slopes), weights)


class Program:
    """The program of a row.

    Args:
        row: the row.
        several: whether it has the layer with the channels first and in mixed precision too.
        layer: in place of one that is made from the arguments of the row.
    """

    def __init__(self, row: Row, several: bool = True, layer: Any = None) -> None:
        self.row = row
        self.parts = {"channels_last": self._part(lambda: table.made(row, layer, **table.last(row)))}
        if several and row.takes_data_format:
            turned = [table.channels_first(row, v) for v in row.inputs()]
            self.parts["channels_first"] = self._part(lambda: table.made(row, data_format="channels_first"), turned)
        if several:
            optimizer = optimizers.LossScaleOptimizer(optimizers.SGD(RATE), SCALE, dynamic=False)
            self.parts["mixed"] = self._part(self._mixed, None, optimizer)
        self._tensors = {name: self._wanted(part) for name, part in self.parts.items()}
        feeds = [t for part in self.parts.values() for t in (*part.made.inputs, *part.made.masks)]
        outputs = [t for tensors in self._tensors.values() for group in tensors for t in group if t is not None]
        self.function = K.function([*feeds, K.learning_phase()], outputs, updates=self._updates())

    def _part(self, make: Callable[[], Made], values: Any = None, optimizer: Any = None) -> Part:
        K.clear_session()  # names, which are those of random streams, count anew
        made = make()
        slopes = [] if optimizer else table.slopes_of(self.row, made)
        by_weights = slopes[len(slopes) - len(trained(made)) :] if slopes else []
        step = _step(made, optimizer or optimizers.SGD(RATE), by_weights) if self.row.gradient else []
        before = [w.numpy() for w in trained(made)]
        return Part(made, self.row.inputs() if values is None else values, slopes, step, before)

    def _mixed(self) -> Made:
        mixed_precision.set_global_policy(policy_of(self.row))
        try:
            return table.made(self.row, **table.last(self.row))
        finally:
            mixed_precision.set_global_policy(None)

    def _wanted(self, part: Part) -> tuple[list[Any], ...]:
        masks = [t._keras_mask for t in part.made.outputs if t._keras_mask is not None]
        return part.made.outputs, masks, part.slopes

    def _updates(self) -> list[Any]:
        found = [u for part in self.parts.values() for u in part.step]
        if self.row.phase:
            found += [u for part in self.parts.values() for u in part.made.layer.updates]
        return found

    @property
    def steps(self) -> int:
        """How many calls are compared: weights change only where there is a step, and draws from call to call."""
        return 3 if self.parts["channels_last"].step and not self.row.phase else 1

    def __call__(self) -> dict[str, Found]:
        """What each part computes on the active engine."""
        row = self.row
        fed = [v for part in self.parts.values() for v in (*part.values, *row.masks())]
        got = iter(self.function([*fed, row.phase]))
        return {name: self._found(part, self._tensors[name], got) for name, part in self.parts.items()}

    def _found(self, part: Part, tensors: tuple[list[Any], ...], got: Iterator[Any]) -> Found:
        outputs, masks, slopes = ([np.zeros(()) if t is None else next(got) for t in group] for group in tensors)
        inputs = len(slopes) - len(trained(part.made)) if slopes else 0
        state = [w.numpy() for w in part.made.layer.weights if not w.trainable and self.row.phase]
        return Found(outputs, masks, slopes[:inputs], slopes[inputs:], state)


@dataclass
class Definition:
    """What the NumPy backend computes in float64 in each of some calls, and the trained weights after each."""

    found: list[Found]
    weights: list[list[np.ndarray]]


@cache
def definition(row: Row) -> Definition:
    with kbackend.use_backend("numpy"), table.floatx("float64"):
        program = Program(row, several=False)
        part, found, weights = program.parts["channels_last"], [], []
        for _ in range(program.steps):
            found.append(program()["channels_last"])
            weights.append(part.after() if part.step else [])
        return Definition(found, weights)


# comparison -------------------------------------------------------------------------------------------------


def same(found: list[np.ndarray], wanted: list[np.ndarray], bound: float, what: str, floor: float = 0.0) -> None:
    assert len(found) == len(wanted), f"{what}: {len(found)} instead of {len(wanted)}"
    for place, (got, right) in enumerate(zip(found, wanted)):
        assert (fault := difference(got, right, bound, floor)) is None, f"{what} {place}: {fault}"


def check(row: Row, engine: str) -> None:
    """Values, gradients, masks and state, with the channels last and first; training steps, in mixed precision too; the
    weights on other engines; against the definition."""
    program, wanted = Program(row), definition(row)
    for call, right in enumerate(wanted.found):
        # the second call is NumPy's, with the weights that the engine trained, the third one the engine's again
        with kbackend.use_backend("numpy" if call == 1 else engine):
            found = program()
        rights = {"channels_last": right, "channels_first": _turned(row, right)}
        for name in found.keys() - {"mixed"}:
            if call:  # gradients grow with what rounding has done to the weights until then
                same(found[name].outputs, rights[name].outputs, 1e-4, f"{name}, call {call}: output")
                continue
            _compare(row, found[name], rights[name], name)
            if program.parts[name].step:
                same(program.parts[name].after(), wanted.weights[0], row.bound, f"{name}: trained weight")
        if call == 0:
            _compare_mixed(row, program.parts["mixed"], found["mixed"], wanted)


def _compare(row: Row, found: Found, wanted: Found, what: str) -> None:
    same(found.outputs, wanted.outputs, row.bound, f"{what}: output")
    same(found.masks, wanted.masks, 0.0, f"{what}: mask")
    # a gradient that cancels to nothing is compared with the size of those it is the sum of
    same(found.by_inputs, wanted.by_inputs, row.bound, f"{what}: gradient by input", floor=0.1)
    same(found.by_weights, wanted.by_weights, row.bound, f"{what}: gradient by weight", floor=0.1)
    same(found.state, wanted.state, row.bound, f"{what}: state")


def _turned(row: Row, found: Found) -> Found:
    """What a layer computes, with the channels first."""
    outputs, by_inputs = ([table.channels_first(row, v) for v in part] for part in (found.outputs, found.by_inputs))
    return Found(outputs, found.masks, by_inputs, found.by_weights, found.state)


def _compare_mixed(row: Row, part: Part, found: Found, wanted: Definition) -> None:
    """Results in 16 bits, and a step of the float32 weights."""
    policy = policy_of(row)
    computed = {t.dtype for t in part.made.outputs if dtypes.is_float(t.dtype)}
    computed |= {K.dtype(v) for v in found.outputs if dtypes.is_float(K.dtype(v))}
    assert computed <= {policy.removeprefix("mixed_")}, f"{policy}: {computed}"
    assert {w.dtype for w in part.made.layer.weights} <= {"float32", "int32", "int64"}
    same(found.masks, wanted.found[0].masks, 0.0, f"{policy}: mask")
    if row.mixed is not True:
        return
    of_results, of_steps = BOUNDS[policy]
    same(found.outputs, wanted.found[0].outputs, of_results, f"{policy}: output")
    if part.step:
        right = [before - after for before, after in zip(part.before, wanted.weights[0])]
        made = [before - after for before, after in zip(part.before, part.after())]
        same(made, right, of_steps, f"{policy}: step", floor=max(0.1 * RATE, *(float(np.abs(v).max()) for v in right)))
