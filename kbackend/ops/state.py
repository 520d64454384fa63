"""Leaves and state: constants, placeholders, variables, phases, updates, gradients."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from kbackend import config, dtypes
from kbackend.graph.node import Node, scoped
from kbackend.graph.tensor import Tensor, TensorSpec
from kbackend.graph.variable import Variable
from kbackend.graph.walk import depends_on
from kbackend.ops.declare import REGISTRY, TensorLike, TensorList, derived, primitive
from kbackend.ops.dispatch import dtype_of, lift, make_node, to_numpy


def _leaf_gap(function: Any) -> Any:
    """Leaves are handled by the lowering; backends have no kernel for them."""
    function.op.kind = "leaf"
    return function


@_leaf_gap
@primitive(name="constant", creates=True)
def _constant(*, value: np.ndarray, name: str | None = None) -> TensorSpec:
    return TensorSpec(value.shape, dtypes.canonical(value.dtype))


@_leaf_gap
@primitive(name="placeholder", creates=True, pure=False)
def _placeholder(*, shape: tuple[int | None, ...], dtype: str, name: str | None = None) -> TensorSpec:
    return TensorSpec(shape, dtype)


@_leaf_gap
@primitive(name="learning_phase", creates=True)
def _learning_phase(*, name: str | None = None) -> TensorSpec:
    return TensorSpec((), "int32")


@_leaf_gap
@primitive(name="phase_select", promote="same", promoted=("train", "test"))
def _phase_select(train: TensorLike, test: TensorLike, phase: TensorLike) -> TensorSpec:
    if len(train.shape) != len(test.shape):
        raise ValueError(f"the value for training has shape {train.shape}, the one for testing {test.shape}")
    shape = tuple(a if a == b else None for a, b in zip(train.shape, test.shape))
    return TensorSpec(shape, train.dtype)


@_leaf_gap
@primitive(name="update", pure=False)
def _update(variable: TensorLike, value: TensorLike) -> TensorSpec:
    return TensorSpec(variable.shape, variable.dtype)


@_leaf_gap
@primitive(name="gradients")
def _gradients(loss: TensorLike, tensors: TensorList) -> tuple[TensorSpec, ...]:
    return tuple(t for t in tensors)


@derived
def constant(value: Any, dtype: Any = None, shape: Any = None, name: str | None = None) -> Tensor:
    """A symbolic constant.

    Args:
        value: a number, list or array.
        dtype: the dtype; floatx when None, as in Keras, and the complex of it for complex numbers.
        shape: the shape; a single value is repeated to fill it.
        name: a name for the tensor.

    >>> from kbackend import K
    >>> K.eval(K.constant([1, 2])).tolist()
    [1.0, 2.0]
    """
    array = to_numpy(value)
    array = array.astype(dtypes.numpy_dtype(_dtype_for(array, dtype)))
    if shape is not None:
        array = np.full(shape, array) if array.size == 1 else array.reshape(shape)
    return make_node(REGISTRY["constant"], (), {"value": array, "name": scoped(name) if name else None})


def _dtype_for(array: np.ndarray, dtype: Any) -> str:
    """The dtype asked for, else floatx or the complex of it.

    Raises:
        TypeError: complex numbers in another dtype, which would lose their imaginary parts.
    """
    if array.dtype.kind != "c":
        return config.floatx() if dtype is None else dtypes.canonical(dtype)
    chosen = dtypes.canonical(complex if dtype is None else dtype)
    if not dtypes.is_complex(chosen):
        raise TypeError(f"complex numbers do not fit {chosen}; take their real parts first")
    return chosen


@derived
def placeholder(
    shape: Any = None,
    ndim: int | None = None,
    dtype: Any = None,
    sparse: bool = False,
    name: str | None = None,
) -> Tensor:
    """A symbolic input whose value is fed when a function is called.

    Args:
        shape: dimensions, None for unknown ones.
        ndim: the rank, when no shape is given.
        dtype: floatx when None.
        sparse: gives a :class:`kbackend.ops.sparse.SparseTensor`, which is fed SciPy's sparse matrices.
        name: a name; error messages use it.

    Raises:
        ValueError: neither shape nor ndim is given.

    >>> from kbackend import K
    >>> K.int_shape(K.placeholder((None, 3)))
    (None, 3)
    """
    if shape is None:
        if ndim is None:
            raise ValueError("a placeholder needs a shape or ndim")
        shape = (None,) * ndim
    dims = tuple(None if d is None else int(d) for d in shape)
    if any(d is not None and d < 0 for d in dims):
        raise ValueError(f"a placeholder cannot have the shape {tuple(shape)}")
    if sparse:
        from kbackend.ops.sparse import sparse_placeholder

        return sparse_placeholder(dims, config.floatx() if dtype is None else dtypes.canonical(dtype), name)  # type: ignore[return-value]
    attrs = {
        "shape": dims,
        "dtype": config.floatx() if dtype is None else dtypes.canonical(dtype),
        "name": scoped(name) if name else None,
    }
    return make_node(REGISTRY["placeholder"], (), attrs)


@derived
def variable(value: Any, dtype: Any = None, name: str | None = None, constraint: Any = None) -> Variable:
    """A variable: a value that functions read and update.

    Args:
        value: the initial value: a number, list, array, engine tensor, or a symbolic tensor without placeholders. One
            of SciPy's sparse matrices gives a :class:`kbackend.ops.sparse.SparseTensor` whose values are a variable.
        dtype: floatx when None, as in Keras.
        name: a name.
        constraint: a function of the new value that optimizers apply after each step.

    >>> from kbackend import K
    >>> v = K.variable([[1., 2.]], name="v")
    >>> K.get_value(v).tolist()
    [[1.0, 2.0]]
    """
    if hasattr(value, "tocoo"):
        from kbackend.ops.sparse import sparse_variable

        return sparse_variable(value, dtype, name, constraint)  # type: ignore[return-value]
    if isinstance(value, Tensor):
        from kbackend.ops.evaluate import evaluate_on_reference

        source = value
        complex_value = dtype is None and dtypes.is_complex(source.dtype)
        chosen = source.dtype if complex_value else dtypes.canonical(float if dtype is None else dtype)
        if dtypes.is_complex(source.dtype) and not dtypes.is_complex(chosen):
            raise TypeError(f"complex numbers do not fit {chosen}; take their real parts first")
        if any(d is None for d in source.shape):
            raise ValueError(f"a variable needs a known shape; {source!r} has none")
        return Variable(
            lambda: evaluate_on_reference(source), source.shape, chosen, name, constraint=constraint
        )
    array = to_numpy(value)
    chosen = _dtype_for(array, dtype)
    array = np.array(array, dtype=dtypes.numpy_dtype(chosen))
    return Variable(array, array.shape, chosen, name, constraint=constraint)


# ------------------------------------------------------------------------------------------------ gradients


def _gradient_flows(node: Node, operand: Tensor) -> bool:
    return node.op.differentiable and dtypes.is_inexact(operand.dtype)


@derived
def gradients(loss: TensorLike, variables: Any) -> list[Tensor | None]:
    """The gradients of a loss with respect to any tensors of its graph, as tensors.

    Args:
        loss: a float tensor; one that is not a scalar is summed.
        variables: a tensor or a list of tensors: variables, placeholders or inner tensors.

    Returns:
        A list: for each tensor a tensor of its shape and dtype, or None where the loss does not depend on it. For a
        complex tensor ``x + iy`` it is ``dL/dx + i dL/dy``: the direction of steepest ascent, on every engine.

    Raises:
        TypeError: a loss that is no float, complex ones too; take the real part or the absolute value of those.

    >>> from kbackend import K
    >>> x = K.placeholder((2,))
    >>> f = K.function([x], K.gradients(K.sum(x * x), [x]))
    >>> f([[1., 2.]])[0].tolist()
    [2.0, 4.0]
    """
    wanted = list(variables) if isinstance(variables, (list, tuple)) else [variables]
    for tensor in [loss, *wanted]:
        if not isinstance(tensor, Tensor):
            raise TypeError(f"K.gradients needs symbolic tensors, it was given {type(tensor).__name__}")
    if not dtypes.is_float(loss.dtype):
        hint = "; take its real part or its absolute value" if dtypes.is_complex(loss.dtype) else ""
        raise TypeError(f"K.gradients needs a float loss, {loss!r} is {loss.dtype}{hint}")
    connected = depends_on([loss], wanted, _gradient_flows)
    sources = tuple(t for t, used in zip(wanted, connected) if used)
    found = iter(make_node(REGISTRY["gradients"], (loss, sources), {}) if sources else ())
    return [next(found) if used else None for used in connected]


# ------------------------------------------------------------------------------------------------ updates


def as_updates(updates: Any) -> list[tuple[Variable, Tensor]]:
    """Pairs (variable, new value) from K.update tensors and pairs."""
    pairs = []
    for item in updates or ():
        if isinstance(item, Tensor) and item.node.op.name == "update":
            pairs.append((item.node.args[0], item.node.args[1]))
        elif isinstance(item, (tuple, list)) and len(item) == 2:
            pairs.append((item[0], item[1]))
        else:
            raise TypeError(f"an update is K.update(...) or a pair (variable, new value), not {item!r}")
    return [_checked_update(variable, value) for variable, value in pairs]


def _checked_update(variable: Any, value: Any) -> tuple[Variable, Tensor]:
    if not isinstance(variable, Variable):
        raise TypeError(f"only variables can be updated, not {variable!r}")
    tensor = lift(value, variable.dtype)
    if len(tensor.shape) != len(variable.shape) or any(
        d is not None and d != wanted for d, wanted in zip(tensor.shape, variable.shape)
    ):
        raise ValueError(
            f"{variable.name} has shape {variable.shape}; its new value has shape {tensor.shape}"
        )
    return variable, tensor


@derived
def update(x: Variable, new_x: Any) -> Tensor:
    """An update that sets ``x`` to ``new_x`` when a function runs it; its value is the new value."""
    variable, value = _checked_update(x, new_x)
    return make_node(REGISTRY["update"], (variable, value), {})


@derived
def update_add(x: Variable, increment: Any) -> Tensor:
    """An update that adds ``increment`` to ``x``."""
    return update(x, x + increment)


@derived
def update_sub(x: Variable, decrement: Any) -> Tensor:
    """An update that subtracts ``decrement`` from ``x``."""
    return update(x, x - decrement)


@derived
def moving_average_update(x: Variable, value: Any, momentum: Any) -> Tensor:
    """An update of a moving average: ``x * momentum + value * (1 - momentum)``."""
    return update(x, x * momentum + value * (1 - momentum))


__all__ = [
    "as_updates",
    "constant",
    "dtype_of",
    "gradients",
    "moving_average_update",
    "placeholder",
    "update",
    "update_add",
    "update_sub",
    "variable",
    "Sequence",
]
