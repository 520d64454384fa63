"""``K.placeholder`` and ``K.variable``, dense and sparse."""

from __future__ import annotations

from typing import Any

from kbackend import config, dtypes
from kbackend.declare.call import make_node, to_numpy
from kbackend.declare.decorate import derived
from kbackend.declare.op import REGISTRY
from kbackend.graph.node import scoped
from kbackend.graph.tensor import Shape, Tensor
from kbackend.graph.variable import Variable
from kbackend.ops.core.leaves import constant, constant_dtype
from kbackend.ops.indexing.sparse import SparseTensor, coordinates
from kbackend.runtime.evaluate import evaluate_on_reference


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
        shape: the dimensions, None for each unknown one.
        ndim: the rank, used when ``shape`` is None.
        dtype: the dtype; None for floatx.
        sparse: make a sparse input, which is fed SciPy's sparse matrices.
        name: the name for error messages; None for a generated name.

    Returns:
        A tensor, or a :class:`kbackend.ops.indexing.sparse.SparseTensor` when ``sparse``.

    Raises:
        ValueError: neither ``shape`` nor ``ndim`` is given, or a negative dimension.
        TypeError: a shape that is no list or tuple.

    >>> from kbackend import K
    >>> K.int_shape(K.placeholder((None, 3)))
    (None, 3)
    """
    if shape is None:
        if ndim is None:
            raise ValueError("a placeholder needs a shape or ndim")
        shape = (None,) * ndim
    if not hasattr(shape, "__iter__"):
        raise TypeError(f"a placeholder's shape must be a list or tuple, it is {shape!r}; a vector's is ({shape!r},)")
    dims = tuple(None if d is None else int(d) for d in shape)
    if any(d is not None and d < 0 for d in dims):
        raise ValueError(f"a placeholder cannot have the shape {tuple(shape)}")
    if sparse:
        return sparse_placeholder(dims, config.floatx() if dtype is None else dtypes.canonical(dtype), name)  # type: ignore[return-value]
    attrs = {
        "shape": dims,
        "dtype": config.floatx() if dtype is None else dtypes.canonical(dtype),
        "name": scoped(name) if name else None,
    }
    return make_node(REGISTRY["placeholder"], (), attrs)


@derived
def variable(value: Any, dtype: Any = None, name: str | None = None, constraint: Any = None) -> Variable:
    """A variable: state that functions read and update.

    Args:
        value: the initial value: a number, list, array, tensor of an engine, or a symbolic tensor that depends on no
            placeholder.
        dtype: the dtype; None for floatx, also for integers, as in Keras.
        name: the name of the variable; None for a generated name.
        constraint: a function that optimizers apply to the new value after each step.

    Returns:
        A variable. For a SciPy sparse matrix a :class:`~kbackend.ops.indexing.sparse.SparseTensor` whose values are a
        variable.

    Raises:
        TypeError: complex values for a real dtype.
        ValueError: a symbolic value with an unknown dimension.

    >>> from kbackend import K
    >>> v = K.variable([[1., 2.]], name="v")
    >>> K.get_value(v).tolist()
    [[1.0, 2.0]]
    """
    if hasattr(value, "tocoo"):
        return sparse_variable(value, dtype, name, constraint)  # type: ignore[return-value]
    if isinstance(value, Tensor):
        source = value
        complex_value = dtype is None and dtypes.is_complex(source.dtype)
        chosen = source.dtype if complex_value else dtypes.canonical(float if dtype is None else dtype)
        if dtypes.is_complex(source.dtype) and not dtypes.is_complex(chosen):
            raise TypeError(f"complex numbers do not fit {chosen}; take their real parts first")
        if any(d is None for d in source.shape):
            raise ValueError(f"a variable needs a known shape; {source!r} has unknown dimensions")
        return Variable(
            lambda: evaluate_on_reference(source), source.shape, chosen, name, constraint=constraint
        )
    array = to_numpy(value)
    chosen = constant_dtype(array, dtype)
    array = dtypes.converted(array, chosen)
    return Variable(array, array.shape, chosen, name, constraint=constraint)


def sparse_placeholder(shape: Shape, dtype: str, name: str | None) -> SparseTensor:
    """A sparse input, whose indices, values and dense shape are placeholders."""
    stem = name or "sparse"
    return SparseTensor(
        placeholder((None, len(shape)), dtype="int64", name=f"{stem}/indices"),
        placeholder((None,), dtype=dtype, name=f"{stem}/values"),
        placeholder((len(shape),), dtype="int64", name=f"{stem}/dense_shape"),
        shape,
        stem,
    )


def sparse_variable(value: Any, dtype: Any, name: str | None, constraint: Any) -> SparseTensor:
    """A sparse tensor whose values are a variable and whose indices are constant."""
    chosen = config.floatx() if dtype is None else dtypes.canonical(dtype)
    indices, values, shape = coordinates(value, chosen)
    stem = name or "sparse"
    held = Variable(values, values.shape, chosen, f"{stem}/values", constraint=constraint)
    known = tuple(int(d) for d in shape)
    return SparseTensor(constant(indices, "int64"), held, constant(shape, "int64"), known, stem)
