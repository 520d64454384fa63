"""The arrays of a call of ``fit`` and its like, in the order in which a model's steps take them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from kbackend.training import data
from kbackend.training.compiled import Compiled, Specs
from kbackend.training.steps import Form, Steps


class Groups(NamedTuple):
    """Arrays of inputs, targets and sample weights, with as many samples each."""

    inputs: list[np.ndarray]
    targets: list[np.ndarray]
    weights: list[np.ndarray]
    specs: Specs | None = None

    @property
    def form(self) -> Form:
        return Form(bool(self.weights), self.specs)

    @property
    def samples(self) -> int:
        return len(self.inputs[0])

    @property
    def flat(self) -> list[np.ndarray]:
        return [*self.inputs, *self.targets, *self.weights]

    def batches(self, size: int, steps: int | None = None) -> data.Batches:
        return data.Batches(self.flat, size, steps)


def inputs_of(steps: Steps, x: Any) -> list[np.ndarray]:
    """The arrays of the inputs.

    Raises:
        DataError: they do not fit the model.
    """
    return data.standardize(x, steps.model.inputs, steps.model.input_names, "input")


def groups_of(
    steps: Steps, x: Any, y: Any, sample_weight: Any = None, class_weight: Any = None
) -> Groups:
    """The arrays of a step of a compiled model.

    Raises:
        DataError: they do not fit the model or each other.
        RuntimeError: the model is not compiled.
    """
    compiled = steps.compiled
    inputs, names = inputs_of(steps, x), compiled.plain.target_names
    if y is None and names:
        raise data.DataError(f"the targets are missing; the model has the outputs {names}")
    targets, specs = _targets(compiled, y) if names else ([], None)
    weights: list[np.ndarray] = []
    if names and (compiled.always_weighted or sample_weight is not None or class_weight is not None):
        weights = _weights(compiled, targets, sample_weight, class_weight)
    if targets and len(inputs[0]) != len(targets[0]) or weights and len(weights[0]) != len(targets[0]):
        raise data.DataError(
            f"inputs have {len(inputs[0])} samples, targets {len(targets[0])}"
            + (f", sample weights {len(weights[0])}" if weights else "")
        )
    return Groups(inputs, targets, weights, specs)


def _targets(compiled: Compiled, y: Any) -> tuple[list[np.ndarray], Specs | None]:
    plain = compiled.plain
    free = [term.output.takes_any_target for term in plain.terms]
    arrays = data.standardize(y, plain.targets, plain.target_names, "target", free)
    return arrays, compiled.specs_of(arrays)


def _weights(
    compiled: Compiled, targets: Sequence[np.ndarray], sample_weight: Any, class_weight: Any
) -> list[np.ndarray]:
    names = compiled.plain.target_names
    placeholders = compiled.weighted.weights
    given = data.for_some(sample_weight, names, "sample weight")
    ones = [np.ones(t.shape[: p.ndim], np.float32) for t, p in zip(targets, placeholders)]
    filled = [one if w is None else w if hasattr(w, "shape") else np.asarray(w) for one, w in zip(ones, given)]
    weights = data.standardize(filled, placeholders, names, "sample weight")
    for label, target, weight in zip(names, targets, weights):
        if weight.shape != target.shape[: weight.ndim]:
            raise data.DataError(f"sample weight {label!r} has the shape {weight.shape}, its target {target.shape}")
    each = data.class_weights(class_weight, names)
    return [w if c is None else data.class_weighted(t, c, w) for t, c, w in zip(targets, each, weights)]


def held_out(steps: Steps, groups: Groups, given: Any, fraction: float) -> tuple[Groups, Groups | None]:
    """The arrays to train on, and those to evaluate after each epoch: the ones given, or the last part.

    Raises:
        DataError: ``given`` is not (x, y) or (x, y, sample_weight), or does not fit; or no such part.
    """
    if given is not None:
        if not isinstance(given, (list, tuple)) or len(given) not in (2, 3):
            raise data.DataError("validation_data must be (x, y) or (x, y, sample_weight)")
        return groups, groups_of(steps, *given)
    if not fraction:
        return groups, None
    arrays = (groups.inputs, groups.targets, groups.weights)
    (x, y, weights), (held_x, held_y, held_weights) = data.split(arrays, fraction)
    return Groups(x, y, weights, groups.specs), Groups(held_x, held_y, held_weights, groups.specs)
