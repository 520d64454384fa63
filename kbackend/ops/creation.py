"""Creation: ranges, zeros and ones, and their likes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from kbackend import config, dtypes
from kbackend.graph.tensor import Shape, Tensor, TensorSpec
from kbackend.graph.variable import Variable
from kbackend.ops.declare import REGISTRY, TensorLike, TensorList, derived, primitive
from kbackend.ops.dispatch import dtype_of, make_node, to_numpy
from kbackend.ops.sample import In, call
from kbackend.ops.shapes import product
from kbackend.ops.sizes import check_sizes, entries, split_entries


def _chosen(dtype: Any) -> str:
    return config.floatx() if dtype is None else dtypes.canonical(dtype)


def _prepare_fill(specs: Any, attrs: dict[str, Any]) -> dict[str, Any]:
    return {
        **attrs,
        "dtype": dtypes.canonical(attrs["dtype"]),
        "shape": tuple(attrs["shape"]),
        "value": float(attrs["value"]),
    }


@primitive(
    prepare=_prepare_fill,
    differentiable=False,
    tolerance="moving",
    samples=lambda: [
        call([In((), kind="int32", values=3)], (None, 2), 1.5, "float32"),
        call([In((), kind="int32", values=0)], (2, None), 1, "int32", name="empty"),
    ],
)
def fill(sizes: TensorList, shape: Any, value: float, dtype: str, name: str | None = None) -> TensorSpec:
    """A tensor of one value; each None in the shape stands for the next of ``sizes``, integer scalars."""
    check_sizes(sizes, shape)
    return TensorSpec(tuple(shape), dtype)


def _filled(shape: Any, value: float, dtype: str, name: str | None) -> Any:
    found = entries([shape] if isinstance(shape, int) else shape)
    sizes, pattern = split_entries(found)
    if any(d is not None and d < 0 for d in pattern):
        raise ValueError(f"a shape has no negative dimensions, it is {pattern}")
    if sizes:
        return fill(sizes, pattern, value, dtype, name)
    numpy_dtype = dtypes.numpy_dtype(dtype)
    dims = _known(pattern)
    return Variable(lambda: np.full(dims, value, numpy_dtype), dims, dtype, name)


def _known(pattern: Shape) -> tuple[int, ...]:
    return tuple(d for d in pattern if d is not None)


@derived(
    samples=lambda: [
        call((2, 3)),
        call(4, dtype="int32"),
        call((0, 2), dtype="float64"),
        call((-1,), name="negative", raises=ValueError),
    ]
)
def zeros(shape: Any, dtype: Any = None, name: str | None = None) -> Any:
    """A variable of zeros; a plain tensor when a dimension is a symbolic scalar.

    Args:
        shape: ints or integer scalars, or an integer vector.
        dtype: floatx when None.
        name: a name.

    >>> from kbackend import K
    >>> K.eval(K.zeros((2,))).tolist()
    [0.0, 0.0]
    """
    return _filled(shape, 0, _chosen(dtype), name)


@derived(samples=lambda: [call((2, 3)), call((), dtype="float16")])
def ones(shape: Any, dtype: Any = None, name: str | None = None) -> Any:
    """A variable of ones; a plain tensor when a dimension is a symbolic scalar. See :func:`zeros`.

    >>> from kbackend import K
    >>> K.eval(K.ones((2,), dtype="int32")).tolist()
    [1, 1]
    """
    return _filled(shape, 1, _chosen(dtype), name)


@derived(samples=lambda: [call((2, 3), 1.5), call([2], -3, dtype="int32"), call((2, 0), 1.0)])
def full(shape: Any, value: float, dtype: Any = None) -> Any:
    """A constant of one value; dimensions may be symbolic scalars.

    >>> from kbackend import K
    >>> K.eval(K.full((2,), 1.5)).tolist()
    [1.5, 1.5]
    """
    sizes, pattern = split_entries(entries([shape] if isinstance(shape, int) else shape))
    if sizes:
        return fill(sizes, pattern, value, _chosen(dtype))
    return _constant(np.full(_known(pattern), value, dtypes.numpy_dtype(_chosen(dtype))))


@derived(samples=lambda: [call(3), call((2, 3), dtype="float64"), call(0)])
def eye(size: Any, dtype: Any = None, name: str | None = None) -> Variable:
    """A variable with ones on the diagonal.

    Args:
        size: the number of rows and columns, or a pair (rows, columns).
        dtype: floatx when None.
        name: a name.

    >>> from kbackend import K
    >>> K.eval(K.eye(2)).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    rows, columns = size if isinstance(size, (tuple, list)) else (size, size)
    chosen = _chosen(dtype)
    numpy_dtype = dtypes.numpy_dtype(chosen)
    return Variable(lambda: np.eye(rows, columns, dtype=numpy_dtype), (rows, columns), chosen, name)


