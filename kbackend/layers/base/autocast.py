"""The weights of a layer in the dtype that it computes in, while its ``call`` runs."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager
from typing import Any

from kbackend import dtypes
from kbackend.dtype_policies import DTypePolicy
from kbackend.graph.tensor import Tensor
from kbackend.graph.variable import Variable
from kbackend.ground.active import autocast
from kbackend.ops.core.cast import cast
from kbackend.ops.elementwise.precision import as_dtype


class Casting(AbstractContextManager[None]):
    """A context in which ops get weights in another dtype.

    Args:
        dtype: the dtype; None for a context in which weights are as they are.
        weights: those that are cast once, in front of everything that the context makes: a loop over steps casts none
            of them at each step. What nothing reads is in no program.
    """

    def __init__(self, dtype: str | None, weights: Iterable[Variable] = ()) -> None:
        self._dtype = dtype
        around = autocast.get()
        same = around is not None and around._dtype == dtype
        self._made: dict[int, Tensor] = dict(around._made) if same else {}
        self._first = list(weights)

    def __enter__(self) -> None:
        self._token = autocast.set(None)
        if self._dtype is None:
            return
        for weight in self._first:
            if weight.uid not in self._made and _is_cast(weight, self._dtype):
                self._made[weight.uid] = cast(weight, self._dtype)
        autocast.set(self)

    def __exit__(self, *exc: Any) -> None:
        autocast.reset(self._token)

    def __call__(self, operand: Any) -> Any:
        """The operand of an op in this context: a weight is cast, anything else stays."""
        if type(operand) in (list, tuple):
            return [self(o) for o in operand]
        assert self._dtype is not None
        if not isinstance(operand, Variable) or not _is_cast(operand, self._dtype):
            return operand
        found = self._made.get(operand.uid)
        if found is None:  # made in the body of a loop, perhaps, where nothing else may read it
            with Casting(None):
                found = cast(operand, self._dtype)
        return found


def _is_cast(variable: Variable, dtype: str) -> bool:
    return variable.autocast and dtypes.is_float(variable.dtype) and variable.dtype != dtype


def uncast() -> Casting:
    """A context in which ops get weights as they are."""
    return Casting(None)


def input_in(policy: DTypePolicy, value: Any) -> Any:
    """An input in the dtype that a layer with the policy takes; its mask stays with it."""
    if not isinstance(value, Tensor) or value.dtype == policy.compute_dtype:
        return value
    made = as_dtype(value, policy.input_dtype(value.dtype))
    made._keras_mask = value._keras_mask
    return made
