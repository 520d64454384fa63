"""Ops that lowering handles itself: constants, placeholders, the learning phase, updates and gradients."""

from __future__ import annotations

from typing import Any

import numpy as np

from kbackend import dtypes
from kbackend.declare import static_values
from kbackend.declare.call import make_node, to_numpy
from kbackend.declare.decorate import derived, structural
from kbackend.declare.op import REGISTRY, TensorLike, TensorList
from kbackend.graph.node import Role, scoped
from kbackend.graph.tensor import Tensor, TensorSpec
from kbackend.ops.core.arguments import chosen_dtype


@structural(Role.CONSTANT, name="constant", creates=True, static_value=static_values.of_constant)
def _constant(*, value: np.ndarray, name: str | None = None) -> TensorSpec:
    return TensorSpec(value.shape, dtypes.canonical(value.dtype))


@structural(Role.PLACEHOLDER, name="placeholder", creates=True, pure=False)
def _placeholder(*, shape: tuple[int | None, ...], dtype: str, name: str | None = None) -> TensorSpec:
    if not isinstance(shape, tuple) or not all(d is None or type(d) is int and d >= 0 for d in shape):
        raise ValueError(f"a placeholder cannot have the shape {shape!r}")
    if dtype not in dtypes.ALL:
        raise ValueError(f"a placeholder cannot have the dtype {dtype!r}")
    return TensorSpec(shape, dtype)


@structural(Role.PHASE, name="learning_phase", creates=True)
def _learning_phase(*, name: str | None = None) -> TensorSpec:
    return TensorSpec((), "int32")


@structural(
    Role.PHASE_SELECT, name="phase_select", takes_complex=True, promote="same", promoted=("train", "test")
)
def _phase_select(train: TensorLike, test: TensorLike, phase: TensorLike) -> TensorSpec:
    if len(train.shape) != len(test.shape):
        raise ValueError(f"the training value has shape {train.shape}, the test value {test.shape}")
    shape = tuple(a if a == b else None for a, b in zip(train.shape, test.shape))
    return TensorSpec(shape, train.dtype)


@structural(Role.UPDATE, name="update", takes_complex=True, pure=False)
def _update(variable: TensorLike, value: TensorLike) -> TensorSpec:
    return TensorSpec(variable.shape, variable.dtype)


@structural(Role.GRADIENTS, name="gradients", takes_complex=True)
def _gradients(loss: TensorLike, tensors: TensorList) -> tuple[TensorSpec, ...]:
    return tuple(t for t in tensors)


@derived
def constant(value: Any, dtype: Any = None, shape: Any = None, name: str | None = None) -> Tensor:
    """A symbolic constant (Keras's ``K.constant``).

    Args:
        value: a number, list or array.
        dtype: the dtype; when None floatx, and for complex numbers the complex dtype of floatx.
        shape: the shape; a single value is repeated to fill it.
        name: the name of the tensor.

    Raises:
        TypeError: an unknown dtype, or complex numbers and a real dtype.
        ValueError: values that do not fit the shape.

    >>> from kbackend import K
    >>> K.eval(K.constant([1, 2])).tolist()
    [1.0, 2.0]
    """
    array = to_numpy(value)
    array = dtypes.converted(array, constant_dtype(array, dtype))
    if shape is not None:
        array = np.full(shape, array) if array.size == 1 else array.reshape(shape)
    return make_node(REGISTRY["constant"], (), {"value": array, "name": scoped(name) if name else None})


def constant_dtype(array: np.ndarray, dtype: Any) -> str:
    """The dtype of a constant: the given one; when None floatx, or its complex dtype for complex numbers.

    Raises:
        TypeError: complex numbers and a real dtype, which would drop the imaginary parts.
    """
    if array.dtype.kind != "c":
        return chosen_dtype(dtype)
    chosen = dtypes.canonical(complex if dtype is None else dtype)
    if not dtypes.is_complex(chosen):
        raise TypeError(f"complex numbers do not fit {chosen}; take their real parts first")
    return chosen


__all__: list[str] = []
