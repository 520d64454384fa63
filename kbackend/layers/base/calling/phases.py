"""Calls that depend on the learning phase by Python's ``if``, as layers and models of one's own do.

``call(inputs, training=None)`` gets the learning phase. Where it is symbolic and passed on to other layers, or to
``K.in_train_phase``, one run of ``call`` serves both phases. Where ``call`` needs to know it (``if training:``), it
runs once for each phase, and each program takes the results of its own.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import cache
from itertools import zip_longest
from typing import Any

from kbackend.graph.node import Role
from kbackend.graph.tensor import PhaseAsked, Tensor
from kbackend.ground.tree import tree_flatten, tree_map, tree_structure, tree_unflatten
from kbackend.layers.base.naming import described
from kbackend.layers.base.recording import Frame, Measured, Record, current
from kbackend.ops.control.phase import in_train_phase, learning_phase, learning_phase_scope
from kbackend.ops.core.creation import ones_like
from kbackend.ops.core.updates import as_updates, update
from kbackend.streams import back_to, place_of_draws

_LISTS = ("losses", "updates", "frozen", "metrics")


@cache
def takes_phase(function: Callable[..., Any]) -> bool:
    """Whether a ``call`` of the user's own has an argument ``training``."""
    if getattr(function, "__module__", "").startswith("kbackend."):
        return False
    parameters = inspect.signature(function).parameters
    return "training" in parameters and parameters["training"].kind is not inspect.Parameter.POSITIONAL_ONLY


def is_open(training: Any) -> bool:
    """Whether an argument ``training`` leaves the phase to the program."""
    return training is None or isinstance(training, Tensor) and training.node.op.role is Role.PHASE


def run_in_phases(layer: Any, call: Callable[[Any], Any]) -> Any:
    """The result of a call that takes the learning phase.

    Args:
        layer: the layer that is called.
        call: a function of the argument ``training``.

    Raises:
        ValueError: the results in the two phases differ in structure or rank.
    """
    phase = learning_phase()
    if not isinstance(phase, Tensor):
        return call(bool(phase))
    frame, place = current(), place_of_draws()
    assert frame is not None
    marks = _marks(frame)
    try:
        return call(phase)
    except PhaseAsked:
        _cut(frame, marks)
        back_to(place)
    return run_both(layer, call)


def run_both(layer: Any, call: Callable[[Any], Any]) -> Any:
    """The result of two runs of a call, one for each phase, of which each program takes its own; see
    :func:`run_in_phases`."""
    frame = current()
    assert frame is not None
    marks = _marks(frame)
    found = []
    for value in (1, 0):
        with learning_phase_scope(value):
            structure = call(bool(value))
        found.append((structure, _cut(frame, marks)))
    (trained, in_training), (tested, in_tests) = found
    frame.losses += _losses(in_training.losses, in_tests.losses)
    frame.updates += _updates(in_training.updates, in_tests.updates)
    frame.metrics += _metrics(layer, in_training.metrics, in_tests.metrics)
    frame.frozen += in_training.frozen + in_tests.frozen
    return _joined(layer, trained, tested)


def _marks(frame: Frame) -> list[int]:
    return [len(getattr(frame, name)) for name in _LISTS]


def _cut(frame: Frame, marks: list[int]) -> Frame:
    """What was added to a frame after the marks, taken out of it."""
    found = Frame(frame.layer)
    for name, mark in zip(_LISTS, marks):
        held = getattr(frame, name)
        setattr(found, name, held[mark:])
        del held[mark:]
    return found


def _joined(layer: Any, trained: Any, tested: Any) -> Any:
    if tree_structure(trained) != tree_structure(tested):
        raise ValueError(
            f"{described(layer)}: call returns {_text(trained)} with training=True and {_text(tested)} with "
            "training=False; both must have the same structure"
        )
    first, spec = tree_flatten(trained)
    second, _ = tree_flatten(tested)
    return tree_unflatten(spec, [_selected(layer, a, b) for a, b in zip(first, second)])


def _selected(layer: Any, a: Any, b: Any) -> Any:
    if a is b or not isinstance(a, Tensor) or not isinstance(b, Tensor):
        return a
    if a.ndim != b.ndim or a.dtype != b.dtype:
        raise ValueError(
            f"{described(layer)}: call returns {_text(a)} with training=True and {_text(b)} with training=False; both "
            "must have the same rank and dtype"
        )
    result = in_train_phase(a, b)
    masks = a._keras_mask, b._keras_mask
    if any(mask is not None for mask in masks):
        one, other = (ones_like(m) if own is None else own for own, m in zip(masks, reversed(masks)))
        result._keras_mask = in_train_phase(one, other)
    return result


def _text(structure: Any) -> str:
    return str(tree_map(lambda t: f"{t.dtype} {t.shape}" if isinstance(t, Tensor) else t, structure))


def _losses(trained: list[Record], tested: list[Record]) -> list[Record]:
    """The losses of both phases, each 0 in a phase that has none in its place."""
    found = []
    for a, b in zip_longest(trained, tested):
        record = a or b
        parts = [record.tensor * 0 if r is None else r.tensor for r in (a, b)]
        found.append(record._replace(tensor=in_train_phase(*parts)))
    return found


def _updates(trained: list[Record], tested: list[Record]) -> list[Record]:
    """The updates of both phases, one for each variable; one without an update in a phase keeps its value there."""
    first, second = (_by_variable(records) for records in (trained, tested))
    found = []
    for key, (record, variable, value) in {**second, **first}.items():
        new = value if key in first else variable
        other = second[key][2] if key in second else variable
        found.append(record._replace(tensor=update(variable, in_train_phase(new, other))))
    return found


def _by_variable(records: list[Record]) -> dict[int, tuple[Record, Any, Any]]:
    pairs = [(record, *as_updates([record.tensor])[0]) for record in records]
    return {variable.uid: (record, variable, value) for record, variable, value in pairs}


def _metrics(layer: Any, trained: list[Measured], tested: list[Measured]) -> list[Measured]:
    """What metrics take in both phases.

    Raises:
        ValueError: other metrics in one phase than in the other.
    """
    if [m.metric for m in trained] != [m.metric for m in tested]:
        raise ValueError(
            f"{described(layer)}: the metrics with training=True ({_names(trained)}) are not those with "
            f"training=False ({_names(tested)}); add the same ones in both"
        )
    found = []
    for a, b in zip(trained, tested):
        args, kwargs, result = (
            _joined(layer, x, y) for x, y in ((a.args, b.args), (dict(a.kwargs), dict(b.kwargs)), (a.result, b.result))
        )
        found.append(Measured(a.metric, args, kwargs, result))
    return found


def _names(measured: list[Measured]) -> str:
    return ", ".join(m.metric.name for m in measured) or "none"


__all__ = ["PhaseAsked", "is_open", "run_both", "run_in_phases", "takes_phase"]
