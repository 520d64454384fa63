"""The arrays of a call of ``fit`` and its like, in the order in which a model's steps take them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from kbackend.training import data
from kbackend.training.steps import Steps


class Groups(NamedTuple):
    """Arrays of inputs, targets and sample weights, with as many samples each."""

    inputs: list[np.ndarray]
    targets: list[np.ndarray]
    weights: list[np.ndarray]

    @property
    def weighted(self) -> bool:
        return bool(self.weights)

    @property
    def flat(self) -> list[np.ndarray]:
        return [*self.inputs, *self.targets, *self.weights]

    def batches(self, size: int) -> data.Batches:
        return data.Batches(self.flat, size)


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
    targets = data.standardize(y, compiled.plain.targets, names, "target") if names else []
    weights: list[np.ndarray] = []
    if sample_weight is not None or class_weight is not None:
        weights = _weights(compiled.weighted.weights, names, targets, sample_weight, class_weight)
    if targets and len(inputs[0]) != len(targets[0]) or weights and len(weights[0]) != len(targets[0]):
        raise data.DataError(
            f"inputs have {len(inputs[0])} samples, targets {len(targets[0])}"
            + (f", sample weights {len(weights[0])}" if weights else "")
        )
    return Groups(inputs, targets, weights)


def _weights(
    placeholders: Sequence[Any], names: Sequence[str], targets: Sequence[Any], sample_weight: Any, class_weight: Any
) -> list[np.ndarray]:
    if sample_weight is None:
        weights = [np.ones(len(t), np.float32) for t in targets]
    else:
        weights = data.standardize(sample_weight, placeholders, names, "sample weight")
    if class_weight is not None:
        weights = [data.class_weighted(t, class_weight, w) for t, w in zip(targets, weights)]
    return weights


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
    first, last = data.split(groups, fraction)
    return Groups(*first), Groups(*last)