def _prepare_like(specs: Any, attrs: dict[str, Any]) -> dict[str, Any]:
    dtype = specs[0].dtype if attrs["dtype"] is None else dtypes.canonical(attrs["dtype"])
    return {**attrs, "dtype": dtype, "value": float(attrs["value"])}


@primitive(
    prepare=_prepare_like,
    differentiable=False,
    tolerance="moving",
    samples=lambda: [
        call(In((2, 3)), 2.5),
        call(In((0, 2)), 0),
        call(In((2,), kind="int32"), 1, "float32"),
        call(In((2,), kind="bool"), 1),
    ],
)
def full_like(x: TensorLike, value: float, dtype: Any = None, name: str | None = None) -> TensorSpec:
    """A tensor of one value with the shape of ``x``, and its dtype unless another is given."""
    return TensorSpec(x.shape, dtype)


@derived(samples=lambda: [call(In((2, 3))), call(In((2,), kind="int32")), call(In((0, 2)), dtype="int32")])
def zeros_like(x: TensorLike, dtype: Any = None, name: str | None = None) -> Any:
    """Zeros with the shape of ``x``, and its dtype unless another is given.

    >>> from kbackend import K
    >>> K.eval(K.zeros_like(K.constant([1, 2]))).tolist()
    [0.0, 0.0]
    """
    return full_like(x, 0, dtype, name)


@derived(samples=lambda: [call(In((2, 3))), call(In((2,), kind="bool"), dtype="float32")])
def ones_like(x: TensorLike, dtype: Any = None, name: str | None = None) -> Any:
    """Ones with the shape of ``x``, and its dtype unless another is given.

    >>> from kbackend import K
    >>> K.eval(K.ones_like(K.constant([1, 2]), dtype="bool")).tolist()
    [True, True]
    """
    return full_like(x, 1, dtype, name)


# ---------------------------------------------------------------------- ranges


def _prepare_range(specs: Any, attrs: dict[str, Any]) -> dict[str, Any]:
    return {**attrs, "dtype": dtypes.canonical(attrs["dtype"])}


@primitive(
    name="arange",
    promote="same",
    prepare=_prepare_range,
    differentiable=False,
    tolerance="moving",
    samples=lambda: [
        call(
            In((), kind="int32", values=0),
            In((), kind="int32", values=5),
            In((), kind="int32", values=2),
            "int32",
            gradient=False,
        ),
        call(
            In((), kind="int32", values=5),
            In((), kind="int32", values=0),
            In((), kind="int32", values=-2),
            "float32",
            name="backwards",
            gradient=False,
        ),
    ],
)
def _arange(start: TensorLike, stop: TensorLike, step: TensorLike, dtype: str) -> TensorSpec:
    """The numbers from ``start`` to before ``stop``, all three scalars."""
    for spec in (start, stop, step):
        if spec.shape != ():
            raise ValueError(f"start, stop and step must be scalars, one is {spec}")
    return TensorSpec((None,), dtype)


@derived(
    samples=lambda: [
        call(4),
        call(2, 5),
        call(5, 0, -2),
        call(0, 1, 0.25, dtype="float32"),
        call(0),
        call(0, 3, 0, name="step 0", raises=ValueError),
        call(0, In((), kind="int32", values=3), name="symbolic stop"),
    ]
)
def arange(start: Any, stop: Any = None, step: Any = 1, dtype: Any = "int32") -> Any:
    """The numbers from ``start`` to before ``stop``, or from 0 to before ``start`` when no ``stop`` is given.

    Args:
        start, stop, step: numbers or symbolic scalars.
        dtype: the dtype; int32 as in Keras.

    >>> from kbackend import K
    >>> K.eval(K.arange(3)).tolist()
    [0, 1, 2]
    """
    first, last = (0, start) if stop is None else (start, stop)
    chosen = _chosen(dtype)
    if any(isinstance(v, Tensor) for v in (first, last, step)):
        return _arange(first, last, step, chosen)
    bounds = [to_numpy(v).item() for v in (first, last, step)]
    if bounds[2] == 0:
        raise ValueError("K.arange: the step cannot be 0")
    # With a negative step and no stop Keras counts down from 0; NumPy does the same.
    return _constant(np.arange(*bounds).astype(dtypes.numpy_dtype(chosen)))


