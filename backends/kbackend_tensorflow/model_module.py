"""Models as modules of TensorFlow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import tensorflow as tf

from kbackend.graph.tensor import TensorSpec
from kbackend.plugin.modules.parts import ModelParts, paths


class ModelModule(tf.Module):
    """A model of kbackend as a module, whose variables are the cells of the model's.

    A call with ``training=True`` assigns the variables that the model updates, such as moving averages, and counts the
    draws of random numbers.
    """

    def __init__(self, parts: ModelParts) -> None:
        super().__init__(name=_scope(parts.name))
        self._parts = _Untracked(parts)
        held = {**parts.weights, **{f"state/{name}": v for name, v in parts.state.items()}}
        cells = {id(v): v.cell(parts.target) for v in held.values()}
        for variable, path in zip(held.values(), paths(list(held), lambda name: hasattr(self, name))):
            folder: Any = self
            for part in path[:-1]:
                if not hasattr(folder, part):
                    setattr(folder, part, tf.Module(name=_scope(part)))
                folder = getattr(folder, part)
            setattr(folder, path[-1], cells[id(variable)])
        self._trained = _Untracked([cells[id(v)] for v in parts.weights.values() if id(v) in parts.trainable])
        runs = [_Run(program, cells) for program in parts.programs]
        self._function = tf.function(lambda inputs, training: runs[int(training)](inputs), autograph=False)
        self._trace()

    def _trace(self) -> None:
        specs = [tf.TensorSpec(s.shape, s.dtype, name=_scope(n)) for n, s in self._parts.value.inputs.items()]
        self.__call__.get_concrete_function(*specs, training=False)
        self.__call__.get_concrete_function(*specs, training=True)

    @tf.function(autograph=False)
    def __call__(self, *inputs: Any, training: bool = False) -> Any:
        """The outputs.

        Args:
            inputs: a tensor for each input, or one list or dict of them.
            training: whether in the training phase.

        Raises:
            TypeError: another number of inputs or other names.
            ValueError: an input of another shape.
        """
        parts = self._parts.value
        given = zip(parts.inputs.items(), parts.flat(inputs))
        feeds = [_fed(name, spec, value, parts) for (name, spec), value in given]
        return parts.structured(self._function(feeds, training))

    @property
    def trainable_variables(self) -> tuple[Any, ...]:
        """The variables that training changes."""
        return tuple(self._trained.value)


class _Untracked:
    """A value that is no part of what SavedModels hold."""

    def __init__(self, value: Any) -> None:
        self.value = value


class _Run:
    """A program as a function of its feeds."""

    def __init__(self, emitted: Any, cells: Mapping[int, Any]) -> None:
        self._emitted = emitted
        self._cells = [cells[id(v)] for v in emitted.variables]
        self._updated = [cells[id(v)] for v in emitted.updated]
        self._counters = [cells[id(v)] for v in emitted.counters]

    def __call__(self, feeds: Sequence[Any]) -> list[Any]:
        outputs, new = self._emitted.function(*feeds, self._cells)
        outputs = list(outputs)
        with tf.control_dependencies([t for t in (*outputs, *new) if tf.is_tensor(t)]):
            for cell, value in zip(self._updated, new):
                cell.assign(value, read_value=False)
            for counter in self._counters:
                counter.assign_add(tf.ones_like(counter), read_value=False)
        return outputs


def _fed(name: str, spec: TensorSpec, value: Any, parts: ModelParts) -> Any:
    tensor = tf.convert_to_tensor(value)
    parts.check(name, spec, tensor.shape)
    wanted = tf.as_dtype(spec.dtype)
    if tensor.dtype == wanted:
        return tensor
    if tensor.dtype.is_floating and not wanted.is_floating:
        raise TypeError(f"{parts.name}: the input {name!r} is {spec.dtype}, it was given {tensor.dtype.name}")
    return tf.cast(tensor, wanted)


def _scope(name: str) -> str:
    """A name that TensorFlow takes."""
    found = "".join(c if c.isalnum() and c.isascii() else "_" for c in name)
    return found if found and not found[0].isdigit() else f"_{found}"
