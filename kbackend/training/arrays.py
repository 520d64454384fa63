"""The arrays of a call of ``fit`` and its like, in the order in which a model's steps take them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from kbackend.ground.tree import tree_leaves
from kbackend.training import data
from kbackend.training.compiled import Compiled, Specs, samples_held
from kbackend.training.own.layout import Layout, laid_out
from kbackend.training.steps import PLAIN, Form, Steps, not_compiled


class Groups(NamedTuple):
    """Arrays of inputs, targets and sample weights, with as many samples each.

    Attributes:
        held: the samples of the variables and constants among inputs and targets; None where there are none.
    """

    inputs: list[np.ndarray]
    targets: list[np.ndarray]
    weights: list[np.ndarray]
    specs: Specs | Layout | None = None
    held: int | None = None

    @property
    def form(self) -> Form:
        return PLAIN if self.specs is None and not self.weights else Form(bool(self.weights), self.specs)

    @property
    def samples(self) -> int:
        return next(map(len, self.flat), self.held or 0)

    @property
    def dense(self) -> list[np.ndarray]:
        """All arrays, those with rows that were not read yet too."""
        return [np.asarray(a) for a in self.flat]

    @property
    def flat(self) -> list[np.ndarray]:
        return [*self.inputs, *self.targets, *self.weights]


def inputs_of(steps: Steps, x: Any) -> list[np.ndarray]:
    """The arrays of the inputs.

    Raises:
        DataError: they do not fit the model.
    """
    inputs = steps.model.fed_inputs
    taken = data.as_it_is(x, inputs)
    if taken is not None:
        return taken
    names = steps.model.fed_input_names
    if x is None and inputs:
        raise data.DataError(f"the data is missing: x is None; the model has the inputs {names}")
    return data.standardize([] if x is None else x, inputs, names, "input")


def prediction_groups(steps: Steps, x: Any) -> Groups:
    """The arrays of a step of prediction.

    Raises:
        DataError: they do not fit the model.
    """
    if not steps.model.own_predict:
        return Groups(inputs_of(steps, x), [], [], held=samples_held(steps.model.inputs))
    (arrays, *_), layout = laid_out(x)
    return Groups(arrays, [], [], layout)


def _own_groups(steps: Steps, x: Any, y: Any, sample_weight: Any, class_weight: Any) -> Groups:
    """The arrays of a step that the model defines, in whatever structure they are given."""
    if steps.settings is None:
        raise not_compiled(steps.model.name)
    if class_weight is not None:
        target = np.asarray(data.array_of(y))
        ones = np.ones(len(target), np.float32) if sample_weight is None else np.asarray(sample_weight)
        sample_weight = data.class_weighted(target, class_weight, ones)
    (inputs, targets, weights), layout = laid_out(x, y, sample_weight)
    return Groups(inputs, targets, weights, layout)


def groups_of(
    steps: Steps, x: Any, y: Any, sample_weight: Any = None, class_weight: Any = None
) -> Groups:
    """The arrays of a step of a compiled model.

    Raises:
        DataError: they do not fit the model or each other.
        RuntimeError: the model is not compiled.
    """
    if steps.own_fit:
        return _own_groups(steps, x, y, sample_weight, class_weight)
    compiled = steps.compiled
    plain, names = compiled.plain, compiled.plain.target_names
    if y is None and isinstance(x, Mapping):
        x, y = _parted(x, steps.model.fed_input_names, names)
    inputs = inputs_of(steps, x)
    if y is None and names:
        raise data.DataError(f"the targets are missing; the model has the outputs {names}")
    if plain.terms and not names and any(leaf is not None for leaf in tree_leaves(y)):
        raise data.DataError("targets were given, and the targets of all outputs are target_tensors of compile")
    targets, specs = _targets(compiled, y) if names else ([], None)
    held = compiled.held
    weights: list[np.ndarray] = []
    if plain.terms and (compiled.always_weighted or sample_weight is not None or class_weight is not None):
        samples = Groups(inputs, targets, [], held=held).samples
        weights = _weights(compiled, targets, samples, sample_weight, class_weight)
    found = Groups(inputs, targets, weights, specs, held)
    if len({len(arrays[0]) for arrays in found[:3] if arrays}) > 1:
        raise _unequal(found)
    return found


def _unequal(groups: Groups) -> data.DataError:
    named = {"inputs": groups.inputs, "targets": groups.targets, "sample weights": groups.weights}
    (first, length), *others = [(what, len(arrays[0])) for what, arrays in named.items() if arrays]
    counts = ", ".join(f"{what} {count}" for what, count in others)
    return data.DataError(f"{first} have {length} samples, {counts}")


def _parted(given: Mapping[str, Any], inputs: Sequence[str], targets: Sequence[str]) -> tuple[Any, Any]:
    """Inputs and targets of a dict that has both."""
    if not targets or any(name not in given for name in targets):
        return given, None
    x = {name: value for name, value in given.items() if name in inputs or name not in targets}
    return x, {name: given[name] for name in targets}


def _targets(compiled: Compiled, y: Any) -> tuple[list[np.ndarray], Specs | None]:
    plain = compiled.plain
    arrays = data.standardize(y, plain.targets, plain.target_names, "target", compiled.free)
    return arrays, compiled.specs_of(arrays)


def _weights(
    compiled: Compiled, targets: Sequence[np.ndarray], samples: int, sample_weight: Any, class_weight: Any
) -> list[np.ndarray]:
    terms, arrays = compiled.plain.terms, iter(targets)
    names = [term.output.name for term in terms]
    placeholders = compiled.weighted.weights
    given = data.for_some(sample_weight, names, "sample weight")
    found = [None if term.is_held else next(arrays) for term in terms]
    shapes: list[tuple[Any, ...]] = [
        (samples, *t.target.shape[1:]) if array is None else array.shape for t, array in zip(terms, found)
    ]
    ones = [np.ones(shape[: p.ndim], np.float32) for shape, p in zip(shapes, placeholders)]
    filled = [one if w is None else w if hasattr(w, "shape") else np.asarray(w) for one, w in zip(ones, given)]
    weights = data.standardize(filled, placeholders, names, "sample weight")
    for label, shape, weight in zip(names, shapes, weights):
        if weight.shape != shape[: weight.ndim]:
            raise data.DataError(f"sample weight {label!r} has the shape {weight.shape}, its target {shape}")
    each = data.class_weights(class_weight, names)
    for label, target, chosen in zip(names, found, each):
        if target is None and chosen is not None:
            raise data.DataError(f"class_weight needs the labels of {label!r}, whose targets are in a tensor")
    return [w if c is None else data.class_weighted(np.asarray(t), c, w) for t, c, w in zip(found, each, weights)]


def held_out(groups: Groups, fraction: float) -> tuple[Groups, Groups]:
    """The arrays to train on, and the last part of them.

    Raises:
        DataError: there is no such part.
    """
    first, last = data.split(groups[:3], fraction)
    (x, y, w), (last_x, last_y, last_w) = first, last
    return Groups(x, y, w, groups.specs), Groups(last_x, last_y, last_w, groups.specs)
