"""Functions of state: what an object computes from its variables, with given values in their place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from kbackend import config, dtypes
from kbackend.declare.call import make_node, to_numpy
from kbackend.declare.op import REGISTRY
from kbackend.graph.tensor import Tensor, TensorSpec
from kbackend.graph.variable import Variable
from kbackend.graph.walk import copy_tensors
from kbackend.ground.tree import tree_leaves, tree_map
from kbackend.plugin.select import active_target, owner_of
from kbackend.runtime.function import Function

_KEPT = 32


class Stateless:
    """What a function of tensors gives, computed from values of variables instead of the variables.

    With symbolic values or arguments the results are symbolic. Else a program runs on the active engine and gives its
    tensors; programs are kept for the shapes and dtypes of what they are given. No variable changes.

    Args:
        name: for messages and programs.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._kept: dict[Any, tuple[Any, Function]] = {}

    def __call__(
        self,
        build: Callable[..., Any],
        variables: Sequence[Variable],
        values: Sequence[Any],
        arguments: Any = (),
        phase: int = 0,
        key: Any = None,
    ) -> Any:
        """The result of ``build``.

        Args:
            build: a function of ``arguments`` that gives a tree of symbolic tensors.
            variables: those that have values here.
            values: one for each, of its shape.
            arguments: a tree, of which tensors and arrays are given as symbolic tensors.
            phase: the learning phase of the program.
            key: what else the result depends on.

        Raises:
            ValueError: another number of values, or another shape.
        """
        self._check(variables, values)
        if any(isinstance(leaf, Tensor) for leaf in tree_leaves((list(values), arguments))):
            return _with(build(arguments), variables, values)
        target = active_target()
        given = [_fed(value, target) for value in values]
        leaves = [_fed(v, target) for v in tree_leaves(arguments) if _is_array(v)]
        specs = [_spec(v, target) for v in (*given, *leaves)]
        found = (key, phase, tuple(v.uid for v in variables), repr(tree_map(_form, arguments)), tuple(specs))
        if found not in self._kept:
            if len(self._kept) >= _KEPT:
                self._kept.clear()
            self._kept[found] = self._made(build, variables, arguments, specs, phase)
        structure, function = self._kept[found]
        results = iter(function([*given, *leaves], as_numpy=False))
        return tree_map(lambda leaf: next(results) if isinstance(leaf, Tensor) else leaf, structure)

    def _check(self, variables: Sequence[Variable], values: Sequence[Any]) -> None:
        if len(values) != len(variables):
            raise ValueError(f"{self.name} has {len(variables)} variables here, it was given {len(values)} values")
        for variable, value in zip(variables, values):
            shape = tuple(value.shape) if hasattr(value, "shape") else to_numpy(value).shape
            if len(shape) != len(variable.shape) or any(a not in (None, b) for a, b in zip(shape, variable.shape)):
                raise ValueError(
                    f"{self.name}: the variable {variable.name} has shape {variable.shape}, it was given {shape}"
                )

    def _made(
        self, build: Any, variables: Sequence[Variable], arguments: Any, specs: Sequence[TensorSpec], phase: int
    ) -> tuple[Any, Function]:
        count = len(variables)
        feeds = [_placeholder(v.shape, v.dtype) for v in variables]
        feeds += [_placeholder(spec.shape, spec.dtype) for spec in specs[count:]]
        rest = iter(feeds[count:])
        structure = build(tree_map(lambda v: next(rest) if _is_array(v) else v, arguments))
        structure = _with(structure, variables, feeds[:count])
        outputs = [leaf for leaf in tree_leaves(structure) if isinstance(leaf, Tensor)]
        return structure, Function(feeds, outputs, (), f"{self.name}_stateless", phase=phase)


def _with(structure: Any, variables: Sequence[Variable], values: Sequence[Any]) -> Any:
    """A tree of tensors with values in the place of variables."""
    leaves = [leaf for leaf in tree_leaves(structure) if isinstance(leaf, Tensor)]
    made = iter(copy_tensors(leaves, dict(zip(variables, values))))
    return tree_map(lambda leaf: next(made) if isinstance(leaf, Tensor) else leaf, structure)


def _placeholder(shape: Any, dtype: str) -> Tensor:
    return make_node(REGISTRY["placeholder"], (), {"shape": tuple(shape), "dtype": dtype, "name": None})


def _is_array(value: Any) -> bool:
    return hasattr(value, "shape") and hasattr(value, "dtype")


def _form(value: Any) -> Any:
    return "array" if _is_array(value) else value


def _fed(value: Any, target: Any) -> Any:
    """A value as a tensor of the engine or an array."""
    if target.backend.is_tensor(value):
        return value
    owner = owner_of(value)
    return to_numpy(value) if owner is None else owner.to_numpy(value)


def _spec(value: Any, target: Any) -> TensorSpec:
    if target.backend.is_tensor(value) and not isinstance(value, np.ndarray):
        spec = target.backend.spec(value)
        return TensorSpec(spec.shape, spec.dtype)
    dtype = dtypes.canonical(value.dtype)
    return TensorSpec(value.shape, config.floatx() if dtypes.is_float(dtype) else dtype)


__all__ = ["Stateless"]