@derived(samples=lambda: [call(0.0, 1.0, 5), call(2.0, -2.0, 4, dtype="float64"), call(1.0, 2.0, 1)])
def linspace(start: float, stop: float, num: int = 50, dtype: Any = None) -> Any:
    """``num`` evenly spaced numbers from ``start`` to ``stop``, both included.

    >>> from kbackend import K
    >>> K.eval(K.linspace(0, 1, 3)).tolist()
    [0.0, 0.5, 1.0]
    """
    return _constant(np.linspace(start, stop, num).astype(dtypes.numpy_dtype(_chosen(dtype))))


def _constant(array: np.ndarray) -> Any:
    return make_node(REGISTRY["constant"], (), {"value": array, "name": None})


# ---------------------------------------------------------------------- questions


def int_shape(x: Any) -> tuple[int | None, ...] | None:
    """The shape as a tuple of ints, None where unknown; None when ``x`` has no shape.

    >>> from kbackend import K
    >>> K.int_shape(K.placeholder((None, 3)))
    (None, 3)
    """
    found = getattr(x, "shape", None)
    if found is None:
        return np.shape(x) if isinstance(x, (int, float, bool, list, tuple)) else None
    return tuple(None if d is None else int(d) for d in found)


def ndim(x: Any) -> int | None:
    """The number of dimensions; None when ``x`` has none."""
    found = int_shape(x)
    return None if found is None else len(found)


def dtype(x: Any) -> str:
    """The dtype as a string."""
    return x.dtype if getattr(x, "is_sparse", False) is True else dtype_of(x)


def count_params(x: Any) -> int:
    """The number of elements, which must be known.

    Raises:
        ValueError: a dimension is unknown.

    >>> from kbackend import K
    >>> K.count_params(K.zeros((2, 3)))
    6
    """
    found = product(int_shape(x) or ())
    if found is None:
        raise ValueError(f"the number of elements of {x!r} is not known while the graph is built; see K.size")
    return int(math.floor(found))


def is_tensor(x: Any) -> bool:
    """Whether ``x`` is a symbolic tensor, a variable or a tensor of a loaded engine."""
    from kbackend.plugin.select import owner_of

    if isinstance(x, Tensor):
        return True
    return not isinstance(x, (np.ndarray, np.generic)) and owner_of(x) is not None


def is_variable(x: Any) -> bool:
    """Whether ``x`` is a variable.

    >>> from kbackend import K
    >>> K.is_variable(K.zeros((2,)))
    True
    """
    return isinstance(x, Variable)


def is_placeholder(x: Any) -> bool:
    """Whether ``x`` is a placeholder.

    >>> from kbackend import K
    >>> K.is_placeholder(K.placeholder((2,)))
    True
    """
    return isinstance(x, Tensor) and x.node.op.name == "placeholder"


def is_keras_tensor(x: Any) -> bool:
    """Whether ``x`` came out of a layer or of ``Input``.

    Raises:
        ValueError: ``x`` is no tensor.

    >>> from kbackend import K
    >>> K.is_keras_tensor(K.placeholder((2,)))
    False
    """
    if not is_tensor(x):
        raise ValueError(f"K.is_keras_tensor needs a tensor, it was given {type(x).__name__}: {x!r}")
    return getattr(x, "history", None) is not None


def is_sparse(tensor: Any) -> bool:
    """Whether ``tensor`` is sparse: one of K's sparse tensors, of SciPy's matrices or of an engine's tensors."""
    sparse = getattr(tensor, "is_sparse", False) is True or type(tensor).__name__ == "SparseTensor"
    return sparse or hasattr(tensor, "tocoo")


def to_dense(tensor: Any) -> Any:
    """A dense tensor from a sparse one, of SciPy or of an engine; a dense one is returned as it is."""
    for method in ("toarray", "to_dense"):
        if is_sparse(tensor) or method == "toarray":
            found = getattr(tensor, method, None)
            if found is not None:
                return found()
    return tensor
